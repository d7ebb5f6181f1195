import Domain

/// What is no event and is to be known later, and the seals over both.
enum AuditStatements {
  /// Before entries are appended, in the same unit: so that numbers have no gaps, and none comes after a
  /// higher one.
  static let lock = Statement(
    "audit.lock", "SELECT pg_advisory_xact_lock(\(AdvisoryLockKey.audit.rawValue))")

  static let append = Query<Listed<AuditRow>>(
    "audit.append",
    """
    INSERT INTO audit_entries (number, \(AuditRow.names))
    SELECT (SELECT coalesce(max(number), 0) FROM audit_entries) + n.place, \(AuditRow.elements)
    FROM unnest(\(AuditRow.arrays)) WITH ORDINALITY AS n (\(AuditRow.names), place)
    ORDER BY n.place
    """)

  typealias Bounds = Parameters<AccessScope, Int64, Int64, [String], Timestamp, Timestamp>

  /// `$3` before this number, `$4` limit, `$5` kinds or none for all, `$6` from, `$7` until; then of whom.
  private static let wanted = """
    SELECT \(AuditRow.columns) FROM audit_entries a
    WHERE a.number < $3 AND (cardinality($5) = 0 OR a.kind = ANY ($5))
      AND a.last_at >= $6 AND a.first_at < $7
      AND ($1 OR a.subject_id = $2 OR a.actor_id = $2)
    """
  /// Asked for by whose it was: where that is not told (`AuditEntry.hidesSubject`), nothing is found.
  private static let isShown = """
    AND ($1 OR a.subject_id = $2 OR a.reason <> '\(AuditEntry.exampleReason)')
    """
  private static let newestFirst = "ORDER BY a.number DESC LIMIT $4"

  static let all = Query<Bounds>("audit.list", "\(wanted) \(newestFirst)")
  static let byActor = Query<Bounds, EntityID>(
    "audit.list_by_actor", "\(wanted) AND a.actor_id = $8 \(newestFirst)")
  static let bySubject = Query<Bounds, EntityID>(
    "audit.list_by_subject", "\(wanted) AND a.subject_id = $8 \(isShown) \(newestFirst)")
  static let byBoth = Query<Bounds, EntityID, EntityID>(
    "audit.list_by_both",
    "\(wanted) AND a.actor_id = $8 AND a.subject_id = $9 \(isShown) \(newestFirst)")

  /// Of one's own: `$8` the caller, by both indexes.
  static let ofCaller = Query<Bounds, EntityID>(
    "audit.list_of_caller",
    """
    SELECT * FROM (
      (\(wanted) AND a.actor_id = $8 \(newestFirst))
      UNION
      (\(wanted) AND a.subject_id = $8 \(newestFirst))) a
    \(newestFirst)
    """)

  /// `$1` after this number, `$2` limit.
  static let after = Query<Int64, Int64>(
    "audit.after",
    """
    SELECT \(AuditRow.columns) FROM audit_entries a WHERE a.number > $1
    ORDER BY a.number LIMIT $2
    """)

  static let removed = Statement(
    "audit.removed",
    """
    SELECT coalesce(max(a.count), 0) FROM audit_entries a
    WHERE a.kind = '\(AuditEntry.Kind.notice.rawValue)' AND a.method = '\(AuditEntry.removalMethod)'
    """)

  static let lastSeal = Statement(
    "seals.last", "SELECT \(SealRow.columns) FROM log_seals s ORDER BY s.number DESC LIMIT 1")

  /// `$1` after this number, `$2` limit.
  static let sealsAfter = Query<Int64, Int64>(
    "seals.after",
    "SELECT \(SealRow.columns) FROM log_seals s WHERE s.number > $1 ORDER BY s.number LIMIT $2")

  static let insertSeal = Query<Inserted<SealRow>>(
    "seals.insert", "\(SealRow.insert) ON CONFLICT (number) DO NOTHING RETURNING number")

  /// An event that the sequencer has written off and that has no position.
  static let stray = Statement(
    "audit.stray",
    """
    SELECT e.id FROM events e LEFT JOIN event_positions p ON p.seq = e.seq CROSS JOIN event_low_mark m
    WHERE p.seq IS NULL AND e.seq <= coalesce(m.high, m.low) AND NOT e.seq <@ m.holes
    ORDER BY e.seq LIMIT 1
    """)

  static let statements: [any StatementSource] = [
    lock, append, all, byActor, bySubject, byBoth, ofCaller, after, removed, lastSeal, sealsAfter,
    insertSeal, stray,
  ]
}
