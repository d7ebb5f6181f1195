package import Domain

/// An embedder under the name of another model, whose vectors are nearly its own.
package struct StandInEmbedder: Embedder {
  package let model: EmbeddingModel
  private let embedder: any Embedder

  package init(_ embedder: any Embedder, named name: String) {
    self.embedder = embedder
    var model = embedder.model
    model.name = name
    self.model = model
  }

  package func embed(_ texts: [String]) async throws(EmbedderError) -> [TextEmbedding] {
    try await embedder.embed(texts)
  }
}
