/// The model that made a vector. Vectors of different models must never be compared.
package struct EmbeddingModel: Sendable, Hashable {
  /// As it is stored beside each vector.
  package var name: String
  /// How many numbers its vectors have.
  package var dimensionCount: Int
  /// How much of a text it reads, in its own tokens.
  package var tokenCountMax: Int

  package init(name: String, dimensionCount: Int, tokenCountMax: Int) {
    self.name = name
    self.dimensionCount = dimensionCount
    self.tokenCountMax = tokenCountMax
  }
}

/// The meaning of one text as a vector of length 1.
package struct TextEmbedding: Sendable, Hashable {
  package var vector: [Float]
  /// The text continued after what the model reads, and the vector tells nothing about that part.
  package var isTruncated: Bool

  package init(vector: [Float], isTruncated: Bool) {
    self.vector = vector
    self.isTruncated = isTruncated
  }
}

/// Why texts were not embedded. Embedding changes nothing, so every repeat is safe.
package enum EmbedderError: Error, Sendable, Hashable {
  /// Not now; a repeat may succeed. The text is for the log.
  case unavailable(String)
  /// The provider is there and does not take these texts: others may fare better. The text is for the
  /// log.
  case refused(String)
  /// The provider failed, and that may be for one of these texts: others, or fewer, may fare better.
  /// The text is for the log.
  case failed(String)
  /// Too many calls wait already.
  case overloaded
  /// More texts than one call may bring: a repeat fails as well.
  case tooManyTexts(maximum: Int)
  /// The caller went away first.
  case cancelled
}

/// Turns texts into vectors. What was embedded before, and whether a text has changed since, is
/// the caller's concern.
package protocol Embedder: Sendable {
  var model: EmbeddingModel { get }

  /// One embedding per text, in the order of the texts. Every text is taken as it comes, empty ones
  /// too; one that is longer than the model's limit is cut there, and its embedding says so.
  func embed(_ texts: [String]) async throws(EmbedderError) -> [TextEmbedding]
}
