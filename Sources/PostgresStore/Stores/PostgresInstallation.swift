package import Domain

/// What the servers of one installation share.
package enum PostgresInstallation {
  /// 32 random bytes that were made with the database, and go where it goes; on a connection of its
  /// own.
  package static func secret(_ settings: ConnectionSettings) async throws -> [UInt8] {
    let session = try await ScriptSession(settings)
    let rows = try await session.run("SELECT encode(secret, 'hex') FROM installation")
    guard let text = rows.first?.first ?? nil, let secret = bytes(hexadecimal: text) else {
      throw StoreError.corrupt("the installation has no secret")
    }
    return secret
  }

  /// The history of the log, on a connection of its own.
  package static func history(_ settings: ConnectionSettings) async throws -> LogHistory {
    let session = try await ScriptSession(settings)
    let rows = try await session.run(EpochStatements.history.text)
    let epochs = rows.compactMap { row -> LogEpoch? in
      guard row.count == 3, let id = row[1].flatMap({ UInt32($0) }),
        let beganAfter = row[2].flatMap({ Int64($0) })
      else { return nil }
      return LogEpoch(id: id, beganAfter: beganAfter)
    }
    guard let logID = rows.first?.first.flatMap({ $0.flatMap { EntityID($0) } }),
      let history = LogHistory(logID: logID, epochs: epochs)
    else { throw StoreError.corrupt("the log has no identity, or no epoch") }
    return history
  }

  /// The floor of the log, on a connection of its own.
  package static func floor(_ settings: ConnectionSettings) async throws -> LogFloor {
    let session = try await ScriptSession(settings)
    let rows = try await session.run(
      """
      SELECT position, event_id, (extract(epoch FROM created_until) * 1000000)::bigint, highest_id,
        archive_id
      FROM event_floor
      """)
    guard let row = rows.first, row.count == 5, let position = row[0].flatMap({ Int64($0) })
    else { throw StoreError.corrupt("the log has no floor") }
    guard position > 0 else { return .none }
    return LogFloor(
      position: position, eventID: row[1].flatMap { EntityID($0) },
      createdUntil: row[2].flatMap { Int64($0) }.map(Timestamp.init(microsecondsSinceEpoch:)),
      highestID: row[3].flatMap { EntityID($0) }, archiveID: row[4].flatMap { EntityID($0) })
  }

  /// What of the log is where, for people.
  package struct LogPlaces: Sendable, Hashable {
    package let head: String
    package let floor: String
    /// When the floor was moved last; empty where it never was.
    package let movedAt: String
    /// The lake that has what is below the floor; empty where none has.
    package let lakeID: String
    /// Events with a position that the database has.
    package let storedCount: String
  }

  /// What of the log has left the database; on a connection of its own.
  package static func places(_ settings: ConnectionSettings) async throws -> LogPlaces {
    let session = try await ScriptSession(settings)
    let rows = try await session.run(
      """
      SELECT p.head, f.position, to_char(f.moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
          || ' UTC', f.archive_id, p.head - f.position
      FROM event_floor f, (SELECT coalesce(max(position), 0) AS head FROM event_positions) p
      """)
    let texts = (rows.first ?? []).map { $0 ?? "" } + ["", "", "", "", ""]
    return LogPlaces(
      head: texts[0], floor: texts[1], movedAt: texts[2], lakeID: texts[3], storedCount: texts[4])
  }

  /// Lets the server of another lake remove events; as the owner of the tables. Whether that lake has
  /// what has left already is looked at before it does.
  package static func releaseFloor(_ settings: ConnectionSettings) async throws {
    let session = try await ScriptSession(settings)
    try await session.run("UPDATE event_floor SET archive_id = NULL")
  }

  /// A time zone that users are in.
  package struct StoredTimeZone: Sendable, Hashable {
    package let name: String
    package let userCount: String
    /// One of them.
    package let userID: String
  }

  /// All of them, the most used first; as the owner of the tables.
  package static func timeZones(
    _ settings: ConnectionSettings
  ) async throws -> [StoredTimeZone] {
    let session = try await ScriptSession(settings)
    let rows = try await session.run(
      """
      SELECT time_zone, count(*), min(id::text) FROM users GROUP BY time_zone
      ORDER BY count(*) DESC, time_zone LIMIT 5000
      """)
    return rows.map { row in
      let texts = row.map { $0 ?? "" } + ["", "", ""]
      return StoredTimeZone(name: texts[0], userCount: texts[1], userID: texts[2])
    }
  }

  /// An epoch of the log, for people.
  package struct Epoch: Sendable, Hashable {
    package let number: String
    package let beganAfter: String
    package let beganAt: String
    package let why: String
  }

  /// The epochs of the log, in order; on a connection of its own.
  package static func epochs(_ settings: ConnectionSettings) async throws -> [Epoch] {
    let session = try await ScriptSession(settings)
    let rows = try await session.run(
      """
      SELECT number, began_after, to_char(began_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC',
        reason || CASE WHEN detail = '' THEN '' ELSE ': ' || detail END
      FROM log_epochs ORDER BY number
      """)
    return rows.map { row in
      let texts = row.map { $0 ?? "" } + ["", "", "", ""]
      return Epoch(number: texts[0], beganAfter: texts[1], beganAt: texts[2], why: texts[3])
    }
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
    guard digits.count == 64 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
