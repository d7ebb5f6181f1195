/// What the attributes of a tag say to who reads its text.
extension HTMLTag {
  /// Empty where there is none that can stand in a link.
  var anchor: String {
    for name in ["id", "name"] {
      if let value = attributes[name], AnchorMaker.isAnchor(value) { return value }
    }
    return ""
  }

  private var classes: [Substring] {
    (attributes["class"] ?? "").split(separator: " ").prefix(32).map(\.self)
  }

  /// The language of a listing among the classes, as highlighters write them: `language-python`,
  /// `lang-python`, `highlight-source-python`, `brush: python`, `sourceCode python`.
  var language: String? {
    let classes = classes
    for prefix in ["language-", "lang-", "highlight-source-", "highlight-"] {
      if let found = classes.first(where: { $0.hasPrefix(prefix) }) {
        let language = found.dropFirst(prefix.count)
        // What is no language there.
        return ["default", "none", "text", "console", "wrapper"].contains(language)
          && prefix == "highlight-"
          ? nil : String(language)
      }
    }
    for (place, name) in classes.enumerated().dropLast()
    where name == "brush:" || name == "sourceCode" {
      return String(classes[place + 1].drop { $0 == ";" }.prefix { $0 != ";" })
    }
    return nil
  }

  /// Whether it holds the numbers of a listing's lines.
  var isLineNumbers: Bool { classes.contains { Self.lineNumbers.contains(String($0)) } }

  /// What wikis put into headings for their authors.
  var isEditLink: Bool { classes.contains("mw-editsection") }

  private static let lineNumbers: Set<String> = [
    "linenos", "lineno", "linenodiv", "line-number", "line-numbers-rows", "lnt", "ln", "gutter",
    "rouge-gutter", "hljs-ln-numbers", "blob-num", "source-line-no",
  ]

  /// `<span style="display: block">`: a line of a listing.
  var isBlock: Bool {
    guard let style = attributes["style"] else { return false }
    return style.lowercased().filter { !$0.isWhitespace }.contains("display:block")
  }
}
