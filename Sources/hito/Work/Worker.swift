import Broker
import Domain
import EventLake
import EventLog
import Logging
import PostgresStore
import Retrieval
import Service
import ServiceLifecycle

/// A process of `hito work`, joined of what its roles need.
struct Worker {
  let roles: Set<WorkRole>
  /// How long validations may still run at the end.
  let grace: Duration
  /// Checked ones.
  let settings: Settings
  let connection: ConnectionSettings

  private let logger = Logger(label: "hito")
  private let clock = SystemTime()
  private let ids = UUIDv7Generator()

  /// Runs until SIGTERM or SIGINT.
  func run() async throws {
    let options = validationOptions
    let database = try await open(slotCount: options.slotCount)
    var services: [any ServiceLifecycle.Service] = [DatabaseService(database: database)]
    if roles.contains(.validate) { services += validation(database, options) }
    if roles != [.validate] { services += try await follow(database) }
    logger.notice(
      "working", metadata: ["roles": "\(roles.map(\.rawValue).sorted().joined(separator: ","))"])
    try await ServiceGroup(
      configuration: .init(
        services: services.map {
          .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
        },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    ).run()
  }

  private var validationOptions: ValidationOptions {
    var options = ValidationSettings.options(settings)
    options.owner = "worker " + ids.next(at: clock.now()).description
    return options
  }

  private func open(slotCount: Int) async throws -> PostgresDatabase {
    var pool = PostgresDatabase.Configuration(conninfo: connection.conninfo)
    // One for each validation, and some for the queue.
    pool.connectionCount = roles.contains(.validate) ? min(40, slotCount + 2) : 4
    if roles.contains(.relay) { pool.leaderSilenceMax = ServerProgram.leaderSilenceMax }
    pool.logger = Logger(label: "hito.postgres")
    let database = PostgresDatabase(pool)
    try await database.check()
    return database
  }

  private func validation(
    _ database: PostgresDatabase, _ options: ValidationOptions
  ) -> [any ServiceLifecycle.Service] {
    let validators = Validators(runsHere: true, slotCount: options.slotCount)
    let worker = ValidationWorker(
      users: PostgresUserRepository(database), goals: PostgresGoalRepository(database),
      snapshots: PostgresSnapshotRepository(database), writes: PostgresWriteStore(database),
      ports: validators.ports(database), options: options, clock: clock, ids: ids,
      // The servers look for what was committed elsewhere.
      committed: {})
    return [
      SandboxService(sandbox: validators.sandbox),
      ValidationService(worker: worker, grace: grace),
    ]
  }

  /// What follows the log, and what says how far that is.
  private func follow(
    _ database: PostgresDatabase
  ) async throws -> [any ServiceLifecycle.Service] {
    let history = try await PostgresInstallation.history(connection)
    let log = PostgresEventLog(database)
    let hub = EventHub(history: history)
    let broker = BrokerConfiguration(settings)
    var services: [any ServiceLifecycle.Service] = []
    var pipelines: [@Sendable () -> PipelineState] = []
    // Told by the broker, where there is one.
    var told: LakeSink?
    if roles.contains(.lake) {
      let (lake, sink) = try await makeSink(database, log)
      services.append(LakeService(sink: sink, logger: logger))
      let consumer = broker?.consumer(.lake, logID: history.logID, time: clock)
      if let consumer {
        sink.follow(consumer)
        services.append(LoopService { try await consumer.run() })
      } else {
        told = sink
      }
      pipelines.append { .lake(lake, sink, told: consumer) }
    }
    if roles.contains(.embedder) {
      let consumer = broker?.consumer(.embedder, logID: history.logID, time: clock)
      let worker = try embedding(database, log, live: consumer.live(else: hub))
      services.append(LoopService { try await worker.run() })
      if let consumer {
        worker.settle(consumer)
        services.append(LoopService { try await consumer.run() })
      }
      pipelines.append { .embeddings(worker, told: consumer) }
    }
    let relay = makeRelay(database, log, hub, told: told)
    services.append(LoopService { try await relay.run(wakeups: database.wakeups) })
    if roles.contains(.relay) {
      pipelines.append { .relay(relay) }
      if let broker {
        services.append(
          PublisherService(
            publisher: broker.publisher(
              database, log: log, hub: hub, owner: ids.next(at: clock.now()), time: clock)))
      }
    }
    let reporter = PipelineReporter(
      store: PostgresProcessReports(database), process: .current(id: ids.next(at: clock.now())),
      logger: logger
    ) { [pipelines] in pipelines.map { $0() } }
    return services + [ReporterService(reporter: reporter)]
  }

  private func makeRelay(
    _ database: PostgresDatabase, _ log: PostgresEventLog, _ hub: EventHub, told: LakeSink?
  ) -> EventRelay {
    let sequencer = PostgresEventSequencer(database)
    let relaying: any EventSequencer =
      if roles.contains(.relay) { sequencer } else { FollowingSequencer() }
    return EventRelay(
      log: log, hub: hub, sequencer: relaying, announce: { try? await sequencer.notify() },
      advanced: { [told] position in told?.noticed(head: position) },
      logger: Logger(label: "hito.relay"))
  }

  private func makeSink(
    _ database: PostgresDatabase, _ log: PostgresEventLog
  ) async throws -> (ParquetEventLake, LakeSink) {
    let directory = try settings.requireDataDirectory()
    let folder = settings[LakeSettings().lakeDir] ?? "\(directory)/lake"
    let lake = ParquetEventLake(
      directory: folder, storage: PosixStorage(readingGroup: settings.readingGroupID))
    let floor = try await PostgresInstallation.floor(connection)
    let recovery = try await lake.recover(below: floor)
    logger.info("opened the lake", metadata: ["recovery": "\(recovery)"])
    try await lake.require(floor)
    let sink = LakeSink(
      lake: lake, log: log, blobs: PostgresEventBlobs(database),
      logger: Logger(label: "hito.lake"), time: clock)
    return (lake, sink)
  }

  private func embedding(
    _ database: PostgresDatabase, _ log: PostgresEventLog, live: any LiveLog
  ) throws -> EmbeddingWorker {
    let embedders = try ModelProviders(settings, time: clock).embedders(logger: logger)
    guard !embedders.all.isEmpty else {
      throw CommandFailure("there is no embedding model here: run `make setup`, or name a provider")
    }
    let store = PostgresEmbeddingStore(database)
    return EmbeddingWorker(
      models: EmbeddingModels(providers: embedders.all, store: store), store: store, log: log,
      live: live, time: clock, logger: Logger(label: "hito.embeddings"))
  }
}
