/// What a caller may see; every query of a repository is scoped by one.
package struct AccessScope: Sendable, Hashable {
  package var callerID: EntityID
  package var role: Role

  package init(_ caller: Caller) {
    callerID = caller.userID
    role = caller.role
  }

  package init(callerID: EntityID, role: Role) {
    self.callerID = callerID
    self.role = role
  }
}

/// A part of a list: at most `limit` items after `after`, an opaque key that the repository made.
package struct PageRequest: Sendable, Hashable {
  package static let limitMax = 200
  package static let limitDefault = 50

  package var limit: Int
  package var after: PageKey?

  package init(limit: Int, after: PageKey? = nil) {
    self.limit = limit
    self.after = after
  }
}

/// Where a page ended: the sort key of its last item.
package struct PageKey: Sendable, Hashable {
  package var time: Timestamp
  package var id: EntityID

  package init(time: Timestamp, id: EntityID) {
    self.time = time
    self.id = id
  }
}

package struct Page<Item: Sendable>: Sendable {
  package var items: [Item]
  /// Where the next page starts; nil at the end.
  package var next: PageKey?

  package init(items: [Item], next: PageKey?) {
    self.items = items
    self.next = next
  }
}

package protocol UserRepository: Sendable {
  func user(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> User?
  func user(externalID: String, scope: AccessScope) async throws(StoreError) -> User?
  /// Newest first.
  func users(
    role: Role?, includeInactive: Bool, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<User>
}

package struct CourseFilter: Sendable, Hashable {
  /// Only courses that the caller is enrolled in.
  package var enrolledOnly = false
  package var ownerID: EntityID?
  /// Empty means active ones.
  package var statuses: [CourseStatus] = []
  package var technology: String?

  package init() {}
}

package protocol CourseRepository: Sendable {
  /// Active courses are visible to everybody; others to their owner, those enrolled, and those
  /// who see everybody. Deleted ones to nobody.
  func course(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> Course?
  /// Newest first.
  func courses(
    _ filter: CourseFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Course>
  /// The enrolment of a learner, in whatever state. Visible to the learner, the course's owner and
  /// those who see everybody.
  func enrolment(
    course: EntityID, user: EntityID, scope: AccessScope
  ) async throws(StoreError) -> Enrolment?
  /// The enrolments of a course that are in one of the states, newest first; a learner sees only
  /// their own.
  func enrolments(
    course: EntityID, states: [EnrolmentState], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment>
  /// The enrolments of a learner that are in one of the states, newest first; visible as each is.
  func enrolments(
    learner: EntityID, states: [EnrolmentState], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment>
}

package struct GoalFilter: Sendable, Hashable {
  /// Nil: the caller's own for a learner or instructor, everybody's for those who see everybody.
  package var ownerID: EntityID?
  package var courseID: EntityID?
  /// Empty means all but archived ones; deleted ones are never returned.
  package var statuses: [WorkStatus] = []
  package var createdAfter: Timestamp?
  package var createdBefore: Timestamp?
  /// Part of the title, in any case.
  package var titleContains: String?

  package init() {}
}

/// A goal is visible to its owner, to those who see everybody, and, where it belongs to a course,
/// to the instructor who owns that course while the learner is enrolled (to read, not to change).
package protocol GoalRepository: Sendable {
  /// The goal with its tasks; deleted ones are not found. `forUpdate` scopes it to those who may
  /// change it.
  func goal(
    _ id: EntityID, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate?
  /// The goal that a task belongs to, with all of its tasks.
  func goal(
    ofTask taskID: EntityID, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate?
  /// Newest first.
  func goals(
    _ filter: GoalFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Goal>
  func task(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> LearningTask?
  /// A learner's tasks over all goals, newest first; nil owner as in `GoalFilter`.
  func tasks(
    owner: EntityID?, statuses: [WorkStatus], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<LearningTask>
}
