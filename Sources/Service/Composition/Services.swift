package import Agents
internal import Contract
package import Domain
package import EventLog
package import Logging
package import RPC
package import Retrieval
internal import Writes

/// Every service of the contract on one set of ports.
package struct Services: Sendable {
  /// What the owner gives besides the ports.
  package struct Options: Sendable {
    package var clock: any TimeSource
    package var ids: any IDGenerator
    /// Seals what clients are given to come back with: 32 random bytes, the same on every server of
    /// an installation.
    package var secret: [UInt8]
    package var info: ServerInfo
    package var inspection = ServerInspection()
    package var health = HealthState()
    /// Told after each commit, so that the relay need not poll.
    package var committed: @Sendable () -> Void = {}
    /// What waits are measured with; tests give one of their own.
    package var waitingClock: any Clock<Duration> = ContinuousClock()
    /// What makes vectors here; nil: texts are found by their words only, once there is a search.
    package var embeddingModels: EmbeddingModels?
    package var liveRecall = LiveRecall()
    package var agents = AgentOptions()
    package var validations = ValidationOptions()
    package var admission = AdmissionLimits(
      heavyCallMax: AdmissionLimits.heavyCallMax(processorCount: 2, databaseConnectionCount: 32))
    /// What users may use; nil: as much as they want.
    package var quotas: QuotaBook?
    /// Writes the audit; its owner runs it. Nil: nothing is noted.
    package var audit: AuditRecorder?

    package init(
      clock: any TimeSource, ids: any IDGenerator, info: ServerInfo, secret: [UInt8]
    ) {
      self.clock = clock
      self.ids = ids
      self.info = info
      self.secret = secret
    }
  }

  private let ports: ServicePorts
  private let hub: EventHub
  private let options: Options
  private let cursors: CursorCodec
  private let writes: WriteExecutor
  private let journal: RunJournal
  private let driver: RunDriver
  private let validations: ValidationJournal
  private let validationBell = WakeSignal()
  private let admission: CallAdmission
  private let quotas: QuotaBook
  private let waitLimit = WaitLimit()
  /// Serves the consumers of groups; its owner runs it. Nil where this server has none.
  package let desks: GroupDesks?
  /// Ends the long calls of those who may no longer make them; its owner runs it.
  package let standing: StandingCheck
  /// Looks bearer tokens up in the stores.
  package let authenticator: TokenAuthenticator

  package init(ports: ServicePorts, hub: EventHub, options: Options) {
    self.ports = ports
    self.hub = hub
    self.options = options
    let quotas =
      options.quotas
      ?? QuotaBook(store: ports.quotas, defaults: QuotaDefaults(), clock: options.clock)
    self.quotas = quotas
    admission = CallAdmission(options.admission, limits: quotas.limits)
    cursors = CursorCodec(secret: options.secret) { hub.history }
    desks = ports.groups.map {
      GroupDesks(store: $0, log: ports.log, hub: hub)
    }
    standing = StandingCheck(tokens: ports.tokens, clock: options.clock)
    authenticator = TokenAuthenticator(
      tokens: ports.tokens, users: ports.users, clock: options.clock)
    let waitingClock = options.waitingClock
    let executor = DecisionExecutor(
      store: ports.writes, clock: options.clock, ids: options.ids, committed: options.committed,
      indexer: PassageIndexer(models: options.embeddingModels),
      pause: { attempt in
        // Full jitter: those that met once must not meet again.
        let most = min(Duration.milliseconds(1) * (1 << min(attempt, 7)), .milliseconds(100))
        try await waitingClock.sleep(for: most * Double.random(in: 0...1))
      },
      stored: quotas.stored)
    writes = WriteExecutor(executor: executor, cursors: cursors, quotas: quotas)
    var agents = options.agents
    if agents.owner.isEmpty { agents.owner = options.info.serverID }
    journal = RunJournal(runs: ports.runs, writes: executor, options: agents)
    driver = RunDriver(
      stores: ports.agents, journal: journal, live: hub, options: agents)
    var validation = options.validations
    if validation.owner.isEmpty { validation.owner = options.info.serverID }
    validations = ValidationJournal(
      ports: ports.validation, users: ports.users, goals: ports.goals,
      snapshots: ports.snapshots, writes: executor, options: validation)
  }

  /// Every method of the contract, by its rule.
  ///
  /// - Parameter logger: is told why calls failed.
  package func router(logger: Logger) throws(RegistrationError) -> Router {
    let audit: [any ServerInterceptor] =
      options.audit.map { [AuditInterceptor(recorder: $0)] } ?? []
    var router = Router(
      outer: [TracingInterceptor()] + audit + [
        FailureInterceptor(logger: logger, translate: ErrorTable.rpcError)
      ],
      inner: [
        StandingInterceptor(check: standing), StoreDeadline(),
        ConstantReplies(of: ReflectionServiceMethods.all),
        AdmissionInterceptor(admission: admission),
      ])
    try registerLearning(in: &router)
    try registerEvents(in: &router)
    try registerServer(in: &router)
    return router
  }

  private func registerLearning(in router: inout Router) throws(RegistrationError) {
    let runs = RunCalls(
      ports: ports, hub: hub, journal: journal, driver: driver, quotas: quotas)
    try UserService(
      users: ports.users, tokens: ports.tokens, writes: writes, waiter: waiter,
      cursors: cursors, clock: options.clock, ids: options.ids, timeZones: ports.timeZones
    ).register(in: &router)
    try CourseService(
      users: ports.users, courses: ports.courses, goals: ports.goals,
      material: ports.documents, writes: writes, waiter: waiter, cursors: cursors, runs: runs,
      admission: admission
    ).register(in: &router)
    try GoalService(
      users: ports.users, courses: ports.courses, goals: ports.goals, writes: writes,
      waiter: waiter, cursors: cursors, runs: runs
    ).register(in: &router)
    try TaskService(goals: ports.goals, writes: writes, waiter: waiter, cursors: cursors)
      .register(in: &router)
    try CodeValidationService(
      users: ports.users, courses: ports.courses, goals: ports.goals,
      snapshots: ports.snapshots, writes: writes, waiter: waiter, cursors: cursors, runs: runs,
      validations: ValidationCalls(
        journal: validations, hub: hub, cursors: cursors, quotas: quotas, bell: validationBell),
      admission: admission
    ).register(in: &router)
    try RetrievalService(
      courses: ports.courses, log: ports.log, waiter: waiter, searcher: searcher,
      embeddings: ports.embeddings, inspection: options.inspection
    ).register(in: &router)
  }

  private func registerEvents(in router: inout Router) throws(RegistrationError) {
    let visibility = EventVisibility(courses: ports.courses, hub: hub)
    try ProgressService(
      log: ports.log,
      sources: EventSources(
        pages: EventPages(ports.log, hub: hub), windows: EventWindows(ports.log, hub: hub),
        hub: hub, visibility: visibility, cursors: cursors),
      waiter: waiter
    ).register(in: &router)
    try EventService(
      log: ports.log, visibility: visibility, waiter: waiter, cursors: cursors,
      groups: groupParts, externals: ports.externals, users: ports.users, writes: writes
    ).register(in: &router)
    try AnalyticsService(
      users: ports.users, log: ports.log, archive: ports.archive, waiter: waiter,
      cursors: cursors, clock: options.clock
    ).register(in: &router)
  }

  private func registerServer(in router: inout Router) throws(RegistrationError) {
    try HealthService(state: options.health).register(in: &router)
    try ReflectionService(descriptorSet: ContractDescriptors.fileDescriptorSet)
      .register(in: &router)
    try ServerService(
      log: ports.log, cursors: cursors, clock: options.clock, info: options.info,
      inspection: options.inspection, quotas: quotaParts, admission: admission,
      audit: ports.audit
    ).register(in: &router)
    try PrivacyServiceMethods.register(in: &router)
  }

  private var waiter: CursorWaiter {
    CursorWaiter(
      log: ports.log, hub: hub, cursors: cursors, clock: options.waitingClock, limit: waitLimit)
  }

  /// Nil where this server keeps no quotas.
  private var quotaParts: QuotaParts? {
    guard let store = ports.quotas, let usage = ports.usage else { return nil }
    return QuotaParts(
      users: ports.users, store: store, usage: usage, book: quotas, admission: admission,
      writes: writes)
  }

  /// Nil where this server has no consumer groups.
  private var groupParts: GroupParts? {
    guard let store = ports.groups, let desks else { return nil }
    return GroupParts(
      store: store, desks: desks, hub: hub, serverID: options.info.serverID, clock: options.clock,
      ids: options.ids)
  }

  /// Nil where this server does not search.
  private var searcher: Searcher? {
    guard let store = ports.retrieval, let models = options.embeddingModels else { return nil }
    return Searcher(store: store, models: models, recall: options.liveRecall)
  }

  /// What agents retrieve with, on the same parts as RetrievalService.
  package static func retriever(
    store: any RetrievalStore, models: EmbeddingModels, recall: LiveRecall
  ) -> any ContextRetriever {
    Retriever(searcher: Searcher(store: store, models: models, recall: recall), store: store)
  }

  /// Runs the validations that wait; its owner runs it where this server validates.
  package var validationWorker: ValidationWorker {
    ValidationWorker(journal: validations, bell: validationBell) { [hub] in hub.isDraining }
  }

  /// Continues the runs that other servers left behind.
  package var resumer: AgentResumer {
    AgentResumer(stores: ports.agents, live: hub, journal: journal, driver: driver)
  }
}
