import Domain
import Testing

/// Exactly-once effects by key, and guards.
@Suite struct WriteSuite {
  @Test(arguments: StoreKind.allCases)
  func aRepeatGetsTheStoredReply(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let key = store.request("k1", by: owner)
      #expect(try await store.writes.reply(to: key) == nil)
      let reply = KeyedReply(request: key, reply: [0, 1, 2])
      let first = try store.newGoal(owner: owner)
      #expect(try await store.save(first, reply: reply) == .committed)
      let second = try store.newGoal(owner: owner)
      #expect(
        try await store.save(second, reply: KeyedReply(request: key, reply: [9]))
          == .replayed([0, 1, 2]))
      #expect(try await store.writes.reply(to: key) == .reply([0, 1, 2]))
      let scope = AccessScope(owner)
      #expect(try await store.goals.goal(second.goal.id, scope: scope, forUpdate: false) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theSameKeyWithAnotherRequestIsAConflict(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let goal = try store.newGoal(owner: owner)
      let first = KeyedReply(request: store.request("k", by: owner), reply: [1])
      #expect(try await store.save(goal, reply: first) == .committed)
      let other = store.request("k", by: owner, hash: 2)
      #expect(try await store.writes.reply(to: other) == .otherRequest)
      let second = try store.newGoal(owner: owner)
      #expect(
        try await store.save(second, reply: KeyedReply(request: other, reply: [2]))
          == .keyConflict)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theSameKeyOfAnotherCallerOrMethodIsAnotherRequest(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      var method = store.request("k", by: ada)
      method.method = "hito.v1.GoalService/UpdateGoal"
      for request in [store.request("k", by: ada), store.request("k", by: bob), method] {
        let goal = try store.newGoal(owner: ada)
        #expect(
          try await store.save(goal, reply: KeyedReply(request: request, reply: [1]))
            == .committed)
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func concurrentRepeatsHaveOneEffect(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let key = store.request("k", by: owner)
      let outcomes = try await withThrowingTaskGroup(of: CommitOutcome.self) { group in
        for number in UInt8(0)..<40 {
          let goal = try store.newGoal(owner: owner)
          group.addTask {
            try await store.save(goal, reply: KeyedReply(request: key, reply: [number]))
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count { $0 == .committed } == 1)
      let replayed = Set(outcomes.filter { $0 != .committed })
      #expect(replayed.count == 1)
      let goals = try await store.goals.goals(
        GoalFilter(), page: PageRequest(limit: 50), scope: AccessScope(owner))
      #expect(goals.items.count == 1)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func keysAreForgottenAfterADay(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let key = store.request("k", by: owner)
      let goal = try store.newGoal(owner: owner)
      #expect(
        try await store.save(goal, reply: KeyedReply(request: key, reply: [1])) == .committed)
      // A minute before, since one of the clocks does not stand still.
      try await store.letTimePass(.seconds(24 * 3600 - 60))
      #expect(try await store.writes.reply(to: key) == .reply([1]))
      try await store.letTimePass(.seconds(61))
      #expect(try await store.writes.reply(to: key) == nil)
      // Not purged yet, and yet free again.
      let next = try store.newGoal(owner: owner)
      #expect(
        try await store.save(next, reply: KeyedReply(request: key, reply: [2])) == .committed)
      #expect(try await store.writes.reply(to: key) == .reply([2]))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func anEventVersionThatIsTakenMakesTheWriteStale(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let user = try await store.addUser()
      let event = user.event(
        .userUpdated, id: store.ids.next(at: StoreFixture.start), at: StoreFixture.start,
        metadata: .object([]))
      #expect(
        try await store.writes.commit(Write(changes: [], events: [event], reply: nil)) == .stale)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func guardedUpdatesOfEveryKindFailWhenTheRowHasChanged(_ kind: StoreKind) async throws {
    try await kind.run { store in
      var user = try await store.addUser(role: .instructor)
      var course = try await store.addCourse(owner: user)
      var enrolment = try await store.enrol(user, in: course)
      func commit(_ change: Change) async throws -> CommitOutcome {
        try await store.writes.commit(Write(changes: [change], events: [], reply: nil))
      }
      user.version = 2
      user.displayName = "Ada L."
      course.version = 2
      course.technologies = ["swift", "python"]
      course.attributes = ["level": "básico"]
      enrolment.version = 2
      enrolment.state = .left
      for change in [
        Change.updateUser(user), .updateCourse(course), .updateEnrolment(enrolment),
      ] {
        #expect(try await commit(change) == .committed)
        #expect(try await commit(change) == .stale)
      }
      let scope = AccessScope(user)
      #expect(try await store.users.user(user.id, scope: scope) == user)
      #expect(try await store.courses.course(course.id, scope: scope) == course)
      #expect(
        try await store.courses.enrolment(course: course.id, user: user.id, scope: scope)
          == enrolment)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aTakenExternalNameIsADuplicate(_ kind: StoreKind) async throws {
    try await kind.run { store in
      _ = try await store.addUser(externalID: "x-1")
      await #expect(throws: StoreError.duplicate(constraint: "users_external_id_key")) {
        try await store.addUser("Bob", externalID: "x-1")
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aTaskOfAnotherGoalCannotBeTakenOver(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let victim = try await store.addUser("Ada")
      let thief = try await store.addUser("Eve")
      let theirs = try await store.addGoal(owner: victim)
      let mine = try await store.addGoal(owner: thief)
      // A goal that claims the victim's task as its own.
      let forged = GoalAggregate(loaded: mine.goal, tasks: theirs.tasks)
      var changed = forged
      try changed.updateTask(
        theirs.tasks[0].id, expectedVersion: nil, context: store.context()
      ) { $0.title = "robada" }
      #expect(try await store.save(changed) == .stale)
      #expect(try await store.load(theirs.goal.id, as: victim).tasks == theirs.tasks)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aFailedWriteLeavesNoReplyBehind(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      let key = store.request("k", by: owner)
      let orphan = try store.newGoal(owner: store.newUser())
      #expect(
        try await store.save(orphan, reply: KeyedReply(request: key, reply: [1])) == .stale)
      #expect(try await store.writes.reply(to: key) == nil)
    }
  }
}
