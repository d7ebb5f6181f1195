import Testing

@testable import PostgresStore

@Suite struct InstallationTests {
  /// Every server reads the same, and may not change it.
  @Test func theSecretIsTheSameForAllServers() async throws {
    try await StoreFixture.run { store in
      let settings = ConnectionSettings(conninfo: store.connection.conninfo(role: .application))
      let secret = try await PostgresInstallation.secret(settings)
      let session = try await ScriptSession(settings)
      let read = try await session.run("SELECT encode(secret, 'hex') FROM installation")
      let text = secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      #expect(secret.count == 32 && read == [[text]])
      await #expect(throws: ServerError.self) {
        try await session.run("UPDATE installation SET secret = secret")
      }
    }
  }

  @Test func noTwoDatabasesHaveTheSameSecret() async throws {
    try await StoreFixture.inTurn {
      var secrets: Set<[UInt8]> = []
      for _ in 0..<2 {
        let connection = try await StoreFixture.emptyDatabase()
        _ = try await Migrator(MigrationTests.settings(connection)).up()
        secrets.insert(
          try await PostgresInstallation.secret(MigrationTests.settings(connection)))
      }
      #expect(secrets.count == 2)
    }
  }
}
