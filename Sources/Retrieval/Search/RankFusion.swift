package import Domain

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

  /// Whether the passage is close to the query: in meaning, or because it has all of its words. One
  /// that still waits for its vector is so by its words alone.
  package func isClose(minimumSimilarity: Double) -> Bool {
    hasAllWords || similarity.map { $0 >= minimumSimilarity } ?? false
  }
}

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): a candidate scores
/// `weight / (k + rank)` for each list that it is in.
package enum RankFusion {
  /// How little the first places differ. The paper's 60 is for many lists of which none is much better
  /// than the others; of two, it lets any first place by words lift a passage over the best by meaning.
  /// Measured (docs/evaluation.md): 5 loses nothing to either list alone.
  package static let k = 5.0
  /// What a place by words counts against one by meaning, where the passage has some of the words: it
  /// decides between passages that are about equally close.
  package static let wordWeight = 0.1
  /// The same where it has all of them: whoever types a heading or a name means just that.
  package static let allWordsWeight = 1.5

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
      for (index, candidate) in byWords.enumerated() {
        let weight = mode == .text ? 1 : candidate.hasAllWords ? allWordsWeight : wordWeight
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
