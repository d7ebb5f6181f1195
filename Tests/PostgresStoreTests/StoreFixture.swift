import Domain
import PostgresStore
import TestSupport

/// A migrated database of its own with every store on it, for one test.
struct StoreFixture: Sendable {
  let connection: ClusterConnection
  let database: PostgresDatabase
  let ids = UUIDv7Generator()

  var writes: PostgresWriteStore { PostgresWriteStore(database) }
  var users: PostgresUserRepository { PostgresUserRepository(database) }
  var courses: PostgresCourseRepository { PostgresCourseRepository(database) }
  var goals: PostgresGoalRepository { PostgresGoalRepository(database) }
  var snapshots: PostgresSnapshotRepository { PostgresSnapshotRepository(database) }
  var documents: PostgresDocumentRepository { PostgresDocumentRepository(database) }
  var log: PostgresEventLog { PostgresEventLog(database) }
  var stamper: PostgresEventStamper { PostgresEventStamper(database) }
  var cursors: PostgresCursorStore { PostgresCursorStore(database) }
  var tokens: PostgresTokenStore { PostgresTokenStore(database) }

  static let migrated = TestCluster.Template("migrated") { connection in
    try await Migrator(ConnectionSettings(conninfo: connection.conninfo(role: .owner))).up()
  }

  /// Runs `body` on a fresh database, connected as the application role as the server is.
  static func run(
    connectionCount: Int = 4, _ body: @Sendable (StoreFixture) async throws -> Void
  ) async throws {
    try await inTurn {
      let connection = try await TestCluster.shared().makeDatabase(from: migrated)
      try await serve(connection, connectionCount: connectionCount) { database in
        try await body(StoreFixture(connection: connection, database: database))
      }
    }
  }

  /// Runs `body` when few enough other tests are running.
  static func inTurn(_ body: @Sendable () async throws -> Void) async throws {
    await TestTurns.shared.take()
    do {
      try await body()
    } catch {
      await TestTurns.shared.give()
      throw error
    }
    await TestTurns.shared.give()
  }

  /// Runs `body` while a driver serves this database.
  static func serve(
    _ connection: ClusterConnection, connectionCount: Int = 4,
    _ body: @Sendable (PostgresDatabase) async throws -> Void
  ) async throws {
    var configuration = PostgresDatabase.Configuration(conninfo: connection.conninfo())
    configuration.connectionCount = connectionCount
    configuration.longConnectionCount = 1
    let database = PostgresDatabase(configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await database.run() }
      defer { database.shutdown() }
      try await body(database)
    }
  }

  /// A session as the owner of the schema, for looking behind the stores' backs.
  func script() async throws -> ScriptSession {
    try await ScriptSession(ConnectionSettings(conninfo: connection.conninfo(role: .owner)))
  }
}

// MARK: What tests write

extension StoreFixture {
  static let start = Timestamp(microsecondsSinceEpoch: 1_800_000_000_000_000)

  func context(at now: Timestamp = start) -> ChangeContext {
    ChangeContext(now: now, ids: ids, metadata: .object([("actor", .string("test"))]))
  }

  func newUser(
    _ name: String = "Ada", role: Role = .learner, externalID: String? = nil,
    at now: Timestamp = start
  ) -> User {
    User(
      id: ids.next(at: now), externalID: externalID, displayName: name,
      email: "\(name)@example.org", role: role, language: "es", timeZone: "Europe/Madrid",
      createdAt: now, updatedAt: now)
  }

  /// Commits a new user and returns it.
  func addUser(
    _ name: String = "Ada", role: Role = .learner, externalID: String? = nil,
    at now: Timestamp = start
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
    attributes: [String: String] = [:], at now: Timestamp = start
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
    _ user: User, in course: Course, at now: Timestamp = start
  ) async throws -> Enrolment {
    let enrolment = Enrolment(
      id: ids.next(at: now), courseID: course.id, userID: user.id, isActive: true, version: 1,
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
    at now: Timestamp = start
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
    at now: Timestamp = start
  ) async throws -> GoalAggregate {
    let aggregate = try newGoal(
      owner: owner, title: title, course: course, taskCount: taskCount, at: now)
    let outcome = try await save(aggregate)
    guard outcome == .committed else { throw FixtureError(outcome) }
    return try await load(aggregate.goal.id, as: owner)
  }

  func load(_ id: UUIDv7, as user: User) async throws -> GoalAggregate {
    guard
      let goal = try await goals.goal(id, scope: AccessScope(user), forUpdate: true)
    else { throw FixtureError(.stale) }
    return goal
  }

  /// Stamps until nothing is left and returns what was stamped.
  func stampAll() async throws -> [StoredEvent] {
    var stamped: [StoredEvent] = []
    while let batch = try await stamper.stamp(limit: 500), !batch.isEmpty { stamped += batch }
    return stamped
  }

  func request(_ key: String, by user: User, hash: UInt8 = 1) -> RequestKey {
    RequestKey(
      callerID: user.id, method: "hito.v1.GoalService/CreateGoal", key: key,
      requestHash: [UInt8](repeating: hash, count: 32))
  }
}

struct FixtureError: Error {
  var outcome: CommitOutcome
  init(_ outcome: CommitOutcome) { self.outcome = outcome }
}

extension AccessScope {
  init(_ user: User) { self.init(callerID: user.id, role: user.role) }
}
