import Agents
import Broker
import Documents
import Domain
import EventLake
import EventLog
import Logging
import OpenSSL
import PostgresStore
import RPC
import Retrieval
import Service
import Synchronization
import Transport

/// The components of a server, joined.
final class ServerComponents: Sendable {
  let hub: EventHub
  let relay: EventRelay
  let sink: LakeSink
  /// Nil where events stay in the database.
  let retention: LakeRetention?
  let health = HealthState()
  let bootstrap: AdminBootstrap
  let worker: EmbeddingWorker
  let audit: AuditRecorder
  let sealer: LogSealer
  private let quotas: QuotaBook
  let copier: CourseCopier
  /// Nil where there is no broker, or this server is not to publish.
  let publisher: BrokerPublisher?
  /// Have the sinks told by the broker; none where there is none.
  let consumers: [BrokerConsumer]

  private let configuration: ServeConfiguration
  private let lake: ParquetEventLake
  private let stores: ServicePorts
  let log: PostgresEventLog
  let database: PostgresDatabase
  private let lakeConsumer: BrokerConsumer?
  private let embedderConsumer: BrokerConsumer?
  private let embeddingModels: EmbeddingModels
  private let liveRecall = LiveRecall()
  let clock: any TimeSource
  private let ids: any IDGenerator
  /// New at each start.
  let serverID: String
  private let logger: Logger
  let server = Mutex<HitoServer?>(nil)
  private let resumer = Mutex<AgentResumer?>(nil)
  private let standing = Mutex<StandingCheck?>(nil)
  private let desks = Mutex<GroupDesks?>(nil)
  private let validation = Mutex<ValidationWorker?>(nil)
  private let reports: PostgresProcessReports
  private let process: ReportingProcess
  let validators: Validators

  init(
    configuration: ServeConfiguration, connection: ConnectionSettings,
    database: PostgresDatabase, history: LogHistory, lake: ParquetEventLake,
    providers: [EmbeddingModels.Provider], model: (any LanguageModel)?, quotas: QuotaBook,
    clock: any TimeSource, ids: any IDGenerator, logger: Logger
  ) {
    self.configuration = configuration
    self.lake = lake
    self.database = database
    self.quotas = quotas
    self.clock = clock
    self.ids = ids
    self.logger = logger
    serverID = ids.next(at: clock.now()).description
    reports = PostgresProcessReports(database)
    process = .current(id: ids.next(at: clock.now()))
    log = PostgresEventLog(database, archive: lake)
    // What keeps the lake reads what the database itself has.
    let stored = PostgresEventLog(database)
    hub = EventHub(history: history)
    validators = Validators(
      runsHere: configuration.validations.runsHere, slotCount: configuration.validations.slotCount)
    let sequencer = PostgresEventSequencer(database)
    sink = LakeSink(
      lake: lake, log: stored, blobs: PostgresEventBlobs(database),
      logger: Logger(label: "hito.lake"), time: clock)
    retention = (configuration.hasLake ? configuration.eventLifetime : nil).map { lifetime in
      LakeRetention(
        lake: lake, log: stored, removal: PostgresEventRemoval(database), lifetime: lifetime,
        time: clock, logger: Logger(label: "hito.lake"))
    }
    // The embedded database has no other server to wake.
    var announce: (@Sendable () async -> Void)?
    if configuration.databaseURL != nil {
      announce = { try? await sequencer.notify() }
    }
    let broker = configuration.broker
    lakeConsumer =
      configuration.hasLake
      ? broker?.consumer(.lake, logID: history.logID, time: clock) : nil
    embedderConsumer =
      configuration.embedsHere
      ? broker?.consumer(.embedder, logID: history.logID, time: clock) : nil
    consumers = [lakeConsumer, embedderConsumer].compactMap(\.self)
    if let lakeConsumer { sink.follow(lakeConsumer) }
    let relaying: any EventSequencer =
      if configuration.relaysHere { sequencer } else { FollowingSequencer() }
    // By the broker, where there is one.
    var advanced: (@Sendable (Int64) -> Void)?
    if lakeConsumer == nil { advanced = { [sink] position in sink.noticed(head: position) } }
    relay = EventRelay(
      log: log, hub: hub, sequencer: relaying, announce: announce, advanced: advanced,
      logger: Logger(label: "hito.relay"))
    publisher =
      configuration.relaysHere
      ? broker?.publisher(
        database, log: log, hub: hub, owner: ids.next(at: clock.now()), time: clock) : nil
    database.onCommit { [relay] in relay.wake() }
    let embeddings = PostgresEmbeddingStore(database)
    embeddingModels = EmbeddingModels(providers: providers, store: embeddings)
    copier = CourseCopier(
      store: PostgresCourseCopyStore(database), logger: Logger(label: "hito.embeddings"))
    worker = EmbeddingWorker(
      models: embeddingModels, store: embeddings, log: log,
      live: embedderConsumer.live(else: hub), time: clock,
      logger: Logger(label: "hito.embeddings"))
    if let embedderConsumer { worker.settle(embedderConsumer) }
    var stores = ServicePorts(
      users: PostgresUserRepository(database), courses: PostgresCourseRepository(database),
      goals: PostgresGoalRepository(database), snapshots: PostgresSnapshotRepository(database),
      writes: PostgresWriteStore(database), tokens: PostgresTokenStore(database), log: log,
      archive: lake, runs: PostgresAgentRunStore(database, archive: lake),
      validation: validators.ports(database))
    let retrieval = PostgresRetrievalStore(database)
    stores.retrieval = retrieval
    stores.embeddings = embeddings
    stores.retriever = Services.retriever(
      store: retrieval, models: embeddingModels, recall: liveRecall)
    stores.model = model
    stores.quotas = PostgresQuotaStore(database)
    stores.usage = PostgresModelUsageStore(database)
    let auditStore = PostgresAuditStore(database)
    stores.audit = auditStore
    audit = AuditRecorder(
      store: auditStore, clock: clock, ids: ids, logger: Logger(label: "hito.audit"))
    sealer = LogSealer(
      log: log, store: auditStore, key: configuration.auditKey, time: clock,
      logger: Logger(label: "hito.audit"))
    stores.groups = PostgresConsumerGroupStore(database)
    stores.externals = PostgresExternalEventStore(database)
    stores.documents = CourseDocuments(
      repository: PostgresDocumentRepository(database), reader: StandardDocumentReader())
    stores.timeZones = configuration.timeZones
    self.stores = stores
    bootstrap = AdminBootstrap(
      lock: .firstAdmin(connection), users: stores.users, writes: stores.writes,
      tokens: stores.tokens, clock: clock, ids: ids)
  }

  func makeServer(tls: TLSContext, secret: [UInt8]) throws -> HitoServer {
    let startedAt = clock.now()
    var options = Services.Options(
      clock: clock, ids: ids,
      info: ServerInfo(serverID: serverID, version: HitoVersion.current, startedAt: startedAt),
      secret: secret)
    options.health = health
    options.inspection = inspection
    options.embeddingModels = embeddingModels
    options.liveRecall = liveRecall
    options.admission = AdmissionLimits(
      heavyCallMax: configuration.heavyCallMax, processorCount: configuration.network.threadCount)
    options.quotas = quotas
    options.audit = audit
    options.agents.owner = serverID
    options.agents.isAlone = configuration.databaseURL == nil
    options.validations = configuration.validations
    options.validations.isAlone = configuration.databaseURL == nil && options.validations.runsHere
    let services = Services(ports: stores, hub: hub, options: options)
    resumer.withLock { $0 = services.resumer }
    standing.withLock { $0 = services.standing }
    desks.withLock { $0 = services.desks }
    if options.validations.runsHere {
      validation.withLock { $0 = services.validationWorker }
    }
    let logger = Logger(label: "hito.server")
    let router = try services.router(logger: logger)
    var network = configuration.network
    network.streamStallMax = configuration.streamStallMax
    network.serverID = serverID
    let server = HitoServer(
      configuration: network, tls: tls, router: router, authenticator: services.authenticator,
      observer: audit, logger: logger)
    self.server.withLock { $0 = server }
    return server
  }

  /// Continues the runs of agents that other servers, or this one before it died, left behind.
  func resumeRuns() async throws {
    try await resumer.withLock { $0 }?.run(logger: Logger(label: "hito.agents"))
  }

  /// Runs the validations that wait; nil where this server is told not to.
  var validationWorker: ValidationWorker? { validation.withLock { $0 } }

  /// Hands out the events of consumer groups.
  func serveGroups() async throws {
    try await desks.withLock { $0 }?.run()
  }

  /// Ends the long calls of those who may no longer make them.
  func checkStanding() async throws {
    try await standing.withLock { $0 }?.run()
  }

  /// Moves the vectors to the model that `embedder` is, where they are another's.
  func makeSwitcher(
    to embedder: any Embedder, database: PostgresDatabase, owner: ConnectionSettings
  ) -> EmbeddingSwitcher {
    EmbeddingSwitcher(
      desired: embedder, models: embeddingModels, store: PostgresEmbeddingStore(database),
      change: PostgresEmbeddingSwitch(database, owner: owner), time: clock,
      logger: Logger(label: "hito.embeddings"))
  }

  /// Asks the parts how they are, again and again, and tells whoever watches.
  func watchHealth() async throws {
    while true {
      do {
        _ = try await CallDeadline.$current.withValue(.now + .seconds(2)) { try await log.head() }
        health.set(.store, .serving)
      } catch {
        health.set(.store, .notServing("the database cannot be reached"))
      }
      let relayIsWell = relay.status.lastError == nil
      health.set(.relay, relayIsWell ? .serving : .notServing("events are not being relayed"))
      let lakeIsWell = sink.lastFailure == nil && lake.damaged.isEmpty
      health.set(.lake, lakeIsWell ? .serving : .notServing("the lake is behind or damaged"))
      try await Task.sleep(for: .seconds(1))
    }
  }
}

extension ServerComponents {
  /// What the server tells admins of itself.
  private var inspection: ServerInspection {
    ServerInspection(
      connections: { [self] in await connections() },
      calls: { [self] in await calls() },
      statistics: { [self] in await statistics() },
      pipelines: { [self] in try await pipelines() },
      otherPipelines: { [self] in
        try await reports.reports(besides: process.id).map(\.shown)
      }, flushLake: flushLake)
  }

  private var flushLake: (@Sendable () async throws -> (position: Int64, rowCount: Int64))? {
    guard configuration.hasLake else { return nil }
    return { [lake, sink] in
      let before = lake.publishedPosition
      let after = try await sink.flush()
      return (after, max(0, after - before))
    }
  }

  /// Committed events without a position that are counted; more are shown as so many.
  private static let unsequencedMax = 100_000

  /// Tells other servers what this one follows the log with; nil where the database is its own.
  var reporter: PipelineReporter? {
    guard configuration.databaseURL != nil else { return nil }
    return PipelineReporter(store: reports, process: process, logger: logger) { [self] in
      heads(nil).filter { ["relay", "hub"].contains($0.name) } + sinks()
    }
  }

  /// Everything here that follows the log or that others wait for, in the order in which an event passes by.
  func pipelines() async throws -> [PipelineState] {
    let end = try await log.end(unsequencedMax: Self.unsequencedMax)
    let sealed = sealer.status
    var states = heads(end) + sinks()
    states.append(
      PipelineState(
        name: "seals", position: sealed.position, detail: "audit entries up to \(sealed.entry)",
        lastError: sealed.lastError ?? ""))
    if let broker = configuration.broker {
      let publication = try await broker.publication(database)
      states.append(
        PipelineState(
          name: "broker", position: publication?.position ?? 0,
          lastError: publication?.status?.lastError ?? "", publication: publication?.status))
    }
    return states
  }

  /// What is made of the log here.
  private func sinks() -> [PipelineState] {
    var states: [PipelineState] = []
    if configuration.embedsHere {
      states.append(.embeddings(worker, told: embedderConsumer))
    }
    if configuration.hasLake {
      var state = PipelineState.lake(lake, sink, told: lakeConsumer)
      if state.lastError.isEmpty { state.lastError = retention?.lastFailure ?? "" }
      states.append(state)
    }
    return states
  }

  /// What every server has: its sessions, the order of the log, and the live end.
  private func heads(_ end: LogEnd?) -> [PipelineState] {
    let relayed = relay.status
    return [
      PipelineState(
        name: "pool", position: end?.position ?? relayed.position, lagCount: 0,
        waitingCount: Int64(database.pendingCount),
        detail: "\(database.connectionCount) connections for short statements"),
      PipelineState(
        name: "stamps", position: end?.position ?? relayed.position,
        lagCount: Int64(end?.unsequencedCount ?? Self.unsequencedMax),
        detail: "events that wait for their positions"),
      .relay(relay),
      PipelineState(
        name: "hub", position: hub.head ?? 0, waitingCount: Int64(hub.waiterCount),
        detail: "\(hub.byteCount >> 10) KiB of the live end"),
    ]
  }
}
