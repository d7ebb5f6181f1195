/// What a search goes by.
package enum SearchMode: String, Sendable, Hashable, CaseIterable {
  case hybrid, vector, text
}

/// A candidate with its place both ways.
package struct RankedCandidate: Sendable, Hashable {
  package var key: PassageKey
  package var similarity: Double?
  package var score: Double
  /// From 1; 0 where it was not found so.
  package var vectorRank: Int
  /// From 1; 0 where it was not found so.
  package var textRank: Int
  package var hasAllWords: Bool

  /// Whether the passage is close to the query: in meaning, or because it has all of its words.
  package func isClose(minimumSimilarity: Double) -> Bool {
    hasAllWords || similarity.map { $0 >= minimumSimilarity } ?? (vectorRank == 0)
  }
}

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): a candidate scores
/// `weight / (k + rank)` for each list that it is in.
package enum RankFusion {
  /// The constant of the paper: how little the first places differ.
  package static let k = 60.0
  /// What a place by words counts against one by meaning. Measured: the same weight puts what only
  /// shares words before what means the same (docs/benchmarks.md, `make eval`).
  package static let wordWeight = 0.3

  /// Candidates of one or more scopes in one order, best first; ties by key, so that the same
  /// search gives the same order.
  package static func fuse(_ found: [Candidates], mode: SearchMode) -> [RankedCandidate] {
    let byMeaning = found.flatMap(\.byMeaning).sorted {
      order(($0.similarity ?? -1, $0.key), ($1.similarity ?? -1, $1.key))
    }
    let byWords = found.flatMap(\.byWords).sorted {
      order(($0.wordScore, $0.key), ($1.wordScore, $1.key))
    }
    var ranked: [PassageKey: RankedCandidate] = [:]
    func note(_ candidate: Candidate, _ change: (inout RankedCandidate) -> Void) {
      var entry =
        ranked[candidate.key]
        ?? RankedCandidate(
          key: candidate.key, similarity: nil, score: 0, vectorRank: 0, textRank: 0,
          hasAllWords: false)
      entry.similarity = entry.similarity ?? candidate.similarity
      entry.hasAllWords = entry.hasAllWords || candidate.hasAllWords
      change(&entry)
      ranked[candidate.key] = entry
    }
    if mode != .text {
      for (index, candidate) in byMeaning.enumerated() {
        note(candidate) { entry in
          entry.vectorRank = index + 1
          entry.score += 1 / (k + Double(index + 1))
        }
      }
    }
    if mode != .vector {
      let weight = mode == .hybrid ? wordWeight : 1
      for (index, candidate) in byWords.enumerated() {
        note(candidate) { entry in
          entry.textRank = index + 1
          entry.score += weight / (k + Double(index + 1))
        }
      }
    }
    return ranked.values.sorted { order(($0.score, $0.key), ($1.score, $1.key)) }
  }

  private static func order(
    _ left: (score: Double, key: PassageKey), _ right: (score: Double, key: PassageKey)
  ) -> Bool {
    if left.score != right.score { return left.score > right.score }
    let (a, b) = (left.key, right.key)
    return (a.kind.rawValue, a.entityID, a.chunkNumber) < (
      b.kind.rawValue, b.entityID, b.chunkNumber
    )
  }
}
