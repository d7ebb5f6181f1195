import Glibc
import Logging
package import PostgresStore
import Synchronization

/// A throw-away PostgreSQL cluster for tests: one per test process, made at first use and removed
/// when the process ends. Each suite takes a database of its own from it.
///
///     let database = try await TestCluster.shared().makeDatabase()
///     defer { … }                      // no need to drop it: it goes with the cluster
///     connect(database.conninfo(role: .application))
///
/// Nothing is flushed to the disk, so it is fast; a test that kills servers makes an
/// `EmbeddedCluster` of its own.
package actor TestCluster {
  /// A state of a database that many tests start from; made once, then copied.
  package struct Template: Sendable {
    let name: String
    let prepare: @Sendable (ClusterConnection) async throws -> Void

    /// - Parameters:
    ///   - name: lowercase letters, digits and underscores.
    ///   - prepare: fills the database; must have closed its connections when it returns.
    package init(
      _ name: String, prepare: @escaping @Sendable (ClusterConnection) async throws -> Void
    ) {
      self.name = name
      self.prepare = prepare
    }
  }

  /// How to reach the cluster and its empty database `hito`.
  package nonisolated let connection: ClusterConnection
  private let cluster: EmbeddedCluster
  private var databaseCount = 0
  private var templates: [String: Task<Void, any Error>] = [:]

  private static let only = Mutex<Task<TestCluster, any Error>?>(nil)

  /// The cluster of this test process; starts it at the first call.
  package static func shared() async throws -> TestCluster {
    let task = only.withLock { only in
      let task = only ?? Task { try await TestCluster() }
      only = task
      return task
    }
    return try await task.value
  }

  private init() async throws {
    let directory = try ThrowAwayDirectory.make()
    var configuration = EmbeddedCluster.Configuration(
      dataDirectory: directory, programCandidates: ThrowAwayDirectory.postgresCandidates)
    configuration.isDurable = false
    configuration.connectionCountMax = 200
    cluster = EmbeddedCluster(
      configuration, logger: Logger(label: "test-cluster") { _ in SwiftLogNoOpLogHandler() })
    connection = try await cluster.start()
    ThrowAwayDirectory.removeAtExit(directory, server: cluster.processID)
  }

  /// Makes a database: empty but for its extensions, or a copy of a template.
  package func makeDatabase(from template: Template? = nil) async throws -> ClusterConnection {
    var source = connection.database
    if let template {
      source = "template_\(template.name)"
      try await prepare(template, as: source)
    }
    databaseCount += 1
    let name = "test_\(databaseCount)"
    try await cluster.copyDatabase(source, to: name)
    return connection.with(database: name)
  }

  private func prepare(_ template: Template, as name: String) async throws {
    let task =
      templates[name]
      ?? Task { [cluster, connection] in
        try await cluster.copyDatabase(connection.database, to: name)
        try await template.prepare(connection.with(database: name))
      }
    templates[name] = task
    try await task.value
  }
}
