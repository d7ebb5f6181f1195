package import Agents
internal import Contract
package import Domain
package import EventLog
package import RPC
package import Retrieval
internal import Writes

/// Every service of the contract on one set of ports.
package struct Services: Sendable {
  /// What the owner gives besides the stores.
  package struct Options: Sendable {
    package var clock: any TimeSource
    package var ids: any IDGenerator
    /// Tells the logs of deployments apart in cursors; the same on every replica of one.
    package var logName = ""
    package var info: ServerInfo
    package var inspection = ServerInspection()
    package var health = HealthState()
    /// Told after each commit, so that the relay need not poll.
    package var committed: @Sendable () -> Void = {}
    /// What waits are measured with; tests give one of their own.
    package var waitingClock: any Clock<Duration> = ContinuousClock()
    /// What makes vectors here; nil: texts are found by their words only, once somebody searches.
    package var embeddingModels: EmbeddingModels?
    package var liveRecall = LiveRecall()
    package var agents = AgentOptions()

    package init(clock: any TimeSource, ids: any IDGenerator, info: ServerInfo) {
      self.clock = clock
      self.ids = ids
      self.info = info
    }
  }

  private let environment: ServiceEnvironment
  private let options: Options

  package init(stores: ServiceStores, hub: EventHub, options: Options) {
    let cursors = CursorCodec(logName: options.logName)
    let waitingClock = options.waitingClock
    var agents = options.agents
    if agents.owner.isEmpty { agents.owner = options.info.serverID }
    let executor = DecisionExecutor(
      store: stores.writes, clock: options.clock, ids: options.ids, committed: options.committed,
      indexer: PassageIndexer(models: options.embeddingModels),
      pause: { attempt in
        // Full jitter: those that met once must not meet again.
        let most = min(Duration.milliseconds(1) * (1 << min(attempt, 6)), .milliseconds(50))
        try await waitingClock.sleep(for: most * Double.random(in: 0...1))
      })
    let writes = WriteExecutor(executor: executor, cursors: cursors)
    environment = ServiceEnvironment(
      stores: stores, clock: options.clock, ids: options.ids, cursors: cursors, hub: hub,
      visibility: EventVisibility(courses: stores.courses), writes: writes,
      waiter: CursorWaiter(log: stores.log, hub: hub, cursors: cursors, clock: waitingClock),
      authenticator: TokenAuthenticator(
        tokens: stores.tokens, users: stores.users, clock: options.clock),
      agents: agents)
    self.options = options
  }

  /// Serves every method of the contract, with or without an implementation.
  package func register(in router: inout Router) {
    UserService(environment: environment).register(in: &router)
    CourseService(environment: environment).register(in: &router)
    GoalService(environment: environment).register(in: &router)
    TaskService(environment: environment).register(in: &router)
    ProgressService(environment: environment).register(in: &router)
    CodeValidationService(environment: environment).register(in: &router)
    EventService(environment: environment).register(in: &router)
    AnalyticsService(environment: environment).register(in: &router)
    HealthService(state: options.health).register(in: &router)
    ReflectionService(descriptorSet: ContractDescriptors.fileDescriptorSet)
      .register(in: &router)
    RetrievalService(
      environment: environment, searcher: searcher, embeddings: environment.stores.embeddings,
      inspection: options.inspection
    ).register(in: &router)
    ServerService(
      environment: environment, info: options.info, inspection: options.inspection
    ).register(in: &router)
    NotYet().registerAll(in: &router)
    for service in ["HealthService", "ReflectionService"] {
      router.allowUnauthenticated(service: ContractMethods.package + service)
    }
    router.allowUnauthenticated(method: ServerServiceMethods.getServerInfo)
  }

  /// Nil where this server does not search.
  private var searcher: Searcher? {
    guard let store = environment.stores.retrieval, let models = options.embeddingModels else {
      return nil
    }
    return Searcher(store: store, models: models, recall: options.liveRecall)
  }

  /// What agents retrieve with, on the same parts as RetrievalService.
  package static func retriever(
    store: any RetrievalStore, models: EmbeddingModels, recall: LiveRecall
  ) -> any ContextRetriever {
    Retriever(searcher: Searcher(store: store, models: models, recall: recall), store: store)
  }

  /// Looks bearer tokens up in the stores.
  package var authenticator: TokenAuthenticator { environment.authenticator }

  /// Goes on with the runs that other servers left behind.
  package var resumer: AgentResumer {
    AgentResumer(
      stores: environment.stores.agents, live: environment.hub, journal: environment.journal,
      driver: environment.driver)
  }
}

/// The services that this server does not have yet: every method answers UNIMPLEMENTED.
private struct NotYet: PrivacyServiceHandler {
  func registerAll(in router: inout Router) {
    (self as any PrivacyServiceHandler).register(in: &router)
  }
}
