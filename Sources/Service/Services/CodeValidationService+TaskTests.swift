internal import Contract
internal import Digits
internal import Domain
internal import JSON
internal import RPC
internal import Validation
internal import Writes

extension CodeValidationService {
  private static let historyMax = 100

  func setTaskTests(
    _ request: SetTaskTestsRequest, _ context: CallContext
  ) async throws -> SetTaskTestsResponse {
    let caller = try context.caller
    let ids = try taskIDs(request.taskIds)
    let suite = try Domain.TestSuite(checking: request.suite)
    let hash = ValidationHash.suite(suite)
    // Two who set the same tests at once make one suite, and one version after the other.
    return try await writes.perform(
      context, caller, WritePolicy(retriesDuplicates: true)
    ) { change in
      let tasks = try await changeableTasks(ids, caller)
      let known = try await validations.ports.tests.suite(hash: hash, authorID: caller.userID)
      let stored =
        known
        ?? StoredSuite(
          id: change.nextID(), authorID: caller.userID, hash: hash, suite: suite,
          createdAt: change.now)
      let changed = tasks.filter { $0.tests?.suiteID != stored.id }
      let new = changed.map { $0.next(stored.id, caller, change.now) }
      let response = SetTaskTestsResponse(
        suiteId: stored.id.description, changedCount: Int32(new.count))
      guard !new.isEmpty else { return .unchanged(response) }
      return Decision(
        changes: (known == nil ? [.insertSuite(stored)] : []) + [.insertTaskTests(new)],
        events: zip(new, changed).map { $0.event(stored, courseID: $1.courseID, context: change) },
        response: response)
    }
  }

  func clearTaskTests(
    _ request: ClearTaskTestsRequest, _ context: CallContext
  ) async throws -> ClearTaskTestsResponse {
    let caller = try context.caller
    let ids = try taskIDs(request.taskIds)
    return try await writes.perform(
      context, caller, WritePolicy(retriesDuplicates: true, isCharged: false)
    ) { change in
      let changed = try await changeableTasks(ids, caller).filter { $0.tests?.suiteID != nil }
      let new = changed.map { $0.next(nil, caller, change.now) }
      let response = ClearTaskTestsResponse(changedCount: Int32(new.count))
      guard !new.isEmpty else { return .unchanged(response) }
      return Decision(
        changes: [.insertTaskTests(new)],
        events: zip(new, changed).map { $0.event(nil, courseID: $1.courseID, context: change) },
        response: response)
    }
  }

  func getTaskTests(
    _ request: GetTaskTestsRequest, _ context: CallContext
  ) async throws -> GetTaskTestsResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.taskId, field: "task_id")
    try await waiter.checkRowRead(request.minCursor)
    let scope = AccessScope(caller)
    guard let task = try await goals.task(id, scope: scope) else {
      throw DomainError.notFound(.task, id)
    }
    context.concerns(userID: task.userID.description)
    let tests = validations.ports.tests
    let current = try await tests.taskTests(ofTasks: [id], scope: scope).first
    var response = GetTaskTestsResponse()
    if let current, current.suiteID != nil {
      response.tests = try await message(current, of: task, caller, withContent: true)
    }
    guard request.withHistory else { return response }
    for entry in try await tests.history(ofTask: id, limit: Self.historyMax, scope: scope) {
      response.history.append(try await message(entry, of: task, caller, withContent: false))
    }
    return response
  }

  private func message(
    _ entry: Domain.TaskTests, of task: LearningTask, _ caller: Caller, withContent: Bool
  ) async throws -> Contract.TaskTests {
    var message = Contract.TaskTests(
      taskId: entry.taskID.description, setBy: entry.setBy.description,
      setAt: Contract.Timestamp(entry.setAt), version: entry.version)
    guard let id = entry.suiteID, let stored = try await validations.ports.tests.suite(id) else {
      return message
    }
    // Whoever sees the task of another oversees it.
    let seesAll =
      stored.authorID == caller.userID || caller.role.seesEverybody
      || task.userID != caller.userID
    var suite = seesAll ? stored.suite : LearnerView.shown(stored.suite)
    message.isCut = suite != stored.suite
    if !withContent {
      suite.files = []
      suite.tests = []
    }
    message.suite = Contract.TestSuite(suite, id: stored.id, hash: stored.hash)
    return message
  }

  func taskIDs(_ texts: [String]) throws(DomainError) -> [EntityID] {
    guard (1...ValidationLimits.tasks).contains(texts.count) else {
      throw .invalid("task_ids", "must be 1 to \(ValidationLimits.tasks)")
    }
    var ids: [EntityID] = []
    var seen: Set<EntityID> = []
    for (index, text) in texts.enumerated() {
      let id = try EntityID(parsing: text, field: "task_ids[\(index)]")
      if seen.insert(id).inserted { ids.append(id) }
    }
    return ids
  }

  /// The tasks with the tests that they have, where the caller may change those of each.
  private func changeableTasks(_ ids: [EntityID], _ caller: Caller) async throws -> [TestedTask] {
    let scope = AccessScope(caller)
    let known = try await validations.ports.tests.taskTests(ofTasks: ids, scope: scope)
    let current = Dictionary(known.map { ($0.taskID, $0) }) { first, _ in first }
    var courses: [EntityID: EntityID?] = [:]
    var tasks: [TestedTask] = []
    for id in ids {
      guard let task = try await goals.task(id, scope: scope) else {
        throw DomainError.notFound(.task, id)
      }
      if courses[task.goalID] == nil {
        let goal = try await goals.goal(task.goalID, scope: scope, forUpdate: false)
        courses[task.goalID] = .some(goal?.goal.courseID)
      }
      let tests = current[id]
      let isLearner = task.userID == caller.userID && !caller.role.seesEverybody
      if isLearner, let tests, tests.suiteID != nil, tests.setBy != caller.userID,
        tests.setAs != .learner
      {
        throw DomainError.forbidden("the tests of this task were set by who oversees it")
      }
      tasks.append(TestedTask(task: task, courseID: courses[task.goalID] ?? nil, tests: tests))
    }
    return tasks
  }
}

/// A task, and the tests that it has.
private struct TestedTask: Sendable {
  var task: LearningTask
  var courseID: EntityID?
  var tests: Domain.TaskTests?

  func next(
    _ suiteID: EntityID?, _ caller: Caller, _ now: Domain.Timestamp
  ) -> Domain.TaskTests {
    // A role is that of the call; on a task of their own everybody is its learner, but for those who
    // see everybody.
    let isOwn = task.userID == caller.userID && !caller.role.seesEverybody
    return Domain.TaskTests(
      taskID: task.id, userID: task.userID, goalID: task.goalID, suiteID: suiteID,
      setBy: caller.userID, setAs: isOwn ? .learner : caller.role,
      version: (tests?.version ?? 0) + 1, setAt: now)
  }
}

extension Domain.TaskTests {
  /// What the log says of it: that there are tests, and nothing of what is in them.
  fileprivate func event(
    _ stored: StoredSuite?, courseID: EntityID?, context: ChangeContext
  ) -> NewEvent {
    let suite = stored?.suite
    return NewEvent(
      id: context.nextID(), type: suiteID == nil ? .taskTestsCleared : .taskTestsSet,
      entityType: .taskTests, entityID: taskID, version: version, userID: userID,
      payload: .object([
        ("task_id", .string(taskID.description)), ("user_id", .string(userID.description)),
        ("goal_id", .string(goalID.description)), ("course_id", JSONValue(courseID)),
        ("suite_id", JSONValue(suiteID)),
        ("suite_hash", stored.map { .string(Digits.hexadecimal($0.hash)) } ?? .null),
        ("language", suite.map { .string($0.language) } ?? .null),
        ("kind", suite.map { .string($0.kind.rawValue) } ?? .null),
        ("test_count", .integer(Int64(suite?.tests.count ?? 0))),
        ("hidden_test_count", .integer(Int64(suite?.tests.count(where: \.isHidden) ?? 0))),
        ("completes_task", .bool(suite?.completesTask ?? false)),
        ("set_by", .string(setBy.description)), ("set_as", .string(setAs.rawValue)),
        ("set_at", .string(setAt.description)),
      ]), metadata: context.metadata, createdAt: context.now)
  }
}
