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

  /// What follows the log.
  private func follow(
    _ database: PostgresDatabase
  ) async throws -> [any ServiceLifecycle.Service] {
    let history = try await PostgresInstallation.history(connection)
    let log = PostgresEventLog(database)
    let hub = EventHub(history: history)
    let broker = BrokerConfiguration(settings)
    var services: [any ServiceLifecycle.Service] = []
    // Told by the broker, where there is one.
    var told: LakeSink?
    if roles.contains(.lake) {
      let made = try await makeSink(log)
      services.append(LakeService(sink: made, logger: logger))
      if let consumer = broker?.consumer(.lake, logID: history.logID, time: clock) {
        made.follow(consumer)
        services.append(LoopService { try await consumer.run() })
      } else {
        told = made
      }
    }
    if roles.contains(.embedder) {
      services += try embedding(database, log, hub, history, broker)
    }
    let sequencer = PostgresEventSequencer(database)
    let relaying: any EventSequencer =
      if roles.contains(.relay) { sequencer } else { FollowingSequencer() }
    let relay = EventRelay(
      log: log, hub: hub, sequencer: relaying, announce: { try? await sequencer.notify() },
      advanced: { [told] position in told?.noticed(head: position) },
      logger: Logger(label: "hito.relay"))
    services.append(LoopService { try await relay.run(wakeups: database.wakeups) })
    if roles.contains(.relay), let broker {
      services.append(
        PublisherService(
          publisher: broker.publisher(
            database, log: log, hub: hub, owner: ids.next(at: clock.now()), time: clock)))
    }
    return services
  }

  private func makeSink(_ log: PostgresEventLog) async throws -> LakeSink {
    let directory = try settings.requireDataDirectory()
    let folder = settings[LakeSettings().lakeDir] ?? "\(directory)/lake"
    let lake = ParquetEventLake(
      directory: folder, storage: PosixStorage(readingGroup: settings.readingGroupID))
    let floor = try await PostgresInstallation.floor(connection)
    let recovery = try await lake.recover(below: floor)
    logger.info("opened the lake", metadata: ["recovery": "\(recovery)"])
    try await lake.require(floor)
    return LakeSink(lake: lake, log: log, logger: Logger(label: "hito.lake"), time: clock)
  }

  private func embedding(
    _ database: PostgresDatabase, _ log: PostgresEventLog, _ hub: EventHub,
    _ history: LogHistory, _ broker: BrokerConfiguration?
  ) throws -> [any ServiceLifecycle.Service] {
    let embedders = try ModelProviders(settings, time: clock).embedders(logger: logger)
    guard !embedders.all.isEmpty else {
      throw CommandFailure("there is no embedding model here: run `make setup`, or name a provider")
    }
    let store = PostgresEmbeddingStore(database)
    let consumer = broker?.consumer(.embedder, logID: history.logID, time: clock)
    let worker = EmbeddingWorker(
      models: EmbeddingModels(providers: embedders.all, store: store), store: store, log: log,
      live: consumer.live(else: hub), time: clock,
      logger: Logger(label: "hito.embeddings"))
    guard let consumer else { return [LoopService { try await worker.run() }] }
    worker.settle(consumer)
    return [
      LoopService { try await worker.run() }, LoopService { try await consumer.run() },
    ]
  }
}
