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
    case .insertSnapshot(let snapshot): insert(snapshot)
    case .updateSnapshot(let snapshot): [SnapshotStatements.update(Updated(snapshot))]
    case .savePassages(let update): calls(for: update)
    case .insertRun(let run): [AgentRunStatements.insert(Inserted(run))]
    case .updateRun(let run, let version): [AgentRunStatements.update(Updated(run), version)]
    case .insertValidation(let run):
      [
        ValidationStatements.lock(run.queueKey.description),
        ValidationStatements.insert(Inserted(run), Int64(ValidationLimits.queued)),
      ]
    case .updateValidation(let run, let version, let full):
      [ValidationStatements.update(Updated(run), version)]
        + (full.map {
          [ValidationStatements.insertReport(run.id, $0.suiteAuthorID, $0.report.json)]
        } ?? [])
    case .insertSuite(let stored): [TaskTestsStatements.insertSuite(Inserted(stored))]
    case .insertTaskTests(let tests): tests.isEmpty ? [] : [TaskTestsStatements.insert(tests)]
    case .saveDocument(let document): save(document)
    case .insertGroup(let group): [GroupStatements.insert(Inserted(group))]
    case .updateGroup(let group): [GroupStatements.update(Updated(group))]
    case .deleteGroup(let id): [GroupStatements.delete(id)]
    case .unpark(let id, let positions, let isReplay):
      [
        GroupStatements.lock(id),
        isReplay ? GroupStatements.replay(id, positions) : GroupStatements.skip(id, positions),
      ]
    case .insertExternals(let records): ExternalStatements.calls(records)
    case .saveSubjects(let subjects): ExternalStatements.calls(subjects)
    case .saveQuota(let quota):
      [
        UsageStatements.saveQuota(
          quota.userID, quota.callsPerSecond, quota.burst, quota.modelTokensPerDay,
          quota.streamMax, quota.bytesPerDay)
      ]
    }
  }

  private static func insert(_ snapshot: CodeSnapshot) -> [StatementCall] {
    let insert = [
      SnapshotStatements.insert(Inserted(snapshot)), BlobStatements.insert(snapshot.blobs),
    ]
    guard !snapshot.files.isEmpty else { return insert }
    return insert + [
      ValidationStatements.insertFiles(
        snapshot.files.map {
          SnapshotFile(snapshotID: snapshot.id, userID: snapshot.userID, file: $0)
        })
    ]
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
    guard !document.isDeleted else { return [save] }
    return [DocumentStatements.courseIsThere(document.courseID), save]
      + (document.blob.map { [BlobStatements.insert([$0])] } ?? [])
  }
}
