import Domain

/// Statements that say how far down a list of everybody's looks for one page.
enum FloorStatement {
  /// From and before these times, so many rows.
  typealias Range = Parameters<Timestamp, Timestamp, Int64>

  /// The time of the first row after `$3` of those from `$1` and before `$2`, the newest first.
  static func text(_ table: String, where condition: String = "true") -> String {
    """
    SELECT r.created_at FROM \(table) r
    WHERE \(condition) AND r.created_at >= $1 AND r.created_at < $2
    ORDER BY r.created_at DESC, r.id DESC OFFSET $3 LIMIT 1
    """
  }
}
