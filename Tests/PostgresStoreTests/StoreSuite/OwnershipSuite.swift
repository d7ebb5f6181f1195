import Domain
import Testing

/// Every read with other people's ids: nobody sees what is not theirs, by any way.
@Suite struct OwnershipSuite {
  @Test(arguments: StoreKind.allCases)
  func aLearnerSeesNothingOfAnother(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada", externalID: "ada")
      let eve = try await store.addUser("Eve")
      let goal = try await store.addGoal(owner: ada)
      let scope = AccessScope(eve)
      let page = PageRequest(limit: 200)
      #expect(try await store.users.user(ada.id, scope: scope) == nil)
      #expect(try await store.users.user(externalID: "ada", scope: scope) == nil)
      let users = try await store.users.users(
        role: nil, includeInactive: true, page: page, scope: scope)
      #expect(users.items == [eve])
      let learners = try await store.users.users(
        role: .learner, includeInactive: true, page: page, scope: scope)
      #expect(learners.items == [eve])
      for forUpdate in [true, false] {
        #expect(
          try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: forUpdate) == nil)
        for task in goal.tasks {
          #expect(
            try await store.goals.goal(ofTask: task.id, scope: scope, forUpdate: forUpdate) == nil)
        }
      }
      #expect(try await store.goals.task(goal.tasks[0].id, scope: scope) == nil)
      var filter = GoalFilter()
      #expect(try await store.goals.goals(filter, page: page, scope: scope).items.isEmpty)
      filter.ownerID = ada.id
      #expect(try await store.goals.goals(filter, page: page, scope: scope).items.isEmpty)
      for owner in [nil, ada.id] {
        #expect(
          try await store.goals.tasks(owner: owner, statuses: [], page: page, scope: scope).items
            .isEmpty)
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func anInstructorReadsWhatEnrolledLearnersDoInTheirCourseOnly(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let learner = try await store.addUser("Ada")
      let teacher = try await store.addUser("Tom", role: .instructor)
      let other = try await store.addUser("Ute", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      let inCourse = try await store.addGoal(owner: learner, course: course)
      let own = try await store.addGoal(owner: learner, title: "privado")
      func sees(_ user: User, _ goal: GoalAggregate) async throws -> Bool {
        let scope = AccessScope(user)
        let read = try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: false)
        let task = try await store.goals.task(goal.tasks[0].id, scope: scope)
        var filter = GoalFilter()
        filter.ownerID = goal.goal.userID
        let page = PageRequest(limit: 10)
        let list = try await store.goals.goals(filter, page: page, scope: scope)
        let tasks = try await store.goals.tasks(
          owner: goal.goal.userID, statuses: [], page: page, scope: scope)
        let answers = [
          read != nil, task != nil, list.items.contains { $0.id == goal.goal.id },
          tasks.items.contains { $0.goalID == goal.goal.id },
        ]
        #expect(Set(answers).count == 1, "the ways disagree: \(answers)")
        // Never to change.
        #expect(try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: true) == nil)
        return answers[0]
      }
      #expect(try await !sees(teacher, inCourse))
      var enrolment = try await store.enrol(learner, in: course)
      #expect(try await sees(teacher, inCourse))
      #expect(try await !sees(teacher, own))
      #expect(try await !sees(other, inCourse))
      enrolment.state = .left
      enrolment.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateEnrolment(enrolment)], events: [], reply: nil))
      #expect(try await !sees(teacher, inCourse))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aLearnerWhoOwnsACourseDoesNotLookThroughIt(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let learner = try await store.addUser("Ada")
      let demoted = try await store.addUser("Tom")
      let course = try await store.addCourse(owner: demoted)
      let goal = try await store.addGoal(owner: learner, course: course)
      _ = try await store.enrol(learner, in: course)
      let scope = AccessScope(demoted)
      #expect(try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: false) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases, [Role.admin, .service])
  func thoseWhoSeeEverybodyDo(_ kind: StoreKind, role: Role) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada", externalID: "ada")
      let root = try await store.addUser(
        "Root", role: role, at: StoreFixture.start.advanced(by: .seconds(1)))
      let course = try await store.addCourse(owner: ada)
      let goal = try await store.addGoal(owner: ada, course: course)
      let scope = AccessScope(root)
      let page = PageRequest(limit: 10)
      #expect(try await store.users.user(ada.id, scope: scope) == ada)
      #expect(try await store.users.user(externalID: "ada", scope: scope) == ada)
      let users = try await store.users.users(
        role: nil, includeInactive: false, page: page, scope: scope)
      #expect(users.items == [root, ada])
      #expect(try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: true) == goal)
      for edit: @Sendable (inout GoalFilter) -> Void in [
        { _ in }, { $0.ownerID = ada.id }, { $0.courseID = course.id },
        { $0.statuses = [.pending] },
      ] {
        var filter = GoalFilter()
        edit(&filter)
        let goals = try await store.goals.goals(filter, page: page, scope: scope)
        #expect(goals.items == [goal.goal])
      }
      let tasks = try await store.goals.tasks(
        owner: nil, statuses: [], page: page, scope: scope)
      #expect(Set(tasks.items) == Set(goal.tasks))
    }
  }

  // Not by the second wall alone: a course is no learner's row.
  @Test(arguments: [StoreKind.postgres, .memory])
  func coursesShowThemselvesByStatus(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let enrolled = try await store.addUser("Ada")
      let stranger = try await store.addUser("Eve")
      let root = try await store.addUser("Root", role: .admin)
      var course = try await store.addCourse(owner: teacher)
      _ = try await store.enrol(enrolled, in: course)
      func viewers() async throws -> Set<String> {
        var names: Set<String> = []
        for user in [teacher, enrolled, stranger, root] {
          let scope = AccessScope(user)
          let isFound = try await store.courses.course(course.id, scope: scope) != nil
          var filter = CourseFilter()
          filter.statuses = CourseStatus.allCases
          let list = try await store.courses.courses(
            filter, page: PageRequest(limit: 10), scope: scope)
          #expect(list.items.isEmpty != isFound)
          if isFound { names.insert(user.displayName) }
        }
        return names
      }
      #expect(try await viewers() == ["Tom", "Ada", "Eve", "Root"])
      for (action, expected) in [
        (CourseAction.archive, Set(["Tom", "Ada", "Root"])), (.delete, []),
      ] {
        _ = try course.apply(action, at: StoreFixture.start)
        _ = try await store.writes.commit(
          Write(changes: [.updateCourse(course)], events: [], reply: nil))
        #expect(try await viewers() == expected)
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func enrolmentsAreForTheLearnerAndTheCoursesOwner(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      let course = try await store.addCourse(owner: teacher)
      let first = try await store.enrol(ada, in: course)
      let second = try await store.enrol(
        bob, in: course, at: StoreFixture.start.advanced(by: .seconds(1)))
      for (user, expected) in [(teacher, [second, first]), (ada, [first]), (bob, [second])] {
        let list = try await store.courses.enrolments(
          course: course.id, states: [.active], page: PageRequest(limit: 10),
          scope: AccessScope(user))
        #expect(list.items == expected)
      }
      // The role of the call counts: as a learner its owner sees no more than one.
      let lowered = AccessScope(callerID: teacher.id, role: .learner)
      let seen = try await store.courses.enrolments(
        course: course.id, states: [.active], page: PageRequest(limit: 10), scope: lowered)
      #expect(seen.items.isEmpty)
      #expect(
        try await store.courses.enrolment(course: course.id, user: ada.id, scope: lowered) == nil)
      #expect(
        try await store.courses.enrolment(
          course: course.id, user: ada.id, scope: AccessScope(bob)) == nil)
      var filter = CourseFilter()
      filter.enrolledOnly = true
      let page = PageRequest(limit: 10)
      let mine = try await store.courses.courses(filter, page: page, scope: AccessScope(ada))
      #expect(mine.items == [course])
      let none = try await store.courses.courses(
        filter, page: page, scope: AccessScope(teacher))
      #expect(none.items.isEmpty)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func enrolmentsAreListedByStateForTheirCourseAndTheirLearner(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let ada = try await store.addUser("Ada")
      let eve = try await store.addUser("Eve", role: .instructor)
      var made: [Enrolment] = []
      for (index, state) in EnrolmentState.allCases.enumerated() {
        let course = try await store.addCourse(owner: teacher)
        var enrolment = try await store.enrol(
          ada, in: course, at: StoreFixture.start.advanced(by: .seconds(index)))
        enrolment.state = state
        enrolment.changedBy = index == 0 ? nil : teacher.id
        enrolment.isDirect = state == .active
        enrolment.version = 2
        let outcome = try await store.writes.commit(
          Write(changes: [.updateEnrolment(enrolment)], events: [], reply: nil))
        #expect(outcome == .committed)
        made.append(enrolment)
        let page = PageRequest(limit: 10)
        for states in [
          [state], EnrolmentState.allCases, EnrolmentState.allCases.filter { $0 != state },
        ] {
          let list = try await store.courses.enrolments(
            course: course.id, states: states, page: page, scope: AccessScope(teacher))
          #expect(list.items == (states.contains(state) ? [enrolment] : []))
        }
      }
      func listed(
        _ states: [EnrolmentState], _ user: User, after: PageKey? = nil, limit: Int = 10
      ) async throws -> Page<Enrolment> {
        try await store.courses.enrolments(
          learner: ada.id, states: states, page: PageRequest(limit: limit, after: after),
          scope: AccessScope(user))
      }
      #expect(try await listed(EnrolmentState.allCases, ada).items == made.reversed())
      #expect(try await listed([.invited, .active], ada).items == [made[1], made[0]])
      #expect(try await listed(EnrolmentState.allCases, eve).items == [])
      let first = try await listed(EnrolmentState.allCases, ada, limit: 2)
      let second = try await listed(EnrolmentState.allCases, ada, after: first.next, limit: 10)
      #expect(first.items + second.items == made.reversed())
    }
  }

  /// Only who is in is seen, in every way.
  @Test(arguments: StoreKind.allCases, EnrolmentState.allCases)
  func anInstructorSeesThoseWhoAccepted(_ kind: StoreKind, _ state: EnrolmentState) async throws {
    try await kind.run { store in
      let learner = try await store.addUser("Ada")
      let teacher = try await store.addUser("Tom", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      let goal = try await store.addGoal(owner: learner, course: course)
      var enrolment = try await store.enrol(learner, in: course)
      enrolment.state = state
      enrolment.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateEnrolment(enrolment)], events: [], reply: nil))
      let isIn = state == .active
      let scope = AccessScope(teacher)
      let seen = try await store.goals.goal(goal.goal.id, scope: scope, forUpdate: false)
      #expect((seen != nil) == isIn)
      #expect(
        try await store.retrieval.readableCourses(of: learner.id) == (isIn ? [course.id] : []))
      var filter = CourseFilter()
      filter.enrolledOnly = true
      let enrolled = try await store.courses.courses(
        filter, page: PageRequest(limit: 10), scope: AccessScope(learner))
      #expect(enrolled.items == (isIn ? [course] : []))
    }
  }
}
