import Domain

/// The log's identity and its epochs. Two that begin the next epoch at once take the same number: the
/// second one does nothing.
enum EpochStatements {
  /// A row for each epoch, in order.
  static let history = Statement(
    "epochs.history",
    "SELECT l.id, e.id, e.began_after FROM log_epochs e, log_identity l ORDER BY e.number")

  private static func begin(
    after position: String, reason: String, detail: String, where condition: String
  ) -> String {
    """
    INSERT INTO log_epochs (
      number, id, began_after, reason, detail, system_id, timeline, database_id)
    SELECT e.number + 1, floor(random() * 4294967296)::bigint, \(position), '\(reason)',
      \(detail), p.system_id, p.timeline, p.database_id
    FROM (SELECT * FROM log_epochs ORDER BY number DESC LIMIT 1) e, hito_place() p,
      (SELECT coalesce(max(position), 0) AS last FROM event_positions) log
    WHERE \(condition)
    ON CONFLICT DO NOTHING
    """
  }

  /// Begins an epoch where the database is not the one in which the current epoch began: before the
  /// first position that is given there.
  static let settle = Statement(
    "epochs.settle",
    begin(
      after: "log.last", reason: "database",
      detail: """
        CASE WHEN (e.system_id, e.database_id) IS DISTINCT FROM (p.system_id, p.database_id)
          THEN 'the database is a copy of the one before'
          ELSE 'timeline ' || p.timeline || ' after ' || e.timeline END
        """,
      where: """
        (e.system_id, e.timeline, e.database_id)
          IS DISTINCT FROM (p.system_id, p.timeline, p.database_id)
        """))

  /// What has left for the lake is certainly shared: it was compared when it left.
  ///
  /// `$1` the epoch that is current to the witness, `$2` a position that was given in it, `$3` up to
  /// where nothing is lost, `$4` who says so.
  static let lose = Query<Int64, Int64, Int64, String>(
    "epochs.lose",
    begin(
      after: "greatest(e.began_after, (SELECT position FROM event_floor), least(log.last, $3))",
      reason: "loss", detail: "$4",
      where: "e.id = $1 AND $2 > e.began_after AND ($2 > log.last OR $3 < $2)"))

  /// `$1` why.
  static let operate = Query<String>(
    "epochs.operate", begin(after: "log.last", reason: "operator", detail: "$1", where: "true"))

  static let all: [any StatementSource] = [history, settle, lose, operate]
}
