import Documents
import Domain
import Foundation
import Testing

func read(_ text: String, as format: DocumentFormat = .markdown) throws -> ReadDocument {
  try StandardDocumentReader().read(Array(text.utf8), as: format)
}

extension ReadDocument {
  /// One line for each section: anchor, headings, blocks.
  var lines: [String] {
    sections.map { section in
      let blocks = section.blocks.map { block in
        switch block {
        case .prose(let text): text
        case .code(let text, let language): "<\(language)>\(text)"
        }
      }
      return "#\(section.anchor) [\(section.headings.joined(separator: "/"))] "
        + blocks.joined(separator: " ¦ ")
    }
  }
}

/// Files for tests.
enum Corpus {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func own(_ language: String) throws -> [(path: String, bytes: [UInt8])] {
    try files(in: root.appending(path: "Tests/Data/course-\(language)"))
  }

  /// The documentation of FastAPI beside the repository; nil where it is not there.
  static func fastAPI(_ language: String) throws -> [(path: String, bytes: [UInt8])]? {
    let folder = root.deletingLastPathComponent()
      .appending(path: "shared/data/fastapi-docs/\(language)")
    guard FileManager.default.fileExists(atPath: folder.path) else { return nil }
    return try files(in: folder)
  }

  private static func files(in folder: URL) throws -> [(path: String, bytes: [UInt8])] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return try names.filter { $0.hasSuffix(".md") }.sorted().map { name in
      (name, Array(try Data(contentsOf: folder.appending(path: name))))
    }
  }
}

enum StandardReader {
  static func read(_ bytes: [UInt8]) throws -> ReadDocument {
    try StandardDocumentReader().read(bytes, as: .markdown)
  }
}
