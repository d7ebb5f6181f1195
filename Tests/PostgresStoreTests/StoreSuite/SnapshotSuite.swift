import Domain
import Testing

/// Snapshots: what is written, listed and seen.
@Suite struct SnapshotSuite {
  /// - Parameter instructor: whose word it is; nil: that of a service.
  static func judgement(
    _ verdict: Verdict = .passed, score: Double? = 0.9, instructor: User? = nil
  ) -> Judgement {
    Judgement(
      verdict: verdict, score: score, feedback: "¡Bien! \"comillas\" \\ y\nlíneas",
      provenance: Provenance(
        source: instructor == nil ? "grader" : Provenance.instructorSource,
        actorID: instructor?.id ?? EntityID(high: 7, low: 7),
        toolVersions: ["ruff": "0.6", "cpython": "3.13"], limits: ["cpu \"x\"": "2 s"],
        policy: "default@1"))
  }

  static func add(
    _ store: any TestedStore, by author: User, goal: GoalAggregate? = nil, reference: Course? = nil,
    judgement: Judgement? = nil, isShared: Bool = false, after seconds: Int64 = 0
  ) async throws -> CodeSnapshot {
    let now = StoreFixture.start.advanced(by: .seconds(seconds))
    let snapshot = CodeSnapshot(
      id: store.ids.next(at: now), userID: author.id, goalID: goal?.goal.id,
      taskID: goal?.tasks.first?.id, referenceCourseID: reference?.id, filePath: "app/main.py",
      language: "", content: "print(\"ñ\")\n\u{c}", contentHash: (0..<32).map { UInt8($0) },
      judgement: judgement, isShared: isShared, createdAt: now, updatedAt: now)
    let event = snapshot.event(
      .codeSubmitted, goalCourseID: goal?.goal.courseID, context: store.context(at: now))
    let outcome = try await store.writes.commit(
      Write(changes: [.insertSnapshot(snapshot)], events: [event], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return snapshot
  }

  private static func bare(_ snapshots: [CodeSnapshot]) -> [CodeSnapshot] {
    snapshots.map { snapshot in
      var bare = snapshot
      bare.content = ""
      return bare
    }
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsWrittenReadsBack(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      let goal = try await store.addGoal(owner: ada)
      var judgements: [Judgement?] = [nil, Self.judgement()]
      judgements.append(Self.judgement(.failed, score: 0))
      judgements.append(Self.judgement(.inconclusive, score: nil))
      judgements.append(Self.judgement(.errored, score: nil))
      for judgement in judgements {
        let made = try await Self.add(store, by: ada, goal: goal, judgement: judgement)
        let found = try await store.snapshots.snapshot(made.id, scope: AccessScope(ada))
        #expect(found == FoundSnapshot(snapshot: made, goalCourseID: nil, isExample: false))
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aVerdictIsWrittenOnceForEachVersion(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      let old = try await Self.add(store, by: ada)
      var new = old
      #expect(try new.judge(Self.judgement(), at: StoreFixture.start))
      func commit() async throws -> CommitOutcome {
        let event = new.event(.codeValidated, goalCourseID: nil, context: store.context())
        return try await store.writes.commit(
          Write(changes: [.updateSnapshot(new)], events: [event], reply: nil))
      }
      #expect(try await commit() == .committed)
      #expect(try await commit() == .stale)
      let found = try await store.snapshots.snapshot(new.id, scope: AccessScope(ada))
      #expect(found?.snapshot == new)
      #expect(new.share(true, at: StoreFixture.start) == .codeShared)
      #expect(try await commit() == .committed)
      let sequenced = try await store.sequenceAll()
      #expect(sequenced.last?.entityType == "code_snapshot" && sequenced.last?.version == 3)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func listsAreNewestFirstInPagesAndByTaskAndVerdict(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      let goal = try await store.addGoal(owner: ada)
      var made: [CodeSnapshot] = []
      for index in 0..<5 {
        made.insert(
          try await Self.add(
            store, by: ada, goal: index == 2 ? goal : nil,
            judgement: index == 3 ? Self.judgement() : nil, after: Int64(index)), at: 0)
      }
      // Shared by another: an example, and no item of a list.
      _ = try await Self.add(store, by: bob, judgement: Self.judgement(), isShared: true)
      let scope = AccessScope(ada)
      func list(
        _ edit: (inout SnapshotFilter) -> Void = { _ in }
      ) async throws -> [CodeSnapshot] {
        var filter = SnapshotFilter()
        edit(&filter)
        return try await store.snapshots.snapshots(
          filter, page: PageRequest(limit: 50), scope: scope
        ).items
      }
      #expect(try await list() == Self.bare(made))
      #expect(try await list { $0.taskID = goal.tasks[0].id } == Self.bare([made[2]]))
      #expect(try await list { $0.verdict = .passed } == Self.bare([made[1]]))
      #expect(try await list { $0.verdict = .failed }.isEmpty)
      #expect(try await list { $0.ownerID = bob.id }.isEmpty)
      var pages: [CodeSnapshot] = []
      var page = PageRequest(limit: 2)
      while true {
        let next = try await store.snapshots.snapshots(SnapshotFilter(), page: page, scope: scope)
        pages += next.items
        guard let key = next.next else { break }
        page.after = key
      }
      #expect(pages == Self.bare(made))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func eachSeesWhatIsForThem(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let eve = try await store.addUser("Eve")
      let pupil = try await store.addUser("Pia")
      let teacher = try await store.addUser("Tom", role: .instructor)
      let other = try await store.addUser("Ute", role: .instructor)
      let root = try await store.addUser("Root", role: .admin)
      let course = try await store.addCourse(owner: teacher)
      var enrolment = try await store.enrol(ada, in: course)
      _ = try await store.enrol(pupil, in: course)
      let goal = try await store.addGoal(owner: ada, course: course)
      let inCourse = try await Self.add(store, by: ada, goal: goal)
      let own = try await Self.add(store, by: ada)
      let failed = try await Self.add(
        store, by: ada, judgement: Self.judgement(.failed), isShared: true)
      let shared = try await Self.add(store, by: ada, judgement: Self.judgement(), isShared: true)
      let solution = try await Self.add(store, by: teacher, reference: course)
      /// `full`, `example` or nothing, as the read by id says; a list must agree.
      func view(_ snapshot: CodeSnapshot, _ user: User) async throws -> String? {
        let scope = AccessScope(user)
        let found = try await store.snapshots.snapshot(snapshot.id, scope: scope)
        var filter = SnapshotFilter()
        filter.ownerID = snapshot.userID
        let list = try await store.snapshots.snapshots(
          filter, page: PageRequest(limit: 50), scope: scope)
        #expect(list.items.contains { $0.id == snapshot.id } == (found?.isExample == false))
        return found.map { $0.isExample ? "example" : "full" }
      }
      for (snapshot, expected) in [
        (inCourse, ["full", nil, nil, "full", nil, "full"]),
        (own, ["full", nil, nil, nil, nil, "full"]),
        (failed, ["full", nil, nil, nil, nil, "full"]),
        (shared, ["full", "example", "example", "example", "example", "full"]),
        (solution, ["example", nil, "example", "full", nil, "full"]),
      ] {
        var views: [String?] = []
        for user in [ada, eve, pupil, teacher, other, root] {
          views.append(try await view(snapshot, user))
        }
        #expect(views == expected)
      }
      let found = try await store.snapshots.snapshot(inCourse.id, scope: AccessScope(teacher))
      #expect(found?.goalCourseID == course.id)
      enrolment.state = .left
      enrolment.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateEnrolment(enrolment)], events: [], reply: nil))
      #expect(try await view(inCourse, teacher) == nil)
      #expect(try await view(solution, ada) == nil)
      #expect(try await view(inCourse, ada) == "full")
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theWordOfAnInstructorCountsForThoseInTheirCourses(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let author = try await store.addUser("Bob")
      let (ada, eve) = (try await store.addUser("Ada"), try await store.addUser("Eve"))
      let teacher = try await store.addUser("Tom", role: .instructor)
      let other = try await store.addUser("Ute", role: .instructor)
      var course = try await store.addCourse(owner: teacher)
      _ = try await store.enrol(ada, in: course)
      _ = try await store.enrol(eve, in: try await store.addCourse(owner: other))
      let shared = try await Self.add(
        store, by: author, judgement: Self.judgement(instructor: teacher), isShared: true)
      func readers() async throws -> [String] {
        var names: [String] = []
        for user in [author, ada, eve, teacher, other] {
          let found = try await store.snapshots.snapshot(shared.id, scope: AccessScope(user))
          if found != nil { names.append(user.displayName) }
        }
        return names
      }
      #expect(try await readers() == ["Bob", "Ada", "Tom"])
      _ = try course.apply(.delete, at: StoreFixture.start)
      _ = try await store.writes.commit(
        Write(changes: [.updateCourse(course)], events: [], reply: nil))
      #expect(try await readers() == ["Bob"])
    }
  }
}
