import Domain

/// The statements of a commit.
enum WriteCalls {
  static func calls(for change: Change) -> [StatementCall] {
    switch change {
    case .insertUser(let user): [UserStatements.insert(Inserted(user))]
    case .updateUser(let user): [UserStatements.update(Updated(user))]
    case .insertCourse(let course): [CourseStatements.insert(Inserted(course))]
    case .updateCourse(let course): [CourseStatements.update(Updated(course))]
    case .insertEnrolment(let enrolment):
      [CourseStatements.insertEnrolment(Inserted(enrolment))] + copies(for: enrolment)
    case .updateEnrolment(let enrolment):
      [CourseStatements.updateEnrolment(Updated(enrolment))] + copies(for: enrolment)
    case .saveGoal(let aggregate): save(aggregate)
    case .insertSnapshot(let snapshot): [SnapshotStatements.insert(Inserted(snapshot))]
    case .updateSnapshot(let snapshot): [SnapshotStatements.update(Updated(snapshot))]
    case .savePassages(let update): calls(for: update)
    case .insertRun(let run): [AgentRunStatements.insert(Inserted(run))]
    case .updateRun(let run, let version): [AgentRunStatements.update(Updated(run), version)]
    case .saveDocument(let document): save(document)
    case .saveQuota(let quota):
      [
        UsageStatements.saveQuota(
          quota.userID, quota.callsPerSecond, quota.burst, quota.modelTokensPerDay,
          quota.streamMax, quota.bytesPerDay)
      ]
    }
  }

  /// The goal's row first: its lock is what orders the writes of an aggregate.
  private static func save(_ aggregate: GoalAggregate) -> [StatementCall] {
    let goal = aggregate.goal
    // Of this goal, whatever they say: the statement finds no task of another one.
    let tasks = aggregate.changedTasks.map { task in
      var task = task
      (task.goalID, task.userID) = (goal.id, goal.userID)
      return task
    }
    let isNew = aggregate.loadedRevision == nil
    if isNew, let insert = GoalStatements.insertWithTasks(goal, tasks) { return [insert] }
    let save =
      isNew ? GoalStatements.insert(Inserted(goal)) : GoalStatements.update(Updated(goal))
    guard !tasks.isEmpty else { return [save] }
    // What is new can conflict with nothing: looking for it costs half as much again.
    return [
      save, isNew ? GoalStatements.insertTasks(tasks) : GoalStatements.saveTasks(Listed(tasks)),
    ]
  }

  private static func save(_ document: CourseDocument) -> [StatementCall] {
    let save =
      if document.version == 1 {
        DocumentStatements.insert(Inserted(document))
      } else {
        DocumentStatements.update(Updated(document))
      }
    // What is taken out may be of a course that goes as well.
    return document.isDeleted
      ? [save] : [DocumentStatements.courseIsThere(document.courseID), save]
  }
}
