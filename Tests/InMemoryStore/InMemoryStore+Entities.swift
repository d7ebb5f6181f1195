package import Domain

extension InMemoryStore: UserRepository {
  package func user(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> User? {
    try access(.read) { state in
      guard scope.role.seesEverybody || id == scope.callerID else { return nil }
      return state.users[id]
    }
  }

  package func user(
    externalID: String, scope: AccessScope
  ) async throws(StoreError) -> User? {
    try access(.read) { state in
      state.users.values.first {
        $0.externalID == externalID && (scope.role.seesEverybody || $0.id == scope.callerID)
      }
    }
  }

  package func users(
    role: Role?, includeInactive: Bool, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<User> {
    try access(.read) { state in
      let users = state.users.values.filter {
        (scope.role.seesEverybody || $0.id == scope.callerID)
          && (role == nil || $0.role == role) && (includeInactive || $0.isActive)
      }
      return cut(users, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }
}

extension InMemoryStore: CourseRepository {
  package func course(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> Course? {
    try access(.read) { state in
      state.courses[id].flatMap { state.sees($0, scope) ? $0 : nil }
    }
  }

  package func courses(
    _ filter: CourseFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Course> {
    try access(.read) { state in
      let statuses = filter.statuses.isEmpty ? [.active] : filter.statuses
      let courses = state.courses.values.filter { course in
        state.sees(course, scope) && statuses.contains(course.status)
          && (filter.ownerID == nil || course.userID == filter.ownerID)
          && (filter.technology.map(course.technologies.contains) ?? true)
          && (!filter.enrolledOnly || state.isEnrolled(scope.callerID, in: course.id))
      }
      return cut(courses, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }

  package func enrolment(
    course: EntityID, user: EntityID, scope: AccessScope
  ) async throws(StoreError) -> Enrolment? {
    try access(.read) { state in
      state.enrolments.values.first {
        $0.courseID == course && $0.userID == user && state.sees($0, scope)
      }
    }
  }

  package func enrolments(
    course: EntityID, states: [EnrolmentState], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment> {
    try enrolments(states, page, scope) { $0.courseID == course }
  }

  package func enrolments(
    learner: EntityID, states: [EnrolmentState], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment> {
    try enrolments(states, page, scope) { $0.userID == learner }
  }

  private func enrolments(
    _ states: [EnrolmentState], _ page: PageRequest, _ scope: AccessScope,
    where isWanted: (Enrolment) -> Bool
  ) throws(StoreError) -> Page<Enrolment> {
    try access(.read) { state in
      let enrolments = state.enrolments.values.filter {
        isWanted($0) && states.contains($0.state) && state.sees($0, scope)
      }
      return cut(enrolments, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }
}

extension InMemoryStore: GoalRepository {
  package func goal(
    _ id: EntityID, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    try access(.read) { $0.aggregate(id, scope, forUpdate: forUpdate) }
  }

  package func goal(
    ofTask taskID: EntityID, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    try access(.read) { state in
      guard let task = state.tasks[taskID], task.status != .deleted else { return nil }
      return state.aggregate(task.goalID, scope, forUpdate: forUpdate)
    }
  }

  package func goals(
    _ filter: GoalFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Goal> {
    try access(.read) { state in
      let goals = state.goals.values.filter { goal in
        state.sees(goal, scope) && state.isListed(goal.userID, filter.ownerID, scope)
          && isWanted(goal.status, filter.statuses)
          && (filter.courseID == nil || goal.courseID == filter.courseID)
          && (filter.createdAfter.map { goal.createdAt >= $0 } ?? true)
          && (filter.createdBefore.map { goal.createdAt < $0 } ?? true)
          && (filter.titleContains.map { goal.title.lowercased().contains($0.lowercased()) }
            ?? true)
      }
      return cut(goals, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }

  package func task(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> LearningTask? {
    try access(.read) { state in
      guard let task = state.tasks[id], task.status != .deleted,
        state.aggregate(task.goalID, scope, forUpdate: false) != nil
      else { return nil }
      return task
    }
  }

  package func tasks(
    owner: EntityID?, statuses: [WorkStatus], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<LearningTask> {
    try access(.read) { state in
      let tasks = state.tasks.values.filter { task in
        state.isListed(task.userID, owner, scope) && isWanted(task.status, statuses)
          && state.aggregate(task.goalID, scope, forUpdate: false) != nil
      }
      return cut(tasks, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }
}

extension InMemoryStore.State {
  func isEnrolled(_ userID: EntityID, in courseID: EntityID) -> Bool {
    enrolments.values.contains {
      $0.courseID == courseID && $0.userID == userID && $0.isActive
    }
  }

  func sees(_ course: Course, _ scope: AccessScope) -> Bool {
    guard course.status != .deleted else { return false }
    return course.status == .active || scope.role.seesEverybody || course.userID == scope.callerID
      || isEnrolled(scope.callerID, in: course.id)
  }

  func sees(_ enrolment: Enrolment, _ scope: AccessScope) -> Bool {
    scope.role.seesEverybody || enrolment.userID == scope.callerID
      || scope.role == .instructor && courses[enrolment.courseID]?.userID == scope.callerID
  }

  func sees(_ goal: Goal, _ scope: AccessScope) -> Bool {
    guard goal.status != .deleted else { return false }
    if scope.role.seesEverybody || goal.userID == scope.callerID { return true }
    return scope.role == .instructor && oversees(scope.callerID, goal.userID, in: goal.courseID)
  }

  /// Whether the instructor owns the course and the learner is enrolled.
  func oversees(_ instructorID: EntityID, _ learnerID: EntityID, in courseID: EntityID?) -> Bool {
    guard let course = courseID.flatMap({ courses[$0] }), course.status != .deleted else {
      return false
    }
    return course.userID == instructorID && isEnrolled(learnerID, in: course.id)
  }

  func aggregate(_ id: EntityID, _ scope: AccessScope, forUpdate: Bool) -> GoalAggregate? {
    guard let goal = goals[id], sees(goal, scope) else { return nil }
    if forUpdate, !scope.role.seesEverybody, goal.userID != scope.callerID { return nil }
    return GoalAggregate(
      loaded: goal, tasks: tasks.values.filter { $0.goalID == id && $0.status != .deleted })
  }

  func isListed(_ userID: EntityID, _ wanted: EntityID?, _ scope: AccessScope) -> Bool {
    if let wanted { return userID == wanted }
    return scope.role.seesEverybody || userID == scope.callerID
  }
}

private func isWanted(_ status: WorkStatus, _ statuses: [WorkStatus]) -> Bool {
  guard status != .deleted else { return false }
  return statuses.isEmpty ? status != .archived : statuses.contains(status)
}

/// The page of `items` after the request's key, newest first.
func cut<Item: Sendable>(
  _ items: some Sequence<Item>, _ page: PageRequest, _ key: (Item) -> PageKey
) -> Page<Item> {
  func isBefore(_ left: PageKey, _ right: PageKey) -> Bool {
    (left.time, left.id) > (right.time, right.id)
  }
  let sorted = items.sorted { isBefore(key($0), key($1)) }
  let rest = page.after.map { after in sorted.filter { isBefore(after, key($0)) } } ?? sorted
  let shown = Array(rest.prefix(page.itemCountMax))
  return Page(items: shown, next: rest.count > shown.count ? shown.last.map(key) : nil)
}

extension PageRequest {
  /// However many were asked for.
  var itemCountMax: Int { max(1, min(limit, PageRequest.limitMax)) }
}
