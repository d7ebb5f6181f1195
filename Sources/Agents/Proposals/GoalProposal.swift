/// A goal that an agent proposes, before it is stored.
package struct GoalProposal: Sendable, Hashable {
  package struct Task: Sendable, Hashable {
    package var title: String
    package var description: String
    package var validationCriteria: [String]

    package init(title: String, description: String, validationCriteria: [String]) {
      self.title = title
      self.description = description
      self.validationCriteria = validationCriteria
    }
  }

  /// Who planned it; the raw value is what clients see.
  package enum Planner: String, Sendable, Hashable {
    /// A language model.
    case model
    /// Similar goals and course sections alone, without a model.
    case retrieval
  }

  package var title: String
  package var description: String
  package var tasks: [Task]
  package var validationCriteria: [String]
  /// Why this goal and these tasks.
  package var aiFeedback: String
  package var planner: Planner

  package init(
    title: String, description: String, tasks: [Task], validationCriteria: [String],
    aiFeedback: String, planner: Planner
  ) {
    self.title = title
    self.description = description
    self.tasks = tasks
    self.validationCriteria = validationCriteria
    self.aiFeedback = aiFeedback
    self.planner = planner
  }
}
