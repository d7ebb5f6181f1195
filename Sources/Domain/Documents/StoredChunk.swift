/// A chunk as it is stored: its number in the course and what tells it from others.
package struct StoredChunk: Sendable, Hashable {
  package var number: Int32
  package var identity: ChunkIdentity

  package init(number: Int32, identity: ChunkIdentity) {
    self.number = number
    self.identity = identity
  }
}

/// All that matters of a chunk: two of the same identity are the same row.
package struct ChunkIdentity: Sendable, Hashable {
  /// SHA-256 of the content.
  package var contentHash: [UInt8]
  package var anchor: String
  package var language: String

  package init(contentHash: [UInt8], anchor: String, language: String) {
    self.contentHash = contentHash
    self.anchor = anchor
    self.language = language
  }
}
