/// The kinds of entity that have events; the raw value is what `events.entity_type` holds.
package enum EntityType: String, Sendable, Hashable, CaseIterable {
  case user
  case course
  case enrolment
  case goal
  case task
  case codeSnapshot = "code_snapshot"
  /// A document of a course.
  case document
  case agentRun = "agent_run"
  case validation
  /// The tests that a task has; the entity's id is the task's.
  case taskTests = "task_tests"
  /// A bearer token.
  case token
  /// What events of another system are about.
  case external
}
