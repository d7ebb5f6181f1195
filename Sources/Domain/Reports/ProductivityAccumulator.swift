package import JSON

/// Builds a `ProductivityReport` from events in any order.
///
/// The caller gives each event once, already filtered by learner and period: the lake and the tail
/// of the log are both fed into the same accumulator.
package struct ProductivityAccumulator: Sendable {
  private var eventsByType: [String: Int64] = [:]
  private var eventsByWeekday = [Int64](repeating: 0, count: 7)
  private var scoreSum = 0.0
  /// What rounding took from `scoreSum` so far (Neumaier): the mean does not depend on the order.
  private var scoreLost = 0.0
  private var scoreCount: Int64 = 0

  package init() {}

  /// Counts one event. A score that is NaN counts as none, as in pandas' `mean()`.
  package mutating func add(type: String, createdAt: Timestamp, validationScore: Double?) {
    eventsByType[type, default: 0] += 1
    eventsByWeekday[CivilTime(createdAt).weekday] += 1
    guard type == "code.validated", let score = validationScore, !score.isNaN else { return }
    let sum = scoreSum + score
    if sum.isFinite {
      scoreLost +=
        abs(scoreSum) >= abs(score) ? (scoreSum - sum) + score : (score - sum) + scoreSum
    }
    scoreSum = sum
    scoreCount += 1
  }

  /// Counts an event of the log itself.
  package mutating func add(_ event: StoredEvent) {
    add(
      type: event.type, createdAt: event.createdAt,
      validationScore: event.type == "code.validated"
        ? ValidationScore.of(payload: event.payload) : nil)
  }

  package var report: ProductivityReport {
    let total = eventsByWeekday.reduce(0, +)
    let mean = scoreSum.isFinite ? (scoreSum + scoreLost) / Double(scoreCount) : scoreSum
    return ProductivityReport(
      totalEvents: total,
      goalsCreated: eventsByType["goal.created", default: 0],
      goalsCompleted: eventsByType["goal.completed", default: 0],
      tasksCompleted: eventsByType["task.completed", default: 0],
      codeValidated: eventsByType["code.validated", default: 0],
      averageValidationScore: scoreCount > 0 ? mean : nil,
      mostActiveDay: mostActiveDay,
      eventsByType: eventsByType)
  }

  /// pandas sorts the groups by name and `idxmax` takes the first of equals.
  private var mostActiveDay: Weekday? {
    var best: Weekday?
    for day in Weekday.allCases.sorted(by: { $0.name < $1.name }) {
      let count = eventsByWeekday[day.rawValue]
      if count > (best.map { eventsByWeekday[$0.rawValue] } ?? 0) { best = day }
    }
    return best
  }
}

/// Where an event carries the score of a validation.
package enum ValidationScore {
  /// The member of the payload; `score` is what events of other systems call it.
  package static let names: [String] = ["validation_score", "score"]
  private static let wanted = Set(names)

  package static func of(payload: SealedJSON) -> Double? {
    of(payload.clearFields(wanted))
  }

  package static func of(_ fields: JSONFields) -> Double? {
    for name in names {
      if case .number(let score) = fields[name] { return score.double }
    }
    return nil
  }
}
