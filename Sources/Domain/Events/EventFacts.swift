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
