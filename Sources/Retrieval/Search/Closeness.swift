package import Domain

/// Whether a scope has anything to say to a question, by all that was found: how similar the nearest
/// passage is, how similar those next to it are, and the share of the question's words, by rarity, that the
/// best passage has.
///
/// One similarity alone does not tell: on questions about documentation it is often low though the right
/// section is the nearest, and a short goal is somewhat similar to almost anything.
package struct Closeness: Sendable {
  /// How many of the nearest stand for the scope: chance makes one passage similar more easily than three.
  private static let sampleCount = 3
  private static let coverageWeight = 0.1
  /// Of the model's similarity threshold, what a single passage must have once the scope is close.
  package static let floorShare = 0.5
  /// Or so much of the question's words.
  private static let coverageFloor = 0.5

  /// The similarity from which on the model's vectors mean something.
  private let threshold: Double

  package init(threshold: Double) { self.threshold = threshold }

  /// What the evidence must be, in thresholds: calibrated on questions that docs/evaluation.md does not report.
  static func factor(of kind: PassageKind) -> Double {
    switch kind {
    case .course: 1.92
    case .goal: 2.35
    case .codeSnapshot: 1.83
    }
  }

  /// Of one scope's candidates, in their order, what an answer may be made of.
  package func close(
    _ ranked: [RankedCandidate], _ found: Candidates, kind: PassageKind
  ) -> [RankedCandidate] {
    guard isClose(ranked, found, kind: kind) else { return ranked.filter(\.hasAllWords) }
    return ranked.filter {
      $0.isClose(minimumSimilarity: threshold * Self.floorShare)
        || $0.coverage >= Self.coverageFloor
    }
  }

  /// - Parameter ranked: those of the scope, best first.
  package func isClose(
    _ ranked: [RankedCandidate], _ found: Candidates, kind: PassageKind
  ) -> Bool {
    let nearest = found.byMeaning.lazy.compactMap(\.similarity).prefix(Self.sampleCount)
    guard let top = nearest.first else { return false }
    let mean = nearest.reduce(0, +) / Double(nearest.count)
    let coverage = ranked.first?.coverage ?? 0
    return top + mean + Self.coverageWeight * coverage >= Self.factor(of: kind) * threshold
  }
}
