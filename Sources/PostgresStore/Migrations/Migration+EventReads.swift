extension Migration {
  /// Reads of a part of the log cost what they return: each property that can lead to events has an
  /// index in the order of positions.
  ///
  /// They are built while servers write, one after the other. What an interrupted one left behind is
  /// invalid, and is dropped first.
  static let eventReads = Migration(
    version: 20, name: "reads of a part of the log",
    preparation: EventReadIndex.allCases.flatMap { index in
      [
        Migration.Preparation.once("DROP INDEX IF EXISTS \(index.name)"),
        .once("CREATE INDEX CONCURRENTLY \(index.name) ON event_positions \(index.columns)"),
      ]
    },
    // Nothing is left to do.
    up: "SELECT",
    down: .sql(EventReadIndex.allCases.map { "DROP INDEX \($0.name)" }.joined(separator: "; ")))

  private enum EventReadIndex: String, CaseIterable {
    case user, goal, task, course, type

    var name: String { "event_positions_\(rawValue)" }

    /// Most events have no course, and many no task or goal.
    var columns: String {
      switch self {
      case .user, .goal, .task, .course:
        "(\(rawValue)_id, position) WHERE \(rawValue)_id IS NOT NULL"
      case .type: "(event_type, position)"
      }
    }
  }
}
