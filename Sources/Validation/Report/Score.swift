package import Domain

/// A score by a policy: the weighted share of tests that passed, and what lint leaves.
package enum Score {
  /// What one finding of lint takes away of lint's share.
  private static let costs: [DiagnosticLevel: Double] = [.error: 0.2, .warning: 0.1, .note: 0.02]

  /// 0 to 1. Without tests lint alone makes the score.
  package static func value(
    tests: [TestOutcome], lint: [Diagnostic], policy: ScorePolicy
  ) -> Double {
    let share = min(max(policy.testShare, 0), 1)
    let lintScore = lintScore(lint, ignoring: Set(policy.ignoredRules))
    let weights = tests.reduce(0) { $0 + max($1.weight, 0) }
    guard weights > 0 else { return lintScore }
    let passed = tests.reduce(0) { $1.isPassed ? $0 + max($1.weight, 0) : $0 }
    return share * (passed / weights) + (1 - share) * lintScore
  }

  private static func lintScore(_ lint: [Diagnostic], ignoring rules: Set<String>) -> Double {
    let cost = lint.lazy.filter { !rules.contains($0.ruleID) }
      .reduce(0) { $0 + (costs[$1.level] ?? 0) }
    return max(0, 1 - cost)
  }
}

extension TestOutcome {
  /// A flaky test says nothing of the code, and so has not passed.
  var isPassed: Bool { status == .pass && !isFlaky }
}
