import JSON

/// What an event concerns besides its own entity: read once from the payload, then asked by every
/// subscription.
package struct EventFacts: Sendable, Hashable {
  package var goalID: UUIDv7?
  package var taskID: UUIDv7?
  package var courseID: UUIDv7?

  private static let names: Set<String> = ["goal_id", "task_id", "course_id"]

  package init(goalID: UUIDv7? = nil, taskID: UUIDv7? = nil, courseID: UUIDv7? = nil) {
    self.goalID = goalID
    self.taskID = taskID
    self.courseID = courseID
  }

  package init(of event: StoredEvent) {
    let entity = EntityType(rawValue: event.entityType)
    // Users belong to nothing, and their payloads are the ones that need no scan.
    if entity != .user {
      let fields = JSONFields(of: event.payload, names: EventFacts.names)
      goalID = EventFacts.id(fields["goal_id"])
      taskID = EventFacts.id(fields["task_id"])
      courseID = EventFacts.id(fields["course_id"])
    }
    switch entity {
    case .goal: goalID = event.entityID
    case .task: taskID = event.entityID
    case .course: courseID = event.entityID
    case .user, .enrolment, .codeSnapshot, .document, .agentRun, nil: break
    }
  }

  private static func id(_ value: JSONFields.Value?) -> UUIDv7? {
    if case .string(let text) = value { UUIDv7(text) } else { nil }
  }
}

/// A filter made ready to be asked of many events.
package struct EventSelection: Sendable, Hashable {
  private let users: Set<UUIDv7>
  private let goals: Set<UUIDv7>
  private let tasks: Set<UUIDv7>
  private let courses: Set<UUIDv7>
  private let types: Set<String>
  private let kinds: Set<String>

  package init(_ filter: EventFilter) {
    users = Set(filter.userIDs)
    goals = Set(filter.goalIDs)
    tasks = Set(filter.taskIDs)
    courses = Set(filter.courseIDs)
    types = Set(filter.types.filter { !$0.hasSuffix(".*") })
    kinds = Set(filter.types.filter { $0.hasSuffix(".*") }.map { String($0.dropLast(2)) })
  }

  /// Whether every bound of the filter holds for the event.
  package func wants(_ event: StoredEvent, _ facts: EventFacts) -> Bool {
    holds(users, event.userID) && holds(goals, facts.goalID) && holds(tasks, facts.taskID)
      && holds(courses, facts.courseID) && wantsType(of: event)
  }

  private func holds(_ wanted: Set<UUIDv7>, _ value: UUIDv7?) -> Bool {
    wanted.isEmpty || value.map(wanted.contains) ?? false
  }

  private func wantsType(of event: StoredEvent) -> Bool {
    if types.isEmpty && kinds.isEmpty { return true }
    return types.contains(event.type) || kinds.contains(String(event.kind))
  }
}
