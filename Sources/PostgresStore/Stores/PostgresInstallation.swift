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
