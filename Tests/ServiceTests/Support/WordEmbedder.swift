import Domain
import Synchronization

/// Texts that share words are close: each word is a direction of its own (nearly). Can be told to fail.
final class WordEmbedder: Embedder {
  static let dimensionCount = 64

  private struct State {
    var calls = 0
    var texts: [String] = []
    var error: EmbedderError?
    var refused: Set<String> = []
  }

  let model: EmbeddingModel
  private let state = Mutex(State())

  init(name: String = "words") {
    model = EmbeddingModel(
      name: name, dimensionCount: Self.dimensionCount, tokenCountMax: 512)
  }

  /// Every text that was embedded, in order.
  var embedded: [String] { state.withLock { $0.texts } }

  /// Every call fails from now on; nil lets them go well again.
  func fail(_ error: EmbedderError?) { state.withLock { $0.error = error } }

  /// A batch with this text is refused.
  func refuse(_ text: String) { state.withLock { _ = $0.refused.insert(text) } }

  var callCount: Int { state.withLock { $0.calls } }

  func embed(_ texts: [String]) async throws(EmbedderError) -> [TextEmbedding] {
    let error = state.withLock { state -> EmbedderError? in
      state.calls += 1
      if state.error == nil, state.refused.isDisjoint(with: texts) { state.texts += texts }
      return state.error
        ?? (state.refused.isDisjoint(with: texts) ? nil : .refused("not this text"))
    }
    if let error { throw error }
    return texts.map {
      TextEmbedding(vector: Self.vector(of: $0), isTruncated: $0.utf8.count > 2000)
    }
  }

  static func vector(of text: String) -> [Float] {
    var vector = [Float](repeating: 0, count: dimensionCount)
    for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
      // FNV-1a: the same in every process, unlike hashValue.
      let hash = word.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01b3
      }
      vector[Int(hash % UInt64(dimensionCount))] += 1
    }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length == 0 ? vector : vector.map { $0 / length }
  }
}
