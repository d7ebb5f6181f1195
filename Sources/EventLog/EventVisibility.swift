package import Domain
internal import Synchronization

/// Who may see which event.
///
/// Everybody sees their own; services and admins see all, but only admins what became of tokens; the owner of a course also sees its
/// enrolments, and the goals, tasks and code that belong to it, of the learners enrolled now, as
/// with reads of goals. Courses never change hands; what is known of them and of enrolments is
/// remembered for a moment, and of an enrolment forgotten when an event of it comes by: whoever loses
/// their part in a course is not seen, and sees nothing more, within that moment.
package final class EventVisibility: Sendable {
  private struct Place: Hashable {
    var courseID: EntityID
    var userID: EntityID
  }

  private struct Memory {
    var owners: [EntityID: (owner: EntityID?, until: ContinuousClock.Instant)] = [:]
    var enrolled: [Place: (isActive: Bool, until: ContinuousClock.Instant)] = [:]
  }

  private static let entriesMax = 20_000
  private static let memoryTime = Duration.seconds(1)

  private let courses: any CourseRepository
  private let hub: EventHub
  private let memory = Mutex(Memory())

  package init(courses: any CourseRepository, hub: EventHub) {
    self.courses = courses
    self.hub = hub
    hub.observe { [weak self] event in self?.observed(event) }
  }

  /// Told of every event before a subscriber can see it.
  private func observed(_ event: SharedEvent) {
    guard event.event.entityType == EntityType.enrolment.rawValue,
      let courseID = event.facts.courseID, let userID = event.event.userID
    else { return }
    memory.withLock { $0.enrolled[Place(courseID: courseID, userID: userID)] = nil }
  }

  /// What can be said without the database; nil where it must be asked.
  package func allowsAtOnce(_ event: SharedEvent, to caller: Caller) -> Bool? {
    if event.event.entityType == EntityType.token.rawValue { return caller.role == .admin }
    if caller.role.seesEverybody || event.event.userID == caller.userID { return true }
    return caller.role == .instructor && event.facts.courseID != nil ? nil : false
  }

  package func allows(_ event: SharedEvent, to caller: Caller) async throws(StoreError) -> Bool {
    if let known = allowsAtOnce(event, to: caller) { return known }
    guard let courseID = event.facts.courseID else { return false }
    guard try await owner(of: courseID, caller) == caller.userID else { return false }
    switch EntityType(rawValue: event.event.entityType) {
    case .enrolment: return true
    case .goal, .task, .codeSnapshot, .validation, .taskTests:
      guard let userID = event.event.userID else { return false }
      return try await isEnrolled(Place(courseID: courseID, userID: userID), caller)
    case .user, .course, .document, .agentRun, .token, .external, nil: return false
    }
  }

  private func owner(of courseID: EntityID, _ caller: Caller) async throws(StoreError) -> EntityID?
  {
    let now = ContinuousClock.now
    if let known = memory.withLock({ $0.owners[courseID] }), known.until > now {
      return known.owner
    }
    let owner = try await courses.course(courseID, scope: system(caller))?.userID
    if let owner { hub.learn(owner: owner, of: courseID) }
    memory.withLock { memory in
      if memory.owners.count >= Self.entriesMax { memory.owners.removeAll() }
      memory.owners[courseID] = (owner, now.advanced(by: Self.memoryTime))
    }
    return owner
  }

  private func isEnrolled(_ place: Place, _ caller: Caller) async throws(StoreError) -> Bool {
    let now = ContinuousClock.now
    if let known = memory.withLock({ $0.enrolled[place] }), known.until > now {
      return known.isActive
    }
    let enrolment = try await courses.enrolment(
      course: place.courseID, user: place.userID, scope: system(caller))
    let isActive = enrolment?.isActive ?? false
    memory.withLock { memory in
      if memory.enrolled.count >= Self.entriesMax { memory.enrolled.removeAll() }
      memory.enrolled[place] = (isActive, now.advanced(by: Self.memoryTime))
    }
    return isActive
  }

  /// For checks that the server makes on its own account.
  private func system(_ caller: Caller) -> AccessScope {
    AccessScope(callerID: caller.userID, role: .service)
  }
}
