/// A lock of a database that one session at a time holds: for what servers that start at the same
/// moment must not do at once. It ends with its session, however that ends.
package struct AdvisoryLock: Sendable {
  private let settings: ConnectionSettings
  private let key: AdvisoryLockKey

  /// Held while the first admin and its token are made.
  ///
  /// - Parameter connection: logs in to the database, as any role.
  package static func firstAdmin(_ connection: ConnectionSettings) -> AdvisoryLock {
    AdvisoryLock(connection, key: .firstAdmin)
  }

  private init(_ connection: ConnectionSettings, key: AdvisoryLockKey) {
    var settings = connection
    settings.applicationName = "hito start"
    // The session is idle while the work is done.
    settings.limits = .bulk(lock: .seconds(60))
    self.settings = settings
    self.key = key
  }

  /// Runs `body` when nobody else holds the lock.
  package func hold<Result>(_ body: () async throws -> Result) async throws -> Result {
    let session = try await ScriptSession(settings)
    try await session.run("SELECT pg_advisory_lock(\(key.rawValue))")
    let result = try await body()
    try await session.run("SELECT pg_advisory_unlock(\(key.rawValue))")
    return result
  }
}
