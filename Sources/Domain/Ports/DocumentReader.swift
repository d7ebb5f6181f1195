/// A part of a document under one heading, without the parts under headings of its own.
package struct DocumentSection: Sendable, Hashable {
  /// Unique within the document: given by the author, or made from the heading.
  package var anchor: String
  /// The headings above it and its own, from the outermost in; empty before the first heading.
  package var headings: [String]
  /// The text without markup, block by block in order; code is kept as it stands.
  package var blocks: [DocumentBlock]

  package init(anchor: String, headings: [String], blocks: [DocumentBlock]) {
    self.anchor = anchor
    self.headings = headings
    self.blocks = blocks
  }
}

/// A paragraph, an item of a list, a row of a table, or a listing.
package enum DocumentBlock: Sendable, Hashable {
  case prose(String)
  /// `language` as the document names it; empty where it does not.
  case code(String, language: String)
}

/// A document taken apart.
package struct ReadDocument: Sendable, Hashable {
  /// What the document says of itself, else the first heading; empty where there is neither.
  package var title: String
  /// In order. One without any text is there only where nothing else has its heading.
  package var sections: [DocumentSection]

  package init(title: String, sections: [DocumentSection]) {
    self.title = title
    self.sections = sections
  }
}

/// Why a document cannot be read; the text is for whoever sent it.
package enum DocumentError: Error, Sendable, Hashable {
  case notUTF8
  case containsNUL
  /// Nested or repeated beyond what any real document is.
  case tooComplex(String)
}

/// Takes documents apart. Pure; takes time in proportion to the text, whatever is in it.
package protocol DocumentReader: Sendable {
  func read(_ bytes: [UInt8], as format: DocumentFormat) throws(DocumentError) -> ReadDocument
}
