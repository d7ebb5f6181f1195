import Domain
import Testing

/// Goals with their tasks and events.
@Suite struct GoalSuite {
  @Test(arguments: StoreKind.allCases)
  func aCreatedGoalReadsBackWithItsTasks(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let created = try store.newGoal(owner: owner)
      #expect(try await store.save(created) == .committed)
      let read = try await store.load(created.goal.id, as: owner)
      #expect(read.goal == created.goal)
      #expect(read.tasks == created.tasks)
      #expect(read.loadedRevision == 1)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aGoalWithoutTasksReadsBack(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let read = try await store.addGoal(owner: owner, taskCount: 0)
      #expect(read.tasks.isEmpty)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func itsEventsAreSequencedInOrder(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let created = try store.newGoal(owner: owner)
      #expect(try await store.save(created) == .committed)
      let sequenced = try await store.sequenceAll()
      #expect(sequenced.map(\.position) == [1, 2, 3, 4, 5])
      #expect(
        sequenced.map(\.type)
          == ["user.created", "goal.created", "task.created", "task.created", "task.created"])
      #expect(sequenced.dropFirst().map(\.id) == created.events.map(\.id))
      #expect(try await store.log.events(after: 0, limit: 100) == sequenced)
      #expect(try await store.log.head() == 5)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func changesOfGoalAndTasksReadBack(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      var goal = try await store.addGoal(owner: owner)
      try goal.applyToTask(
        goal.tasks[0].id, .complete, expectedVersion: nil, context: store.context())
      try goal.applyToTask(
        goal.tasks[1].id, .delete, expectedVersion: nil, context: store.context())
      try goal.addTask(TaskDraft(title: "otra"), context: store.context())
      try goal.update(expectedVersion: nil, context: store.context()) { goal in
        goal.title = "nuevo"
        goal.validationCriteria = []
        goal.targetDate = StoreFixture.start
      }
      #expect(try await store.save(goal) == .committed)
      let read = try await store.load(goal.goal.id, as: owner)
      #expect(read.tasks == goal.tasks)
      #expect(read.loadedRevision == 2)
      var expected = goal.goal
      expected.revision = 2
      #expect(read.goal == expected)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aStaleWriteWritesNothing(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let loaded = try await store.addGoal(owner: owner)
      var (first, second) = (loaded, loaded)
      try first.apply(.start, expectedVersion: nil, context: store.context())
      // Only a task changes, so that no event version collides: the revision alone guards.
      try second.updateTask(
        second.tasks[0].id, expectedVersion: nil, context: store.context()
      ) { $0.title = "verloren" }
      #expect(try await store.save(first) == .committed)
      #expect(try await store.save(second) == .stale)
      let read = try await store.load(loaded.goal.id, as: owner)
      #expect(read.tasks == loaded.tasks)
      #expect(try await store.sequenceAll().last?.type == "goal.started")
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aNewGoalWithoutItsOwnerIsRefusedAsStale(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let orphan = try store.newGoal(owner: store.newUser())
      #expect(try await store.save(orphan) == .stale)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func listsComeNewestFirstInPages(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      var made: [EntityID] = []
      for index in 0..<7 {
        // Pairs share a time, so that pages break between equal times.
        let time = StoreFixture.start.advanced(by: .seconds(index / 2))
        made.append(
          try await store.addGoal(owner: owner, title: "g\(index)", taskCount: 0, at: time).goal.id)
      }
      var seen: [EntityID] = []
      var page = PageRequest(limit: 3)
      repeat {
        let goals = try await store.goals.goals(
          GoalFilter(), page: page, scope: AccessScope(owner))
        seen += goals.items.map(\.id)
        page.after = goals.next
      } while page.after != nil
      #expect(seen == made.reversed())
    }
  }

  @Test(arguments: StoreKind.allCases)
  func listsKeepToTheirFilters(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let course = try await store.addCourse(owner: try await store.addUser(role: .instructor))
      let plain = try await store.addGoal(owner: owner, title: "Aprender Swift")
      let inCourse = try await store.addGoal(
        owner: owner, title: "aprender 100% FASTAPI", course: course,
        at: StoreFixture.start.advanced(by: .seconds(10)))
      var archived = try await store.addGoal(owner: owner, title: "viejo")
      try archived.apply(.archive, expectedVersion: nil, context: store.context())
      #expect(try await store.save(archived) == .committed)
      func list(_ edit: (inout GoalFilter) -> Void) async throws -> Set<EntityID> {
        var filter = GoalFilter()
        edit(&filter)
        let page = try await store.goals.goals(
          filter, page: PageRequest(limit: 50), scope: AccessScope(owner))
        return Set(page.items.map(\.id))
      }
      #expect(try await list { _ in } == [plain.goal.id, inCourse.goal.id])
      #expect(try await list { $0.statuses = [.archived, .deleted] } == [archived.goal.id])
      #expect(try await list { $0.courseID = course.id } == [inCourse.goal.id])
      #expect(try await list { $0.titleContains = "0% fast" } == [inCourse.goal.id])
      #expect(try await list { $0.titleContains = "%" } == [inCourse.goal.id])
      #expect(
        try await list { $0.createdAfter = StoreFixture.start.advanced(by: .seconds(1)) }
          == [inCourse.goal.id])
      #expect(
        try await list { $0.createdBefore = StoreFixture.start.advanced(by: .seconds(1)) }
          == [plain.goal.id])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func deletingAGoalHidesItAndItsTasks(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      var goal = try await store.addGoal(owner: owner)
      let task = goal.tasks[0].id
      try goal.apply(.delete, expectedVersion: nil, context: store.context())
      #expect(try await store.save(goal) == .committed)
      let scope = AccessScope(owner)
      #expect(try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: false) == nil)
      #expect(try await store.goals.goal(ofTask: task, scope: scope, forUpdate: false) == nil)
      #expect(try await store.goals.task(task, scope: scope) == nil)
      let page = PageRequest(limit: 10)
      #expect(
        try await store.goals.tasks(owner: nil, statuses: [], page: page, scope: scope).items
          .isEmpty)
      #expect(
        try await store.goals.goals(GoalFilter(), page: page, scope: scope).items.isEmpty)
    }
  }
}
