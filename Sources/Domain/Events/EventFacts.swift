import JSON

/// What an event concerns besides its own entity: read once from the payload, then asked by every
/// subscription.
package struct EventFacts: Sendable, Hashable {
  package var goalID: EntityID?
  package var taskID: EntityID?
  package var courseID: EntityID?

  private static let names: Set<String> = ["goal_id", "task_id", "course_id"]

  package init(goalID: EntityID? = nil, taskID: EntityID? = nil, courseID: EntityID? = nil) {
    self.goalID = goalID
    self.taskID = taskID
    self.courseID = courseID
  }

  package init(of event: StoredEvent) {
    let entity = EntityType(rawValue: event.entityType)
    // Users belong to nothing, and their payloads are the ones that need no scan.
    if entity != .user {
      let fields = event.payload.clearFields(EventFacts.names)
      goalID = EventFacts.id(fields["goal_id"])
      taskID = EventFacts.id(fields["task_id"])
      courseID = EventFacts.id(fields["course_id"])
    }
    switch entity {
    case .goal: goalID = event.entityID
    case .task: taskID = event.entityID
    case .course: courseID = event.entityID
    case .user, .enrolment, .codeSnapshot, .document, .agentRun, .validation, .taskTests, .token,
      .external, nil:
      break
    }
  }

  private static func id(_ value: JSONFields.Value?) -> EntityID? {
    if case .string(let text) = value { EntityID(text) } else { nil }
  }
}
