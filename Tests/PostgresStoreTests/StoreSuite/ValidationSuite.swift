import Domain
import Testing

/// Validations, their queue, and the tests of tasks.
@Suite struct ValidationSuite {
  static let lease = AgentLease(owner: "one", duration: .seconds(30))
  static let suite = TestSuite(
    language: "python", kind: .stdio,
    files: [SourceFile(path: "data/\"x\".txt", content: "ñ\n\\")],
    tests: [
      ExpectedTest(id: "open", input: "1", output: "2"),
      ExpectedTest(id: "closed", weight: 2.5, points: 3, isHidden: true, arguments: ["-x"]),
    ], limits: RunLimits(cpuMilliseconds: 500),
    policy: ScorePolicy(name: "custom@1", testShare: 0.5, passingScore: 0.25, ignoredRules: ["E1"]),
    completesTask: true)

  static let report = ValidationReport(
    verdict: .failed, score: 0.25, reason: "una \"razón\"",
    stages: [StageReport(stage: .test, status: .issues, tool: "t 1", durationMicroseconds: 7)],
    diagnostics: [
      Diagnostic(
        level: .error, advice: .essential, tool: "t", ruleID: "R", message: "m", path: "a.py",
        region: SourceRegion(line: 1, column: 2, endLine: 3, endColumn: 4),
        fix: [SourceEdit(region: SourceRegion(line: 1, column: 1), replacement: "x")])
    ], droppedDiagnosticCount: 3,
    tests: [
      TestOutcome(
        id: "closed", title: "t", status: .fail, message: "geheim", isHidden: true, isFlaky: true)
    ],
    runs: [RunOutcome(status: .memoryLimit, code: 9, memoryBytes: 5)],
    toolVersions: ["t": "1"], limits: ["cpu": "1 s"], policy: "default@1",
    submissionHash: [1, 255], suiteHash: [2], seed: 4_000_000_000)

  static func add(
    _ store: any TestedStore, _ snapshot: CodeSnapshot, suiteID: EntityID? = nil,
    group: EntityID? = nil, after seconds: Int64 = 0
  ) async throws -> ValidationRun {
    let context = store.context(at: StoreFixture.start.advanced(by: .seconds(seconds)))
    var run = ValidationRun(
      id: context.nextID(), snapshotID: snapshot.id, userID: snapshot.userID,
      callerID: snapshot.userID, goalID: snapshot.goalID, taskID: snapshot.taskID,
      suiteID: suiteID, queueKey: snapshot.userID, groupID: group, seed: 4_000_000_000,
      createdAt: context.now, updatedAt: context.now)
    let event = run.record(.requested, context: context)
    let outcome = try await store.writes.commit(
      Write(changes: [.insertValidation(run)], events: [event], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return run
  }

  static func finish(
    _ store: any TestedStore, _ run: ValidationRun, full: FullReport? = nil
  ) async throws -> (ValidationRun, CommitOutcome) {
    var next = run
    next.report = report
    let event = next.record(.completed(ValidationEvent.End(report)), context: store.context())
    let outcome = try await store.writes.commit(
      Write(
        changes: [.updateValidation(next, after: run.version, full: full)], events: [event],
        reply: nil))
    return (next, outcome)
  }

  static func addSuite(_ store: any TestedStore, author: User) async throws -> StoredSuite {
    let stored = StoredSuite(
      id: store.ids.next(at: StoreFixture.start), authorID: author.id,
      hash: [UInt8](repeating: 3, count: 32), suite: suite, createdAt: StoreFixture.start)
    let outcome = try await store.writes.commit(
      Write(changes: [.insertSuite(stored)], events: [], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return stored
  }

  @Test(arguments: StoreKind.allCases)
  func aValidationIsItsAuthorsAndOverseersToSee(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let eva = try await store.addUser("Eva", role: .instructor)
      let dan = try await store.addUser("Dan", role: .instructor)
      let root = try await store.addUser("Root", role: .admin)
      let course = try await store.addCourse(owner: eva)
      _ = try await store.enrol(ada, in: course)
      let goal = try await store.addGoal(owner: ada, course: course)
      let snapshot = try await SnapshotSuite.add(store, by: ada, goal: goal)
      let stored = try await Self.addSuite(store, author: eva)
      _ = try await Self.add(store, snapshot, suiteID: stored.id)
      let claimed = try #require(try await store.validations.claim(Self.lease, isAlone: false))
      #expect(claimed.status == .running && claimed.attempt == 1)
      var cut = Self.report
      cut.tests[0].message = ""
      var done = claimed
      done.report = cut
      let event = done.record(
        .completed(ValidationEvent.End(cut)), context: store.context())
      let outcome = try await store.writes.commit(
        Write(
          changes: [
            .updateValidation(
              done, after: claimed.version,
              full: FullReport(suiteAuthorID: eva.id, report: Self.report))
          ], events: [event], reply: nil))
      #expect(outcome == .committed)
      for (user, full) in [(ada, nil), (eva, Self.report), (root, Self.report)] {
        let found = try #require(
          try await store.validations.validation(done.id, scope: AccessScope(user)))
        #expect(found.run == done && found.fullReport == full)
        let last = try await store.validations.lastValidation(
          ofSnapshot: snapshot.id, scope: AccessScope(user))
        #expect(last == found)
        let events = try await store.validations.events(
          ofValidation: done.id, after: 1, limit: 10, scope: AccessScope(user))
        #expect(events.map(\.version) == [2])
      }
      for user in [bob, dan] {
        let scope = AccessScope(user)
        #expect(try await store.validations.validation(done.id, scope: scope) == nil)
        #expect(
          try await store.validations.lastValidation(ofSnapshot: snapshot.id, scope: scope) == nil)
        #expect(
          try await store.validations.events(
            ofValidation: done.id, after: 0, limit: 10, scope: scope) == [])
        for filter in [
          filter(snapshot: snapshot.id), filter(task: goal.tasks[0].id), filter(owner: ada.id),
        ] {
          let page = try await store.validations.validations(
            filter, page: PageRequest(limit: 10), scope: scope)
          #expect(page.items.isEmpty)
        }
      }
    }
  }

  private func filter(
    snapshot: EntityID? = nil, task: EntityID? = nil, group: EntityID? = nil,
    owner: EntityID? = nil, status: ValidationStatus? = nil
  ) -> ValidationFilter {
    var filter = ValidationFilter()
    (filter.snapshotID, filter.taskID, filter.groupID) = (snapshot, task, group)
    (filter.ownerID, filter.status) = (owner, status)
    return filter
  }

  @Test(arguments: StoreKind.allCases)
  func listsAreNewestFirstAndWithoutReports(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada)
      let snapshot = try await SnapshotSuite.add(store, by: ada, goal: goal)
      let group = store.ids.next(at: StoreFixture.start)
      var runs: [ValidationRun] = []
      for second in 0..<3 {
        runs.append(
          try await Self.add(
            store, snapshot, group: second > 0 ? group : nil, after: Int64(second)))
      }
      let claimed = try #require(try await store.validations.claim(Self.lease, isAlone: false))
      #expect(claimed.id == runs[0].id)
      let (done, outcome) = try await Self.finish(store, claimed)
      #expect(outcome == .committed)
      let scope = AccessScope(ada)
      func ids(_ filter: ValidationFilter, limit: Int = 10) async throws -> [EntityID] {
        let page = try await store.validations.validations(
          filter, page: PageRequest(limit: limit), scope: scope)
        #expect(page.items.allSatisfy { $0.report == nil })
        return page.items.map(\.id)
      }
      let all = [runs[2].id, runs[1].id, runs[0].id]
      #expect(try await ids(filter(snapshot: snapshot.id)) == all)
      #expect(try await ids(filter(task: goal.tasks[0].id), limit: 2) == Array(all.prefix(2)))
      #expect(try await ids(filter()) == all)
      #expect(try await ids(filter(group: group)) == Array(all.prefix(2)))
      #expect(try await ids(filter(status: .completed)) == [done.id])
      #expect(try await ids(filter(status: .queued)) == Array(all.prefix(2)))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func learnersTakeTurns(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let ofAda = try await SnapshotSuite.add(store, by: ada)
      let ofBob = try await SnapshotSuite.add(store, by: bob)
      var all: [ValidationRun] = []
      for second in 0..<3 {
        all.append(try await Self.add(store, ofAda, after: Int64(second)))
      }
      for second in 3..<5 {
        all.append(try await Self.add(store, ofBob, after: Int64(second)))
      }
      let queue = store.validations
      #expect(try await queue.queuedCount(of: ada.id) == 3)
      #expect(try await queue.position(of: all[0].id) == 0)
      #expect(try await queue.position(of: all[3].id) == 1)
      #expect(try await queue.position(of: all[2].id) == 4)
      var claimed: [EntityID] = []
      while let run = try await queue.claim(Self.lease, isAlone: false) { claimed.append(run.id) }
      #expect(claimed == [0, 3, 1, 4, 2].map { all[$0].id })
      #expect(try await queue.position(of: all[0].id) == nil)
      #expect(try await queue.queuedCount(of: ada.id) == 0)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func noMoreOfALearnerWaitThanMay(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let snapshot = try await SnapshotSuite.add(store, by: ada)
      // Half of them at once: each counts those before it.
      for _ in 0..<(ValidationLimits.queued - 8) { _ = try await Self.add(store, snapshot) }
      let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<16 {
          group.addTask {
            do {
              _ = try await Self.add(store, snapshot)
              return true
            } catch is FixtureError {
              return false
            }
          }
        }
        var outcomes: [Bool] = []
        for try await outcome in group { outcomes.append(outcome) }
        return outcomes
      }
      #expect(outcomes.count { $0 } == 8)
      #expect(try await store.validations.queuedCount(of: ada.id) == ValidationLimits.queued)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aValidationIsTakenOverOnceItsLeaseIsOver(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let snapshot = try await SnapshotSuite.add(store, by: ada)
      _ = try await Self.add(store, snapshot)
      let queue = store.validations
      let other = AgentLease(owner: "two", duration: .seconds(30))
      let first = try #require(try await queue.claim(Self.lease, isAlone: false))
      #expect(try await queue.claim(other, isAlone: false) == nil)
      #expect(try await queue.renew(Self.lease, ofValidation: first.id))
      #expect(try await !queue.renew(other, ofValidation: first.id))
      try await store.letTimePass(.seconds(31))
      let second = try #require(try await queue.claim(other, isAlone: false))
      #expect(second.id == first.id && second.attempt == 2 && second.lease.owner == "two")
      #expect(try await !queue.renew(Self.lease, ofValidation: first.id))
      // What the first worker brings now is nobody's any more.
      #expect(try await Self.finish(store, first).1 == .stale)
      try await queue.release(ofValidation: first.id, owner: "one")
      #expect(try await queue.claim(Self.lease, isAlone: false) == nil)
      // Where no other worker exists, one of another name is gone.
      let third = try #require(try await queue.claim(Self.lease, isAlone: true))
      #expect(third.attempt == 3)
      try await queue.release(ofValidation: first.id, owner: "one")
      let fourth = try #require(try await queue.claim(other, isAlone: false))
      #expect(try await Self.finish(store, fourth).1 == .committed)
      #expect(try await queue.claim(other, isAlone: true) == nil)
      #expect(try await !queue.renew(other, ofValidation: first.id))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func testsOfTasksAreVersionsThatNobodyOverwrites(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let goal = try await store.addGoal(owner: ada)
      let stored = try await Self.addSuite(store, author: ada)
      let tests = store.taskTests
      #expect(try await tests.suite(stored.id) == stored)
      #expect(try await tests.suite(hash: stored.hash, authorID: ada.id) == stored)
      #expect(try await tests.suite(hash: stored.hash, authorID: bob.id) == nil)
      func entry(_ version: Int64, _ suite: EntityID?) -> TaskTests {
        TaskTests(
          taskID: goal.tasks[0].id, userID: ada.id, goalID: goal.goal.id, suiteID: suite,
          setBy: ada.id, setAs: .learner, version: version, setAt: StoreFixture.start)
      }
      func set(_ version: Int64, _ suite: EntityID?) async throws -> CommitOutcome {
        try await store.writes.commit(
          Write(changes: [.insertTaskTests([entry(version, suite)])], events: [], reply: nil))
      }
      #expect(try await set(1, stored.id) == .committed)
      await #expect(throws: StoreError.self) { try await set(1, nil) }
      let scope = AccessScope(ada)
      let ids = goal.tasks.map(\.id)
      #expect(try await tests.taskTests(ofTasks: ids, scope: scope) == [entry(1, stored.id)])
      #expect(
        try await tests.tasks(withSuite: stored.id, limit: 9, scope: scope) == [
          entry(1, stored.id)
        ])
      #expect(try await set(2, nil) == .committed)
      #expect(try await tests.taskTests(ofTasks: ids, scope: scope) == [entry(2, nil)])
      #expect(try await tests.tasks(withSuite: stored.id, limit: 9, scope: scope) == [])
      #expect(
        try await tests.history(ofTask: ids[0], limit: 9, scope: scope) == [
          entry(2, nil), entry(1, stored.id),
        ])
      #expect(try await tests.taskTests(ofTasks: ids, scope: AccessScope(bob)) == [])
      #expect(try await tests.history(ofTask: ids[0], limit: 9, scope: AccessScope(bob)) == [])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func submissionsReadBackWithTheirFiles(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let files = [
        SourceFile(path: "a/ñ.py", content: "x"), SourceFile(path: "b.py", content: ""),
      ]
      let context = store.context()
      let snapshot = CodeSnapshot(
        id: context.nextID(), userID: ada.id, filePath: "main.py", language: "", content: "m",
        contentHash: [UInt8](repeating: 1, count: 32), files: files,
        fileHashes: [[UInt8](repeating: 2, count: 32), [UInt8](repeating: 3, count: 32)],
        createdAt: context.now, updatedAt: context.now)
      let event = snapshot.event(.codeSubmitted, goalCourseID: nil, context: context)
      #expect(
        try await store.writes.commit(
          Write(changes: [.insertSnapshot(snapshot)], events: [event], reply: nil)) == .committed)
      let validations = store.validations
      #expect(
        try await validations.files(ofSnapshot: snapshot.id, scope: AccessScope(ada)) == files)
      #expect(try await validations.files(ofSnapshot: snapshot.id, scope: AccessScope(bob)) == [])
      #expect(try await validations.judgedSnapshots(ofTasks: [context.nextID()]) == [])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theNewestJudgedSnapshotOfATaskIsFound(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: ada)
      let passed = SnapshotSuite.judgement()
      let unsure = SnapshotSuite.judgement(.inconclusive, score: nil)
      _ = try await SnapshotSuite.add(store, by: ada, goal: goal, judgement: passed)
      let newest = try await SnapshotSuite.add(
        store, by: ada, goal: goal, judgement: passed, after: 1)
      _ = try await SnapshotSuite.add(store, by: ada, goal: goal, judgement: unsure, after: 2)
      _ = try await SnapshotSuite.add(store, by: ada, goal: goal, after: 3)
      #expect(
        try await store.validations.judgedSnapshots(ofTasks: goal.tasks.map(\.id)) == [newest.id])
    }
  }
}
