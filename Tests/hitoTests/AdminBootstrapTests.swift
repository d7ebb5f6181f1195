import Domain
import Foundation
import Logging
import PostgresStore
import TestSupport
import Testing

@testable import hito

@Suite("The first admin")
struct AdminBootstrapTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// What a server does before it takes calls, with an external database.
  private static func start(_ connection: ClusterConnection, tokenFile: String) async throws {
    try await Migrator(ConnectionSettings(conninfo: connection.conninfo(role: .owner))).up()
    var configuration = PostgresDatabase.Configuration(conninfo: connection.conninfo())
    configuration.connectionCount = 2
    configuration.longConnectionCount = 1
    configuration.searchConnectionCount = 1
    let database = PostgresDatabase(configuration)
    let bootstrap = AdminBootstrap(
      lock: .firstAdmin(configuration.connection), users: PostgresUserRepository(database),
      writes: PostgresWriteStore(database), tokens: PostgresTokenStore(database),
      clock: SystemTime(), ids: UUIDv7Generator())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await database.run() }
      defer { database.shutdown() }
      try await bootstrap.run(tokenFile: tokenFile, logger: logger)
    }
  }

  @Test("is made once by servers that start together on an empty database")
  func concurrentStarts() async throws {
    let folder = try ThrowAwayDirectory.make()
    defer { ThrowAwayDirectory.remove(folder) }
    for turn in 0..<5 {
      let connection = try await TestCluster.shared().makeDatabase()
      let files = (0..<3).map { "\(folder)/\(turn)-\($0).token" }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for file in files {
          group.addTask { try await Self.start(connection, tokenFile: file) }
        }
        try await group.waitForAll()
      }
      let session = try await ScriptSession(
        ConnectionSettings(conninfo: connection.conninfo(role: .owner)))
      let counts = try await session.run(
        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM tokens)")
      #expect(counts == [["1", "1"]])
      let written = files.filter { FileManager.default.fileExists(atPath: $0) }
      #expect(written.count == 1, "one of them says where the token is")
    }
  }
}
