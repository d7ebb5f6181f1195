import Domain

/// Removing what was kept long enough: at most `$2` rows that ended before `$1`, the oldest first; how
/// many there were. By functions of the owner, which remove nothing of the last day: the server itself
/// may remove nothing else from these tables.
enum RetentionStatements {
  typealias Purge = Query<Timestamp, Int64>

  static let tokens = purge("tokens")
  static let runs = purge("runs")
  static let usage = purge("usage")
  static let validations = purge("validations")
  static let audit = purge("audit")

  /// Removes the events from the position `$3` on, `$4`, for the lake `$1` and in the epoch `$2`, where
  /// they were made before `$5`; how many.
  static let events = Query<EntityID, Int64, Int64, [EntityID], Timestamp>(
    "retention.events", "SELECT hito_remove_events($1, $2, $3, $4, $5)")

  private static func purge(_ name: String) -> Purge {
    Purge("retention.\(name)", "SELECT hito_purge_\(name)($1, $2::integer)")
  }

  static let all: [any StatementSource] = [tokens, runs, usage, validations, audit, events]
}
