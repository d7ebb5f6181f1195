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
  /// The share of the query's words that the passage has, by their rarity.
  package var coverage: Double
  /// What the words gave of the score; the rest is the similarity's.
  package var wordPart = 0.0

  /// Whether the passage is close to the query: in meaning, or because it has all of its words. One
  /// that still waits for its vector is so by its words alone.
  package func isClose(minimumSimilarity: Double) -> Bool {
    hasAllWords || similarity.map { $0 >= minimumSimilarity } ?? false
  }
}

/// One order of what was found both ways: the similarity, and a share of how well the words match.
///
/// Fusing places instead (reciprocal ranks) was measured against (ADR 0035): the first by words of a
/// question that shares nothing but common words with anything is then as good as one that has them all.
package enum RankFusion {
  /// What a perfect match of words counts against a similarity of 1, where the passage has some of them.
  package static let wordWeight = 0.35
  /// The same of goals: those who say the same of a goal rarely use the same words, and what they share
  /// ("learn", "improve") says nothing.
  package static let goalWordWeight = 0.1
  /// The same where it has all of them: whoever types a heading or a name means just that.
  package static let allWordsWeight = 2.0

  /// Candidates of one or more scopes in one order, best first; ties by key, so that the same
  /// search gives the same order.
  package static func fuse(_ found: [Candidates], mode: SearchMode) -> [RankedCandidate] {
    var ranked: [PassageKey: RankedCandidate] = [:]
    func note(_ candidate: Candidate, _ change: (inout RankedCandidate) -> Void) {
      var entry =
        ranked[candidate.key]
        ?? RankedCandidate(
          key: candidate.key, similarity: nil, score: 0, vectorRank: 0, textRank: 0,
          hasAllWords: false, coverage: 0)
      entry.similarity = entry.similarity ?? candidate.similarity
      entry.hasAllWords = entry.hasAllWords || candidate.hasAllWords
      entry.coverage = max(entry.coverage, candidate.coverage)
      change(&entry)
      ranked[candidate.key] = entry
    }
    var hasVectors = false
    if mode != .text {
      let byMeaning = found.flatMap(\.byMeaning).sorted {
        order(($0.similarity ?? -1, $0.key), ($1.similarity ?? -1, $1.key))
      }
      for (index, candidate) in byMeaning.enumerated() {
        hasVectors = true
        note(candidate) { $0.vectorRank = index + 1 }
      }
    }
    var matches: [PassageKey: Double] = [:]
    if mode != .vector {
      for (index, match) in wordMatches(found).enumerated() {
        matches[match.candidate.key] = match.share
        note(match.candidate) { $0.textRank = index + 1 }
      }
    }
    return ranked.values.map { candidate in
      var candidate = candidate
      let match = matches[candidate.key] ?? 0
      if hasVectors {
        let someWeight = candidate.key.kind == .goal ? goalWordWeight : wordWeight
        let weight = candidate.hasAllWords ? allWordsWeight : someWeight
        candidate.wordPart = mode == .hybrid ? weight * match : 0
        candidate.score = (candidate.similarity ?? 0) + candidate.wordPart
      } else {
        candidate.wordPart = match
        candidate.score = match
      }
      return candidate
    }.sorted { order(($0.score, $0.key), ($1.score, $1.key)) }
  }

  /// What was found by words, best first, with how well it matches: scores are of their scope, and the
  /// best of a scope matches as well as the best of its passages covers the question.
  private static func wordMatches(
    _ found: [Candidates]
  ) -> [(candidate: Candidate, share: Double)] {
    found.flatMap { scope in
      let best = scope.byWords.map(\.wordScore).max() ?? 0
      // A question of small words only covers nothing, but is all there is.
      let coverage = max(scope.byWords.map(\.coverage).max() ?? 0, 0.01)
      return scope.byWords.map { candidate in
        (candidate, best > 0 ? candidate.wordScore / best * coverage : 0)
      }
    }.sorted { order(($0.1, $0.0.key), ($1.1, $1.0.key)) }
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
