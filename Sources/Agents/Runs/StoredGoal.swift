package import Domain

extension AgentRunEvent.StoredGoal {
  /// The goal as it was when the run stored it, at `time`.
  package func goal(of run: AgentRun, at time: Timestamp) -> Goal {
    proposal.goal(id: goalID, of: run, at: time)
  }

  /// Its tasks as they were then, in order.
  package func tasks(of run: AgentRun, at time: Timestamp) -> [LearningTask] {
    zip(taskIDs, proposal.tasks).enumerated().map { index, task in
      LearningTask(
        id: task.0, goalID: goalID, userID: run.learnerID, title: task.1.title,
        description: task.1.description, ordinal: Int32(index),
        validationCriteria: task.1.validationCriteria, createdAt: time, updatedAt: time)
    }
  }
}

extension GoalProposal {
  /// Makes a goal of the proposal, with its tasks: what the run that proposed it stores.
  package func aggregate(
    of run: AgentRun, context: ChangeContext
  ) throws(DomainError) -> GoalAggregate {
    try GoalAggregate.create(
      goal(id: context.nextID(), of: run, at: context.now),
      tasks: tasks.map {
        TaskDraft(
          title: $0.title, description: $0.description, validationCriteria: $0.validationCriteria)
      }, context: context)
  }

  fileprivate func goal(id: EntityID, of run: AgentRun, at time: Timestamp) -> Goal {
    var courseID: EntityID?
    if case .goal(let request) = run.request { courseID = request.courseID }
    return Goal(
      id: id, userID: run.learnerID, courseID: courseID, title: title, description: description,
      validationCriteria: validationCriteria, aiFeedback: aiFeedback, createdAt: time,
      updatedAt: time)
  }
}
