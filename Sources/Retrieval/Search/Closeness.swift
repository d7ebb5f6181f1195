package import Domain

/// Whether a scope has anything to say to a question, by all that was found: how similar the nearest
/// passage is, how similar those next to it are, the share of the question's words, by rarity, that the
/// best passage has; and against that, how similar the question is to `EverydaySentences`.
///
/// One similarity alone does not tell: on questions about documentation it is often low though the right
/// section is the nearest, and a short goal is somewhat similar to almost anything.
package struct Closeness: Sendable {
  /// How many of the nearest stand for the scope: chance makes one passage similar more easily than three.
  private static let sampleCount = 3
  private static let coverageWeight = 0.1
  private static let everydayWeight = 0.5
  /// What the questions of the calibration have of that on average, in thresholds.
  private static let usualEveryday = 3.0
  /// Of the model's similarity threshold, what a single passage must have once the scope is close.
  package static let floorShare = 0.5
  /// Or so much of the question's words.
  private static let coverageFloor = 0.5

  /// The similarity from which on the model's vectors mean something.
  private let threshold: Double

  /// How near the question is to what is about nothing here.
  private let everyday: Double

  /// - Parameter everyday: the nearness of the question to `EverydaySentences`; nil where it is not known.
  package init(threshold: Double, everyday: Double?) {
    self.threshold = threshold
    self.everyday = everyday ?? threshold * Self.usualEveryday
  }

  /// What the evidence must be, in thresholds: calibrated on questions that docs/evaluation.md does not report.
  static func factor(of kind: PassageKind) -> Double {
    switch kind {
    case .course: 0.42
    case .goal: 0.62
    case .codeSnapshot: 0.2
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
    guard let nearness = Self.nearness(of: found.byMeaning.lazy.compactMap(\.similarity)) else {
      return false
    }
    let coverage = ranked.first?.coverage ?? 0
    let evidence =
      nearness + Self.coverageWeight * coverage - Self.everydayWeight * everyday
    return evidence >= Self.factor(of: kind) * threshold
  }

  /// The greatest similarity and the mean of the greatest few, added; nil of none.
  ///
  /// - Parameter similarities: the greatest first.
  package static func nearness(of similarities: some Sequence<Double>) -> Double? {
    let nearest = Array(similarities.prefix(sampleCount))
    guard let top = nearest.first else { return nil }
    return top + nearest.reduce(0, +) / Double(nearest.count)
  }
}
