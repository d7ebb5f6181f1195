import Domain
import InMemoryStore
import PostgresStore
import Synchronization

/// Every port of the stores, whatever holds the rows: what the store suite tests.
protocol TestedStore: Sendable {
  associatedtype Writes: WriteStore
  associatedtype Users: UserRepository
  associatedtype Courses: CourseRepository
  associatedtype Goals: GoalRepository
  associatedtype Snapshots: SnapshotRepository
  associatedtype Documents: DocumentRepository
  associatedtype Blobs: PagedEventBlobs
  associatedtype Log: EventLog
  associatedtype Sequencer: EventSequencer
  associatedtype Tokens: TokenStore
  associatedtype Runs: AgentRunStore
  associatedtype Validations: ValidationStore & ValidationQueue
  associatedtype TaskTestsStores: TaskTestsStore
  associatedtype Usages: ModelUsageStore
  associatedtype Quotas: QuotaStore
  associatedtype Groups: ConsumerGroupStore
  associatedtype Externals: ExternalEventStore
  associatedtype Retrieval: RetrievalStore
  associatedtype Embeddings: EmbeddingStore
  associatedtype Audits: AuditStore

  var ids: UUIDv7Generator { get }
  var writes: Writes { get }
  var users: Users { get }
  var courses: Courses { get }
  var goals: Goals { get }
  var snapshots: Snapshots { get }
  var documents: Documents { get }
  var blobs: Blobs { get }
  var log: Log { get }
  var sequencer: Sequencer { get }
  var tokens: Tokens { get }
  var runs: Runs { get }
  var validations: Validations { get }
  var taskTests: TaskTestsStores { get }
  var usages: Usages { get }
  var quotas: Quotas { get }
  var groups: Groups { get }
  var externals: Externals { get }
  var retrieval: Retrieval { get }
  var embeddings: Embeddings { get }
  var audit: Audits { get }

  /// By the clock that the store dates by.
  var now: Timestamp { get }

  /// Makes remembered replies and leases so much older.
  func letTimePass(_ duration: Duration) async throws
}

/// Which store a test of the suite runs on.
enum StoreKind: CaseIterable, CustomStringConvertible {
  case postgres
  /// PostgreSQL with the first wall down: every statement asks for everybody's rows. Personal values
  /// of events are sealed besides: the one has nothing to do with the other, and both are to change
  /// nothing.
  case secondWall
  case memory

  var description: String {
    switch self {
    case .postgres: "PostgreSQL"
    case .secondWall: "PostgreSQL without the first wall, with sealed events"
    case .memory: "memory"
    }
  }

  /// Runs `body` on a fresh store.
  func run(_ body: @Sendable (any TestedStore) async throws -> Void) async throws {
    switch self {
    case .postgres: try await StoreFixture.run(connectionCount: 8) { try await body($0) }
    case .secondWall:
      try await FirstWall.$isDown.withValue(true) {
        try await PersonalCodecs.$ofTask.withValue(MarkingCodec()) {
          try await StoreFixture.run(connectionCount: 8) { try await body($0) }
        }
      }
    case .memory: try await body(MemoryFixture())
    }
  }
}

/// The store in memory with a clock that tests move.
struct MemoryFixture: TestedStore {
  private final class Clock: TimeSource {
    private let time = Mutex(StoreFixture.start)

    func now() -> Timestamp { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
  }

  let ids = UUIDv7Generator()
  private let clock: Clock
  let writes: InMemoryStore

  init() {
    clock = Clock()
    writes = InMemoryStore(clock: clock)
  }

  var users: InMemoryStore { writes }
  var courses: InMemoryStore { writes }
  var goals: InMemoryStore { writes }
  var snapshots: InMemoryStore { writes }
  var documents: InMemoryStore { writes }
  var blobs: InMemoryStore { writes }
  var log: InMemoryStore { writes }
  var sequencer: InMemoryStore { writes }
  var tokens: InMemoryStore { writes }
  var runs: InMemoryStore { writes }
  var validations: InMemoryStore { writes }
  var taskTests: InMemoryStore { writes }
  var usages: InMemoryStore { writes }
  var quotas: InMemoryStore { writes }
  var groups: InMemoryStore { writes }
  var externals: InMemoryStore { writes }
  var now: Timestamp { clock.now() }
  var retrieval: InMemoryStore { writes }
  var embeddings: InMemoryStore { writes }
  var audit: InMemoryStore { writes }

  func letTimePass(_ duration: Duration) async throws { clock.advance(by: duration) }
}

// MARK: What tests write

extension TestedStore {
  func context(at now: Timestamp = StoreFixture.start) -> ChangeContext {
    ChangeContext(now: now, ids: ids, metadata: .object([("actor", .string("test"))]))
  }

  func newUser(
    _ name: String = "Ada", role: Role = .learner, externalID: String? = nil,
    at now: Timestamp = StoreFixture.start
  ) -> User {
    User(
      id: ids.next(at: now), externalID: externalID, displayName: name,
      email: "\(name)@example.org", role: role, language: "es", timeZone: "Europe/Madrid",
      createdAt: now, updatedAt: now)
  }

  /// Commits a new user and returns it.
  func addUser(
    _ name: String = "Ada", role: Role = .learner, externalID: String? = nil,
    at now: Timestamp = StoreFixture.start
  ) async throws -> User {
    let user = newUser(name, role: role, externalID: externalID, at: now)
    let event = user.event(
      .userCreated, id: ids.next(at: now), at: now, metadata: .object([]))
    let outcome = try await writes.commit(
      Write(changes: [.insertUser(user)], events: [event], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return user
  }

  func addCourse(
    owner: User, title: String = "FastAPI", technologies: [String] = ["python"],
    attributes: [String: String] = [:], at now: Timestamp = StoreFixture.start
  ) async throws -> Course {
    let course = Course(
      id: ids.next(at: now), userID: owner.id, title: title, description: "", language: "es",
      technologies: technologies, attributes: attributes, createdAt: now, updatedAt: now)
    let event = course.event(
      .courseCreated, id: ids.next(at: now), at: now, metadata: .object([]))
    let outcome = try await writes.commit(
      Write(changes: [.insertCourse(course)], events: [event], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return course
  }

  func enrol(
    _ user: User, in course: Course, at now: Timestamp = StoreFixture.start
  ) async throws -> Enrolment {
    let enrolment = Enrolment(
      id: ids.next(at: now), courseID: course.id, userID: user.id, state: .active,
      changedBy: user.id, version: 1,
      createdAt: now, updatedAt: now)
    let event = enrolment.event(
      .courseEnrolled, id: ids.next(at: now), at: now, metadata: .object([]))
    let outcome = try await writes.commit(
      Write(changes: [.insertEnrolment(enrolment)], events: [event], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return enrolment
  }

  func newGoal(
    owner: User, title: String = "Aprender FastAPI", course: Course? = nil, taskCount: Int = 3,
    at now: Timestamp = StoreFixture.start
  ) throws -> GoalAggregate {
    let goal = Goal(
      id: ids.next(at: now), userID: owner.id, courseID: course?.id, title: title,
      description: "Crear una API REST \"completa\"\n\\o/",
      validationCriteria: ["hay pruebas", "{a,\"b\"}", "\\"], createdAt: now, updatedAt: now)
    let drafts = (0..<taskCount).map { index in
      TaskDraft(
        title: "Tarea \(index)", description: "d",
        validationCriteria: Array(repeating: "c, \"x\" \\ {}", count: index))
    }
    return try GoalAggregate.create(goal, tasks: drafts, context: context(at: now))
  }

  func save(
    _ aggregate: GoalAggregate, reply: KeyedReply? = nil
  ) async throws -> CommitOutcome {
    try await writes.commit(
      Write(changes: [.saveGoal(aggregate)], events: aggregate.events, reply: reply))
  }

  /// Commits a new goal and returns it as the store reads it back.
  func addGoal(
    owner: User, title: String = "Aprender FastAPI", course: Course? = nil, taskCount: Int = 3,
    at now: Timestamp = StoreFixture.start
  ) async throws -> GoalAggregate {
    let aggregate = try newGoal(
      owner: owner, title: title, course: course, taskCount: taskCount, at: now)
    let outcome = try await save(aggregate)
    guard outcome == .committed else { throw FixtureError(outcome) }
    return try await load(aggregate.goal.id, as: owner)
  }

  func load(_ id: EntityID, as user: User) async throws -> GoalAggregate {
    guard
      let goal = try await goals.goal(id, scope: AccessScope(user), forUpdate: true)
    else { throw FixtureError(.stale) }
    return goal
  }

  /// Gives positions until every event has one, and returns those events.
  func sequenceAll() async throws -> [StoredEvent] {
    var sequenced: [StoredEvent] = []
    while let batch = try await sequencer.sequence(limit: 500), !batch.isEmpty {
      sequenced += batch
    }
    return sequenced
  }

  func request(_ key: String, by user: User, hash: UInt8 = 1) -> RequestKey {
    RequestKey(
      callerID: user.id, method: "hito.v1.GoalService/CreateGoal", key: key,
      requestHash: [UInt8](repeating: hash, count: 32))
  }
}

extension TestedStore {
  /// A vector of the active model along one axis.
  func embedding(axis: Int) async throws -> PassageEmbedding {
    let model = try await embeddings.models().active
    var vector = [Float](repeating: 0, count: model.dimensionCount)
    vector[axis] = 1
    return PassageEmbedding(model: model.name, vector: vector)
  }

  /// Commits a passage.
  ///
  /// - Parameter axis: of its vector; nil: it waits for one.
  func save(_ passage: Passage, axis: Int?, hash: UInt8 = 1) async throws {
    var embedding: PassageEmbedding?
    if let axis { embedding = try await self.embedding(axis: axis) }
    let upsert = PassageUpsert(
      passage: passage, contentHash: [UInt8](repeating: hash, count: 32), embedding: embedding)
    let update = PassageUpdate(
      kind: passage.kind, entityID: passage.entityID, upserts: [upsert])
    let outcome = try await writes.commit(
      Write(changes: [.savePassages(update)], events: [], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
  }
}

struct FixtureError: Error {
  var outcome: CommitOutcome
  init(_ outcome: CommitOutcome) { self.outcome = outcome }
}

extension AccessScope {
  init(_ user: User) { self.init(callerID: user.id, role: user.role) }
}

extension TokenStore {
  /// With the event that a service would write.
  func insert(_ token: TokenRecord) async throws(StoreError) {
    try await insert(token, event: token.issued)
  }

  func insert(
    _ token: TokenRecord, workingCountMax: Int
  ) async throws(StoreError) -> TokenInsertion {
    try await insert(token, event: token.issued, workingCountMax: workingCountMax)
  }

  func revoke(_ id: EntityID, at now: Timestamp) async throws(StoreError) -> Bool {
    try await revoke(id, at: now) { token in
      token.event(
        .userTokenRevoked, id: UUIDv7Generator().next(at: now), at: now, metadata: .object([]))
    }
  }
}

extension TokenRecord {
  fileprivate var issued: NewEvent {
    event(
      .userTokenIssued, id: UUIDv7Generator().next(at: createdAt), at: createdAt,
      metadata: .object([]))
  }
}
