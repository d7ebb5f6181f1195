import Domain
import EventLake
import Foundation
import Logging
import OpenSSL
import PostgresStore
import RPC
import Retrieval
import Service
import ServiceLifecycle
import Transport
import UnixSignals

/// The whole server: what it is made of, in the order in which the parts need each other.
struct ServerProgram {
  /// A leader asks several times a second. One whose process is stopped does not, while its machine
  /// still answers for its connection: without an end no other server would ever lead.
  static let leaderSilenceMax = Duration.seconds(10)

  private let settings: Settings
  private var configuration: ServeConfiguration
  let logger: Logger
  let clock = SystemTime()
  let ids = UUIDv7Generator()

  /// - Parameter settings: checked ones, with all groups but the client's.
  init(_ settings: Settings, logger: Logger) throws {
    self.settings = settings
    configuration = try ServeConfiguration(settings)
    self.logger = logger
  }

  /// Runs until SIGTERM or SIGINT; returns when everything has ended in order.
  mutating func run() async throws {
    #if DEBUG
      PersonalCodecs.useWhatTestsSay()
    #endif
    logSettings()
    try checkLibraries()
    try takeDescriptors()
    let (cluster, conninfo) = try await startCluster()
    do {
      try await migrate(conninfo.owner)
      try await serve(cluster: cluster, conninfo)
    } catch {
      // The cluster is a child of ours; an error of ours must not leave it behind.
      try? await cluster?.stop()
      throw error
    }
  }

  /// What was given, so that a log says what a server ran with. Secrets are not in it.
  private func logSettings() {
    for warning in settings.warnings { logger.warning("\(warning)") }
    for declaration in settings.declarations {
      let source = settings.source(of: declaration)
      guard source != .standard else { continue }
      logger.info(
        "setting",
        metadata: [
          "name": "\(declaration.name)", "value": "\(settings.shown(declaration))",
          "source": "\(source)",
        ])
    }
  }

  /// Raises the limit of descriptors and bounds the connections by it. First of all: what is started
  /// later, PostgreSQL too, has the limit that it finds.
  private mutating func takeDescriptors() throws {
    let budget = try DescriptorBudget(
      limits: .current(), connectionCount: configuration.network.connectionCountMax,
      reserve: DescriptorBudget.reserve(
        threadCount: configuration.network.threadCount,
        databaseConnectionCount: configuration.databaseConnectionCount,
        slotCount: configuration.validations.runsHere ? configuration.validations.slotCount : 0))
    try budget.apply()
    configuration.network.connectionCountMax = budget.connectionCount
    logger.info("descriptors", metadata: ["budget": "\(budget)"])
  }

  /// Two copies of OpenSSL in one process end in a crash at the first handshake, or worse.
  private func checkLibraries() throws {
    let libraries = LibraryIsolation.inspect()
    guard libraries.isIsolated else {
      throw ServeError(
        """
        libparquet (\(libraries.parquetPath)) shows its own OpenSSL to this process: \
        run `make setup`, which installs an isolated one, or `hito doctor` for details
        """)
    }
  }

  private typealias Conninfo = (owner: String, application: String)

  private func startCluster() async throws -> (EmbeddedCluster?, Conninfo) {
    if let url = configuration.databaseURL {
      try DataDirectory.prepare(
        configuration.dataDirectory, readingGroup: configuration.readingGroup)
      return (nil, (url, url))
    }
    let cluster = EmbeddedCluster(
      try settings.clusterConfiguration(configuration.dataDirectory),
      logger: Logger(label: "hito.postgres"))
    let connection = try await cluster.start()
    return (
      cluster, (connection.conninfo(role: .owner), connection.conninfo(role: .application))
    )
  }

  private func migrate(_ conninfo: String) async throws {
    let applied = try await Migrator(ConnectionSettings(conninfo: conninfo)).up()
    if !applied.isEmpty { logger.info("migrated", metadata: ["versions": "\(applied)"]) }
  }

  private func serve(cluster: EmbeddedCluster?, _ conninfo: Conninfo) async throws {
    let configured = ModelProviders(settings, time: clock)
    let embedders = try configured.embedders(logger: logger)
    var pool = PostgresDatabase.Configuration(conninfo: conninfo.application)
    pool.connectionCount = configuration.databaseConnectionCount
    pool.leaderSilenceMax = ServerProgram.leaderSilenceMax
    pool.logger = Logger(label: "hito.postgres")
    let database = PostgresDatabase(pool)
    try await database.check()
    if let warning = try await RowSecurity.state(pool.connection).warning {
      logger.warning("\(warning.text)", metadata: ["advice": "\(warning.advice)"])
    }
    let lake = ParquetEventLake(
      directory: configuration.lakeDirectory,
      storage: PosixStorage(readingGroup: configuration.readingGroup))
    if configuration.hasLake {
      try await open(lake, below: PostgresInstallation.floor(pool.connection))
    }
    let quotas = QuotaBook(
      store: PostgresQuotaStore(database), defaults: configuration.quotaDefaults, clock: clock)
    let model = try configured.languageModel(
      usage: PostgresModelUsageStore(database), quotas: quotas)
    let parts = makeComponents(
      connection: pool.connection, database: database,
      history: try await PostgresInstallation.history(pool.connection), lake: lake,
      providers: embedders.all, model: model, quotas: quotas)
    let switcher = embedders.desired.map { desired in
      parts.makeSwitcher(
        to: desired, database: database, owner: ConnectionSettings(conninfo: conninfo.owner))
    }
    let telemetry = TelemetryParts(configuration)
    let server = try parts.makeServer(
      tls: makeTLS(), secret: try await PostgresInstallation.secret(pool.connection))

    // Last to end: so that what was said last is told as well.
    let observers = try telemetry.services(parts, serverID: parts.serverID)
    let services: [any ServiceLifecycle.Service] =
      (cluster.map { [ClusterService(cluster: $0)] } ?? []) + observers + [
        DatabaseService(database: database),
        SandboxService(sandbox: parts.validators.sandbox),
        ValidationService(worker: parts.validationWorker, grace: .zero),
        LoopService { [parts] in try await parts.relay.run(wakeups: database.wakeups) },
        AuditService(recorder: parts.audit),
        LoopService { [parts] in try await parts.sealer.run() },
      ] + workServices(parts) + [
        LoopService { [parts] in try await parts.watchHealth() },
        LoopService { [parts] in try await parts.copier.run() },
        LoopService { [parts] in try await parts.resumeRuns() },
        LoopService { [parts] in try await parts.checkStanding() },
        LoopService { [parts] in try await parts.serveGroups() },
        LoopService {
          try await switcher?.run()
          // A service that returned would end the server.
          while true { try await Task.sleep(for: .seconds(3600)) }
        },
        LoopService { [clock, logger, configuration] in
          try await Housekeeping(
            writes: PostgresWriteStore(database), quotas: PostgresQuotaStore(database),
            retention: PostgresRetention(database), lifetimes: configuration.lifetimes,
            clock: clock, logger: logger
          ).run()
        },
        LoopService { [logger] in
          try await quotas.run { error in
            logger.warning("quotas were not read", metadata: ["error": "\(error)"])
          }
        },
        LoopService { [self] in await reloadCertificates(of: server) },
        NetworkService(
          server: server, grace: configuration.grace,
          beforeListening: { [self, parts] in
            try await parts.bootstrap.run(
              tokenFile: "\(configuration.dataDirectory)/admin.token", logger: logger)
            try await quotas.refresh()
          },
          whenListening: { [self] port in try announce(port: port) },
          beforeDrain: { [parts] in
            parts.health.drain()
            parts.hub.drain()
          }),
      ]
    try await ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    ).run()
  }

  /// What is done for all servers, as far as it is done here.
  private func workServices(_ parts: ServerComponents) -> [any ServiceLifecycle.Service] {
    var services: [any ServiceLifecycle.Service] = []
    if configuration.hasLake {
      services.append(LakeService(sink: parts.sink, logger: logger))
    }
    if let retention = parts.retention {
      services.append(LoopService { try await retention.run() })
    }
    if configuration.embedsHere {
      services.append(LoopService { try await parts.worker.run() })
    }
    for consumer in parts.consumers {
      services.append(LoopService { try await consumer.run() })
    }
    if let reporter = parts.reporter { services.append(ReporterService(reporter: reporter)) }
    if let publisher = parts.publisher { services.append(PublisherService(publisher: publisher)) }
    return services
  }

  /// A lake that must be there and is not is not begun anew: all else works without it.
  private func open(
    _ lake: ParquetEventLake, below floor: LogFloor
  ) async throws(LakeError) {
    do throws(LakeError) {
      let recovery = try await lake.recover(below: floor)
      logger.info("opened the lake", metadata: ["found": "\(recovery)"])
      try await lake.require(floor)
    } catch {
      switch error {
      case .missing, .behindFloor: logger.error("\(error)")
      default: throw error
      }
    }
  }

  private func makeComponents(
    connection: ConnectionSettings, database: PostgresDatabase, history: LogHistory,
    lake: ParquetEventLake, providers: [EmbeddingModels.Provider], model: (any LanguageModel)?,
    quotas: QuotaBook
  ) -> ServerComponents {
    ServerComponents(
      configuration: configuration, connection: connection, database: database, history: history,
      lake: lake, providers: providers, model: model, quotas: quotas, clock: clock, ids: ids,
      logger: logger)
  }

  private func makeTLS() throws -> TLSContext {
    let files: TLSFiles
    if let certificate = configuration.certificateFile, let key = configuration.keyFile {
      files = TLSFiles(
        certificate: certificate, key: key, clientAuthority: configuration.clientAuthorityFile)
    } else {
      files = try TLSFiles(
        developmentIn: "\(configuration.dataDirectory)/tls",
        readingGroup: configuration.readingGroup, names: configuration.hostNames,
        clientAuthority: configuration.clientAuthorityFile)
    }
    return try TLSContext.server(
      certificateFile: files.certificate, keyFile: files.key,
      clientAuthorityFile: files.clientAuthority)
  }

  /// Reads the certificates again on SIGHUP, for connections made from then on; those that are
  /// open keep theirs. Files that are no good are logged, and the old ones stay in use.
  private func reloadCertificates(of server: HitoServer) async {
    for await _ in await UnixSignalsSequence(trapping: .sighup) {
      do {
        server.replaceTLS(try makeTLS())
        logger.notice("read the certificates again")
      } catch {
        logger.error("the certificates stay as they are", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Tells people and scripts where the server is.
  private func announce(port: Int) throws {
    let address = configuration.address(port: port)
    logger.notice("serving", metadata: ["address": "\(address)"])
    guard let file = configuration.portFile else { return }
    try "\(address)\n".write(toFile: file, atomically: true, encoding: .utf8)
  }
}

/// The system's clock.
struct SystemTime: TimeSource {
  func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(
      microsecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }
}

/// Why the server does not start; the text says what to do.
struct ServeError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
