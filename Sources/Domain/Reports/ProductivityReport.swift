/// The name of a day of the week as reports give it (English, as pandas' `day_name()`).
package enum Weekday: Int, Sendable, Hashable, CaseIterable {
  case monday
  case tuesday
  case wednesday
  case thursday
  case friday
  case saturday
  case sunday

  package var name: String {
    switch self {
    case .monday: "Monday"
    case .tuesday: "Tuesday"
    case .wednesday: "Wednesday"
    case .thursday: "Thursday"
    case .friday: "Friday"
    case .saturday: "Saturday"
    case .sunday: "Sunday"
    }
  }
}

/// What a learner did in a period: the numbers of `analyze_user_productivity` in design-notes.md.
///
/// The edge cases and how they relate to that function are in docs/reports.md.
package struct ProductivityReport: Sendable, Hashable {
  package var totalEvents: Int64
  package var goalsCreated: Int64
  package var goalsCompleted: Int64
  package var tasksCompleted: Int64
  package var codeValidated: Int64
  /// Mean score of the validated code that has one; nil where none has.
  package var averageValidationScore: Double?
  /// The UTC weekday with most events; of equals the alphabetically first; nil without events.
  package var mostActiveDay: Weekday?
  package var eventsByType: [String: Int64]
}

/// The half-open period `from ..< to` of a report, in UTC.
package struct ReportPeriod: Sendable, Hashable {
  package var from: Timestamp
  /// Exclusive; nil: no end, as in design-notes.md.
  package var to: Timestamp?

  package init(from: Timestamp, to: Timestamp? = nil) {
    self.from = from
    self.to = to
  }

  /// The last `days` times 24 hours before `now`, without an end: events may carry a clock that is
  /// ahead of ours, and the function of design-notes.md counts those too.
  package init(lastDays days: Int32, before now: Timestamp) {
    self.init(from: now.advanced(by: .seconds(-86_400 * Int64(days))))
  }

  package func contains(_ moment: Timestamp) -> Bool {
    guard moment >= from else { return false }
    guard let to else { return true }
    return moment < to
  }
}
