package import Domain

/// A filter made ready to be asked of many events.
package struct EventSelection: Sendable, Hashable {
  private let users: Set<EntityID>
  private let goals: Set<EntityID>
  private let tasks: Set<EntityID>
  private let courses: Set<EntityID>
  private let types: Set<String>
  private let kinds: Set<String>
  private let start: Timestamp?

  /// - Parameter start: nothing that happened before is wanted.
  package init(_ filter: EventFilter, from start: Timestamp? = nil) {
    self.start = start
    users = Set(filter.userIDs)
    goals = Set(filter.goalIDs)
    tasks = Set(filter.taskIDs)
    courses = Set(filter.courseIDs)
    types = Set(filter.types.filter { !$0.hasSuffix(".*") })
    kinds = Set(filter.types.filter { $0.hasSuffix(".*") }.map { String($0.dropLast(2)) })
  }

  /// Whether every bound of the filter holds for the event.
  package func wants(_ event: StoredEvent, _ facts: EventFacts) -> Bool {
    (start.map { event.createdAt >= $0 } ?? true) && holds(users, event.userID)
      && holds(goals, facts.goalID) && holds(tasks, facts.taskID)
      && holds(courses, facts.courseID) && wantsType(of: event)
  }

  private func holds(_ wanted: Set<EntityID>, _ value: EntityID?) -> Bool {
    wanted.isEmpty || value.map(wanted.contains) ?? false
  }

  private func wantsType(of event: StoredEvent) -> Bool {
    if types.isEmpty && kinds.isEmpty { return true }
    return types.contains(event.type) || kinds.contains(String(event.kind))
  }
}
