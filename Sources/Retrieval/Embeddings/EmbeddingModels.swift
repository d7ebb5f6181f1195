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
  /// By model: the vectors of `EverydaySentences`, made when they are first wanted.
  private let everyday = Mutex<[String: Everyday]>([:])

  private enum Everyday {
    case making(Task<[[Float]]?, Never>)
    case made([[Float]])
  }

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

  /// How similar a question's vector is to what has nothing to do with learning, the greatest first; nil
  /// while that is not known: no search waits for a provider elsewhere, nor fails with it.
  func everydaySimilarities(of vector: [Float], _ provider: Provider) async -> [Double]? {
    let vectors: [[Float]]?
    switch everyday(of: provider.embedder) {
    case .made(let made): vectors = made
    case .making(let task): vectors = provider.isImmediate ? await task.value : nil
    }
    return vectors?.map { Double(Self.product($0, vector)) }.sorted(by: >)
  }

  /// Eight sums side by side: every search makes a hundred of these.
  private static func product(_ a: [Float], _ b: [Float]) -> Float {
    a.withUnsafeBytes { a in
      b.withUnsafeBytes { b in
        var sums = SIMD8<Float>()
        let size = MemoryLayout<SIMD8<Float>>.size
        let whole = min(a.count, b.count) / size * size
        for offset in stride(from: 0, to: whole, by: size) {
          sums +=
            a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            * b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
        }
        var sum = sums.sum()
        for offset in stride(from: whole, to: min(a.count, b.count), by: MemoryLayout<Float>.size) {
          sum +=
            a.loadUnaligned(fromByteOffset: offset, as: Float.self)
            * b.loadUnaligned(fromByteOffset: offset, as: Float.self)
        }
        return sum
      }
    }
  }

  private func everyday(of embedder: any Embedder) -> Everyday {
    let name = embedder.model.name
    return everyday.withLock { known in
      if let everyday = known[name] { return everyday }
      // Nobody's in particular: it must not end with the search that is the first to want it.
      let task = Task.detached {
        let made = try? await embedder.embed(EverydaySentences.all).map(\.vector)
        // Where it failed the next search tries again.
        self.everyday.withLock { $0[name] = made.map { .made($0) } }
        return made
      }
      known[name] = .making(task)
      return .making(task)
    }
  }

  /// To be told when the active model turned out to be another one.
  func forget() { state.withLock { $0.active = nil } }
}
