/// How a document is written.
package enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
  case markdown, html, plain

  /// By the ending of a path, in any case; plain where it says nothing.
  package init(path: String) {
    let ending = path.utf8.suffix(16).split(separator: UInt8(ascii: ".")).last.map {
      String(decoding: $0, as: UTF8.self).lowercased()
    }
    switch ending {
    case "md", "markdown", "mdx": self = .markdown
    case "html", "htm", "xhtml": self = .html
    default: self = .plain
    }
  }
}
