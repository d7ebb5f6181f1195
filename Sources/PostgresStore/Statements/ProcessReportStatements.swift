import Domain

/// What processes say of their pipelines.
enum ProcessReportStatements {
  /// For how long it is remembered what a process said that says nothing more.
  private static let lifetime = "interval '10 minutes'"

  typealias Report = Query<
    EntityID, String, String, Int64, Int64, String, String, String?, Timestamp?, Int64
  >

  static let report = Report(
    "process_reports.report",
    """
    INSERT INTO process_reports AS r (process_id, process, pipeline, position, waiting, detail,
      last_error, condition, condition_since, unconfirmed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (process_id, pipeline) DO UPDATE SET position = excluded.position,
      waiting = excluded.waiting, detail = excluded.detail, last_error = excluded.last_error,
      condition = excluded.condition, condition_since = excluded.condition_since,
      unconfirmed = excluded.unconfirmed, reported_at = clock_timestamp()
    """)

  static let forget = Statement(
    "process_reports.forget",
    "DELETE FROM process_reports WHERE reported_at < clock_timestamp() - \(lifetime)")

  static let withdraw = Query<EntityID>(
    "process_reports.withdraw", "DELETE FROM process_reports WHERE process_id = $1")

  /// The newest of so many: those that say something now are not hidden by any number that died.
  static let others = Query<EntityID>(
    "process_reports.others",
    """
    SELECT process, pipeline, position, waiting, detail, condition, condition_since, unconfirmed,
      last_error, (extract(epoch FROM clock_timestamp() - reported_at) * 1000000)::bigint
    FROM (
      SELECT * FROM process_reports
      WHERE process_id <> $1 AND reported_at >= clock_timestamp() - \(lifetime)
      ORDER BY reported_at DESC LIMIT 200) r
    ORDER BY process, pipeline, process_id
    """)

  static let all: [any StatementSource] = [report, forget, withdraw, others]
}
