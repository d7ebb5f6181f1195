package import Domain
import Synchronization

/// The embedders that this server has, and which of them made the vectors in use.
///
/// The active model is the database's to say; it is asked again after a while, and at once when
/// a search finds that it has changed.
package final class EmbeddingModels: Sendable {
  /// An embedder with how this server uses it.
  package struct Provider: Sendable {
    package var embedder: any Embedder
    /// In this process and quick: goals get their vector in the transaction that writes them.
    package var isImmediate: Bool
    /// What is less similar than this is not close, in this model's vectors.
    package var minimumSimilarity: Double

    package init(embedder: any Embedder, isImmediate: Bool, minimumSimilarity: Double) {
      self.embedder = embedder
      self.isImmediate = isImmediate
      self.minimumSimilarity = minimumSimilarity
    }
  }

  private struct State {
    var active: StoredModel?
    var until = ContinuousClock.now
  }

  private static let memoryTime = Duration.seconds(5)

  private let providers: [String: Provider]
  private let store: any EmbeddingStore
  private let state = Mutex(State())

  package init(providers: [Provider], store: any EmbeddingStore) {
    self.providers = Dictionary(providers.map { ($0.embedder.model.name, $0) }) { first, _ in first
    }
    self.store = store
  }

  func provider(of model: String) -> Provider? { providers[model] }

  /// The model of the vectors in use.
  func active() async throws(StoreError) -> StoredModel {
    let known = state.withLock { $0.until > .now ? $0.active : nil }
    if let known { return known }
    let active = try await store.models().active
    state.withLock { state in
      state.active = active
      state.until = .now + Self.memoryTime
    }
    return active
  }

  /// To be told when the active model turned out to be another one.
  func forget() { state.withLock { $0.active = nil } }
}
