import Contract
import Domain
import InMemoryStore
import RPC
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct `A write` {
  let fixture = ServiceFixture()

  @Test func `under a key happens once, and a repeat gets the first reply`() async throws {
    let ada = fixture.user()
    let first = try await fixture.createGoal(tasks: ["uno"], as: ada, key: "k")
    var second = try await fixture.createGoal(tasks: ["uno"], as: ada, key: "k")
    #expect(second.receipt?.replayed == true)
    second.receipt?.replayed = false
    #expect(second == first)
    #expect(fixture.store.allEvents.count == 2)
  }

  @Test func `that was decided on what it changed itself is repeated all the same`() async throws {
    let ada = fixture.user()
    let task = try await fixture.createGoal(tasks: ["uno"], as: ada).tasks[0].id
    let first = try await fixture.completeTask(task, version: 1, as: ada, key: "k")
    let second = try await fixture.completeTask(task, version: 1, as: ada, key: "k")
    #expect(second.receipt == WriteReceipt(cursor: first.receipt?.cursor ?? "", replayed: true))
    #expect(second.goal == first.goal)
  }

  @Test func `refuses a key of another request, and knows keys by caller and method`() async throws
  {
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    let first = try await fixture.createGoal("una", as: ada, key: "k")
    let conflict = await failure { try await fixture.createGoal("otra", as: ada, key: "k") }
    #expect(conflict.code == .alreadyExists)
    #expect(conflict.decodedDetails.reason == .keyConflict)
    let other = try await fixture.createGoal("otra", as: bea, key: "k")
    #expect(other.receipt?.replayed == false)
    let started: StartGoalResponse = try await fixture.call(
      GoalServiceMethods.startGoal, StartGoalRequest(goalId: first.goal?.id ?? ""), as: ada,
      key: "k")
    #expect(started.receipt?.replayed == false)
  }

  @Test func `repeated at the same time by many happens once`() async throws {
    let ada = fixture.user()
    let fixture = fixture
    let task = try await fixture.createGoal(tasks: ["uno"], as: ada).tasks[0].id
    let before = fixture.store.allEvents.count
    let replies = try await withThrowingTaskGroup(of: CompleteTaskResponse.self) { group in
      for _ in 0..<20 {
        group.addTask { try await fixture.completeTask(task, as: ada, key: "same") }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(replies.count { $0.receipt?.replayed == false } == 1)
    #expect(Set(replies.map { $0.receipt?.cursor ?? "" }).count == 1)
    // task.completed, goal.started, goal.completed
    #expect(fixture.store.allEvents.count == before + 3)
  }

  @Test func `whose first attempt ended between look and decision gets that one's reply`()
    async throws
  {
    let ada = fixture.user()
    let fixture = fixture
    let task = try await fixture.createGoal(tasks: ["uno"], as: ada).tasks[0].id
    // The repeat comes to its commit when the first was committed already.
    fixture.store.beforeNextCommit {
      _ = try? await fixture.completeTask(task, as: ada, key: "k")
    }
    let late = try await fixture.completeTask(task, as: ada, key: "k")
    #expect(late.receipt?.replayed == true)
  }

  @Test func `is decided again where another write was first`() async throws {
    let ada = fixture.user()
    let fixture = fixture
    let created = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    fixture.store.beforeNextCommit {
      _ = try? await fixture.completeTask(created.tasks[0].id, as: ada)
    }
    let second = try await fixture.completeTask(created.tasks[1].id, as: ada)
    #expect(second.goal?.status == .completed)
    let goal = try await fixture.getGoal(created.goal?.id, as: ada)
    #expect(goal.goal?.progressPercentage == 100)
  }

  @Test func `with an expected version is refused where another write was first`() async throws {
    let ada = fixture.user()
    let fixture = fixture
    let created = try await fixture.createGoal("una", as: ada)
    let id = created.goal?.id ?? ""
    fixture.store.beforeNextCommit {
      let _: StartGoalResponse? = try? await fixture.call(
        GoalServiceMethods.startGoal, StartGoalRequest(goalId: id), as: ada)
    }
    let error = await failure {
      try await fixture.call(
        GoalServiceMethods.archiveGoal, ArchiveGoalRequest(goalId: id, expectedVersion: 1),
        as: ada, returning: ArchiveGoalResponse.self)
    }
    #expect(error.code == .aborted)
    #expect(error.decodedDetails.reason == .staleVersion)
    #expect(error.decodedDetails.resource?.currentVersion == 2)
  }

  @Test func `gives up with ABORTED where another write is always first`() async throws {
    let ada = fixture.user()
    let fixture = fixture
    let created = try await fixture.createGoal(tasks: ["uno"], as: ada)
    let turns = Mutex(0)
    // Each commit of ours is preceded by one of another caller's, whose own hook does nothing.
    for _ in 0..<20 {
      fixture.store.beforeNextCommit {
        let turn = turns.withLock { turns in
          turns += 1
          return turns
        }
        let _: UpdateTaskResponse? = try? await fixture.call(
          TaskServiceMethods.updateTask,
          UpdateTaskRequest(
            taskId: created.tasks[0].id, task: GoalTask(title: "\(turn)"),
            updateMask: FieldMask(paths: ["title"])),
          as: ada)
      }
      fixture.store.beforeNextCommit {}
    }
    let error = await failure { try await fixture.completeTask(created.tasks[0].id, as: ada) }
    #expect(error.code == .aborted)
    #expect(error.decodedDetails.reason == .contention)
  }

  @Test func `of many at a time on one goal loses none`() async throws {
    let ada = fixture.user()
    let fixture = fixture
    let created = try await fixture.createGoal(tasks: ["1", "2", "3", "4", "5"], as: ada)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in created.tasks {
        group.addTask { _ = try await fixture.completeTask(task.id, as: ada) }
      }
      try await group.waitForAll()
    }
    let goal = try await fixture.getGoal(created.goal?.id, as: ada).goal
    #expect(goal?.status == .completed)
    let versions = fixture.store.allEvents.filter { $0.entityType == "goal" }.map(\.version)
    #expect(versions == Array(1...Int64(versions.count)))
  }

  @Test func `whose answer was lost says so, and its repeat finds it`() async throws {
    let ada = fixture.user()
    fixture.store.fail(.commitAnswer, .unavailable("gone", maybeCommitted: true))
    let error = await failure { try await fixture.createGoal(as: ada, key: "k") }
    #expect(error.code == .unavailable)
    #expect(error.decodedDetails.reason == .storeUnavailable)
    #expect(error.message.contains("may have been committed"))
    #expect(!error.message.contains("gone"))
    let again = try await fixture.createGoal(as: ada, key: "k")
    #expect(again.receipt?.replayed == true)
    #expect(fixture.store.allEvents.count == 1)
  }

  @Test(arguments: [
    (StoreError.unavailable("x", maybeCommitted: false), "UNAVAILABLE"),
    (.timedOut(maybeCommitted: true), "DEADLINE_EXCEEDED"), (.cancelled, "CANCELLED"),
    (.corrupt("secret"), "INTERNAL"),
  ])
  func `tells the store's troubles in fixed words`(error: StoreError, code: String) async {
    let ada = fixture.user()
    fixture.store.fail(.commit, error)
    let failed = await failure { try await fixture.createGoal(as: ada) }
    #expect("\(failed.code)" == code)
    #expect(!failed.message.contains("secret"))
    #expect(fixture.store.allEvents.isEmpty)
  }

  @Test func `leaves in its events who did it, how and why`() async throws {
    let ada = fixture.user()
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let method = GoalServiceMethods.createGoal
    let bytes = CreateGoalRequest(title: "x").encodedBytes()
    guard case .unary(let decode)? = fixture.router[method.path]?.body else { return }
    let context = CallContext(
      method: method,
      principal: Principal(
        userID: ada.id.description, role: .learner,
        tokenID: EntityID(high: 9, low: 9).description),
      idempotencyKey: "the-key",
      metadata: [("correlation-id", "c-1"), ("other", "no"), ("tracestate", "vendor=1")],
      traceparent: trace, requestBytes: bytes)
    _ = try await bytes.withUnsafeBytes { try decode($0, DecodeLimits()) }(context)
    let metadata = try #require(fixture.store.allEvents.first).openedMetadata
    for part in [
      ada.id.description, "hito.v1.GoalService/CreateGoal", "the-key", trace, "c-1", "vendor=1",
      EntityID(high: 9, low: 9).description,
    ] {
      #expect(metadata.contains(part))
    }
    #expect(!metadata.contains("\"no\""))
    // Whoever is shown the event learns neither the key nor the token.
    try await fixture.relay()
    let read = try await fixture.readEvents(as: ada).events
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let watched = try await watch.events(until: .caughtUp)
    watch.cancel()
    #expect(read.count == 1 && watched.count == 1)
    for shown in (read + watched).map(\.metadataJson) {
      for part in [ada.id.description, "hito.v1.GoalService/CreateGoal", trace, "c-1", "vendor=1"] {
        #expect(shown.contains(part))
      }
      for part in ["the-key", EntityID(high: 9, low: 9).description, "token_id", "idempotency"] {
        #expect(!shown.contains(part))
      }
    }
  }

  @Test func `leaves no trace context in its events that is none`() async throws {
    let method = GoalServiceMethods.createGoal
    let bytes = CreateGoalRequest(title: "x").encodedBytes()
    guard case .unary(let decode)? = fixture.router[method.path]?.body else { return }
    let context = CallContext(
      method: method,
      principal: Principal(
        userID: fixture.user().id.description, role: .learner,
        tokenID: EntityID(high: 9, low: 9).description),
      metadata: [("tracestate", "vendor=1")], traceparent: "00-nonsense", requestBytes: bytes)
    _ = try await bytes.withUnsafeBytes { try decode($0, DecodeLimits()) }(context)
    let metadata = try #require(fixture.store.allEvents.first).openedMetadata
    #expect(!metadata.contains("trace") && metadata.contains("CreateGoal"))
  }
}
