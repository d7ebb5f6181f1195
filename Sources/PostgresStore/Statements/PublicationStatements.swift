import Domain

/// Who publishes the log to a broker, and how far.
enum PublicationStatements {
  private static let epoch = "(SELECT h.id FROM log_epochs h ORDER BY h.number DESC LIMIT 1)"

  /// Takes the lease `$1` for `$2` and `$3` microseconds, where it has ended or is the owner's own.
  static let acquire = Query<String, EntityID, Int64>(
    "publication.acquire",
    """
    INSERT INTO event_publications AS p (name, owner, generation, expires_at)
    VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 microsecond')
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, generation = p.generation + 1,
      expires_at = excluded.expires_at
    WHERE p.expires_at < clock_timestamp() OR p.owner = excluded.owner
    RETURNING p.generation, p.position, \(epoch)
    """)

  /// `$1` to `$3` are the lease, `$4` its epoch, `$5` the position, `$6` microseconds, then the status.
  ///
  /// A database that lost its last commits has given none of its positions anew before it has another
  /// epoch: one that is not there yet is of what was lost.
  static let advance = Query<
    String, EntityID, Int64, Int64, Int64, Int64, String, Timestamp, Int64, String
  >(
    "publication.advance",
    """
    UPDATE event_publications SET position = greatest(position, $5),
      expires_at = clock_timestamp() + $6 * interval '1 microsecond', condition = $7,
      condition_since = $8, unconfirmed = $9, last_error = $10
    WHERE name = $1 AND owner = $2 AND generation = $3 AND \(epoch) = $4
      AND $5 <= (SELECT coalesce(max(e.position), 0) FROM event_positions e)
    RETURNING position
    """)

  static let release = Query<String, EntityID, Int64>(
    "publication.release",
    """
    UPDATE event_publications SET expires_at = '-infinity'
    WHERE name = $1 AND owner = $2 AND generation = $3
    RETURNING position
    """)

  static let publication = Query<String>(
    "publication.get",
    """
    SELECT position, condition, condition_since, unconfirmed, last_error
    FROM event_publications WHERE name = $1
    """)

  static let all: [any StatementSource] = [acquire, advance, release, publication]
}
