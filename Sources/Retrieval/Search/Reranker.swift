import Domain

/// Orders the best results once more by their closest part: a long passage about many things can hold
/// the very sentence that was asked for, and its one vector says little of it.
struct Reranker: Sendable {
  /// How many results are looked at once more.
  static let depth = 20
  private static let partMax = 8
  private static let partScalarMax = 300

  let embedder: any Embedder

  /// The same results in the new order; as they were where no vectors can be made.
  func reranked(_ hits: [RetrievedPassage], by query: [Float]) async -> [RetrievedPassage] {
    let head = Array(hits.prefix(Self.depth))
    let parts = head.map { Self.parts(of: $0.passage.content) }
    let texts = parts.flatMap { $0 }
    guard !texts.isEmpty, let vectors = try? await embedder.embed(texts) else { return hits }
    var next = 0
    var scored: [(hit: RetrievedPassage, score: Double)] = []
    for (hit, parts) in zip(head, parts) {
      let own = vectors[next..<next + parts.count]
      next += parts.count
      let best = own.map { Self.cosine($0.vector, query) }.max() ?? -1
      let whole = hit.similarity ?? best
      scored.append((hit, (whole + max(best, whole)) / 2))
    }
    // Stable: results that score the same stay as they were.
    let order = scored.indices.sorted {
      (-scored[$0].score, $0) < (-scored[$1].score, $1)
    }
    return order.map { index in
      var hit = scored[index].hit
      hit.score = scored[index].score
      return hit
    } + hits.dropFirst(Self.depth)
  }

  /// Lines and sentences, put together up to the size of a part.
  static func parts(of content: String) -> [String] {
    var parts: [String] = []
    var part = String.UnicodeScalarView()
    var count = 0
    func close() {
      let text = String(part)
      if text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) { parts.append(text) }
      part = String.UnicodeScalarView()
      count = 0
    }
    for scalar in content.unicodeScalars {
      if parts.count == partMax { return parts }
      part.append(scalar)
      count += 1
      let ends = scalar == "\n" || scalar == "." || scalar == "?" || scalar == "!"
      if count >= partScalarMax || ends && count >= partScalarMax / 3 { close() }
    }
    close()
    return Array(parts.prefix(partMax))
  }

  private static func cosine(_ left: [Float], _ right: [Float]) -> Double {
    guard left.count == right.count else { return -1 }
    var sum: Float = 0
    for index in left.indices { sum += left[index] * right[index] }
    return Double(sum)
  }
}
