import Agents
import Contract
import Documents
import Domain
import EventLog
import InMemoryStore
import Logging
import RPC
import Retrieval
import Service
import Synchronization
import Testing
import Wire

/// A clock that moves by a microsecond each time it is read, so that nothing happens at once, and
/// further when it is told to.
final class SteppingTime: TimeSource {
  /// 2026-01-01T00:00:00Z.
  static let start = Domain.Timestamp(microsecondsSinceEpoch: 1_767_225_600_000_000)

  private let value = Mutex(SteppingTime.start)

  func now() -> Domain.Timestamp {
    value.withLock { value in
      value = value.advanced(by: .microseconds(1))
      return value
    }
  }

  func advance(by duration: Duration) {
    value.withLock { $0 = $0.advanced(by: duration) }
  }
}

/// The services on an in-memory store, called as the transport calls them: encoded, routed, decoded.
struct ServiceFixture: Sendable {
  let store: InMemoryStore
  let time = SteppingTime()
  let ids = UUIDv7Generator()
  let hub: EventHub
  let health = HealthState()
  let embedder = WordEmbedder()
  let models: EmbeddingModels
  let services: Services
  let router: Router
  let commits: CommitCounter
  let audit: AuditRecorder
  /// As the services make them.
  static let cursors = CursorCodec(secret: secret) { .unnamed }
  private static let secret = [UInt8](repeating: 7, count: 32)

  final class CommitCounter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
  }

  init(
    ringCapacity: Int = 8192, ringByteCountMax: Int = 64 << 20,
    archive: (any EventArchive)? = nil, model: (any LanguageModel)? = nil,
    retriever: (any ContextRetriever)? = nil, agents: AgentOptions = AgentOptions(),
    store: InMemoryStore = InMemoryStore(),
    inspection: ServerInspection = ServerInspection(), embedsImmediately: Bool = true,
    retrieval: (any RetrievalStore)? = nil, liveRecall: LiveRecall = LiveRecall(),
    quotas: QuotaDefaults = QuotaDefaults(), book: QuotaBook? = nil,
    validator: (any CodeValidator)? = nil, exchange: (any DiagnosticExchange)? = nil
  ) {
    let commits = CommitCounter()
    self.commits = commits
    self.store = store
    hub = EventHub(capacity: ringCapacity, byteCountMax: ringByteCountMax)
    var options = Services.Options(
      clock: time, ids: ids,
      info: ServerInfo(serverID: "server", version: "1.2.3", startedAt: SteppingTime.start),
      secret: Self.secret)
    options.health = health
    options.inspection = inspection
    options.waitingClock = InstantClock()
    options.agents = agents
    // Tests need not run a relay for followers of runs.
    options.agents.pollInterval = .milliseconds(2)
    options.validations.followInterval = .milliseconds(2)
    options.validations.flushInterval = .milliseconds(1)
    options.validations.pollInterval = .milliseconds(2)
    options.committed = { commits.add() }
    models = EmbeddingModels(
      providers: [
        EmbeddingModels.Provider(
          embedder: embedder, isImmediate: embedsImmediately, minimumSimilarity: 0.3)
      ], store: store)
    options.embeddingModels = models
    options.liveRecall = liveRecall
    // The store dates by the wall clock.
    options.quotas =
      book ?? QuotaBook(store: store, defaults: quotas, clock: WallClock())
    audit = AuditRecorder(
      store: store, clock: time, ids: ids,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    options.audit = audit
    var stores = ServicePorts(
      users: store, courses: store, goals: store, snapshots: store, writes: store,
      tokens: store, log: store, archive: archive, runs: store,
      validation: ValidationPorts(
        validations: store, queue: store, tests: store, validator: validator, exchange: exchange),
      model: model,
      retriever: retriever)
    stores.retrieval = retrieval ?? store
    stores.embeddings = store
    stores.quotas = store
    stores.usage = store
    stores.audit = store
    stores.groups = store
    stores.externals = store
    stores.documents = CourseDocuments(repository: store, reader: StandardDocumentReader())
    stores.timeZones = TimeZoneNames(["Europe/Madrid", "America/Lima"])
    services = Services(ports: stores, hub: hub, options: options)
    do {
      router = try services.router(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    } catch {
      Issue.record("the services do not register: \(error)")
      router = Router()
    }
  }

  /// A user that is there already.
  func user(_ role: Domain.Role = .learner, name: String = "Ada") -> Domain.User {
    let now = time.now()
    let user = Domain.User(
      id: ids.next(at: now), externalID: nil, displayName: name, email: nil, role: role,
      language: "es", timeZone: "UTC", createdAt: now, updatedAt: now)
    store.seed(user)
    return user
  }

  /// What the relay does: gives positions to what waits and hands it to the hub.
  func relay() async throws {
    if hub.head == nil { hub.begin(at: 0) }
    hub.publish(try await store.sequence(limit: .max) ?? [])
  }

  func context(
    _ method: MethodDescriptor, as user: Domain.User?, key: String? = nil, bytes: [UInt8] = [],
    scopes: [String] = [], deadline: ContinuousClock.Instant? = .now + .seconds(20),
    tokenID: String? = nil
  ) -> CallContext {
    CallContext(
      method: method, deadline: deadline.map { Moment($0) },
      principal: user.map {
        Principal(
          userID: $0.id.description, role: Principal.Role(rawValue: $0.role.rawValue) ?? .learner,
          tokenID: tokenID ?? "", scopes: scopes)
      },
      idempotencyKey: key, requestBytes: key == nil ? [] : bytes)
  }

  /// One unary call through the router.
  func call<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, as user: Domain.User?, key: String? = nil,
    scopes: [String] = [], deadline: ContinuousClock.Instant? = .now + .seconds(20),
    tokenID: String? = nil, returning type: Response.Type = Response.self
  ) async throws -> Response {
    let bytes = request.encodedBytes()
    let route = try #require(router[method.path])
    guard case .unary(let decode) = route.body else {
      throw RPCError(.internal, "\(method.path) is not unary")
    }
    let invocation = try bytes.withUnsafeBytes { try decode($0, DecodeLimits()) }
    let context = context(
      method, as: user, key: key, bytes: bytes, scopes: scopes, deadline: deadline,
      tokenID: tokenID)
    do {
      return try Response.decode(try await invocation(context).encodedBytes())
    } catch {
      throw RPCError(fromHandler: error)
    }
  }
}

/// A clock whose sleeps end at once, having let others run; time itself continues as ever.
struct InstantClock: Clock {
  var now: ContinuousClock.Instant { .now }
  var minimumResolution: Duration { .nanoseconds(1) }

  func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    await Task.yield()
  }
}

/// What went wrong with a call, as a client sees it.
func failure(
  _ body: () async throws -> some Sendable, sourceLocation: SourceLocation = #_sourceLocation
) async -> RPCError {
  do {
    let value = try await body()
    Issue.record("it went well: \(value)", sourceLocation: sourceLocation)
    return RPCError(.unknown, "")
  } catch {
    return error as? RPCError ?? RPCError(fromHandler: error)
  }
}

extension RPCError {
  var decodedDetails: ErrorDetails {
    (try? ErrorDetails.decode(details)) ?? ErrorDetails()
  }
}
