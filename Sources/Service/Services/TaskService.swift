internal import Contract
internal import Domain
internal import RPC
internal import Writes

struct TaskService: TaskServiceHandler {
  private static let fields = ["title", "description", "validation_criteria"]

  let goals: any GoalRepository
  let writes: WriteExecutor
  let waiter: CursorWaiter
  let cursors: CursorCodec

  func createTask(
    _ request: CreateTaskRequest, _ context: CallContext
  ) async throws -> CreateTaskResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.goalId, field: "goal_id")
    guard let draft = request.task else {
      throw DomainError.invalid("task", "must not be missing")
    }
    return try await writes.perform(context, caller) { change in
      var aggregate = try await goals.goal(id, caller, forUpdate: true)
      let taskID = try aggregate.addTask(TaskDraft(draft), context: change)
      return Decision(
        aggregate,
        CreateTaskResponse(
          task: aggregate.task(taskID), goal: Contract.Goal(aggregate.goal)))
    }
  }

  func getTask(_ request: GetTaskRequest, _ context: CallContext) async throws -> GetTaskResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.taskId, field: "task_id")
    try await waiter.checkRowRead(request.minCursor)
    let scope = AccessScope(caller)
    guard let task = try await goals.task(id, scope: scope) else {
      throw DomainError.notFound(.task, id)
    }
    return GetTaskResponse(task: GoalTask(task))
  }

  func listTasks(
    _ request: ListTasksRequest, _ context: CallContext
  ) async throws -> ListTasksResponse {
    let caller = try context.caller
    let statuses = try Domain.WorkStatus.filter(request.statuses, field: "statuses")
    try await waiter.checkRowRead(request.minCursor)
    if let goalID = try EntityID.optional(request.goalId, field: "goal_id") {
      return try await tasks(of: goalID, statuses, request, caller)
    }
    let paging = try Paging(request, context, caller, cursors)
    let page = try await goals.tasks(
      owner: try caller.listed(request.userId), statuses: statuses,
      page: paging.request, scope: AccessScope(caller))
    let (tasks, info) = paging.fitting(
      page, key: { PageKey(time: $0.createdAt, id: $0.id) }, GoalTask.init)
    return ListTasksResponse(tasks: tasks, page: info)
  }

  func updateTask(
    _ request: UpdateTaskRequest, _ context: CallContext
  ) async throws -> UpdateTaskResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.taskId, field: "task_id")
    let fields = try FieldPaths(request.updateMask, allowed: Self.fields)
    let expected = try expectedVersion(request.expectedVersion)
    let new = request.task ?? GoalTask()
    return try await writes.perform(context, caller) { change in
      var aggregate = try await goal(ofTask: id, caller)
      try aggregate.updateTask(id, expectedVersion: expected, context: change) { task in
        if fields.contains("title") { task.title = new.title }
        if fields.contains("description") { task.description = new.description }
        if fields.contains("validation_criteria") {
          task.validationCriteria = new.validationCriteria
        }
      }
      return Decision(aggregate, UpdateTaskResponse(task: aggregate.task(id)))
    }
  }

  func startTask(
    _ request: StartTaskRequest, _ context: CallContext
  ) async throws -> StartTaskResponse {
    try await move(request.taskId, .start, request.expectedVersion, context) {
      StartTaskResponse(task: $0, goal: $1)
    }
  }

  func completeTask(
    _ request: CompleteTaskRequest, _ context: CallContext
  ) async throws -> CompleteTaskResponse {
    try await move(request.taskId, .complete, request.expectedVersion, context) {
      CompleteTaskResponse(task: $0, goal: $1)
    }
  }

  func reopenTask(
    _ request: ReopenTaskRequest, _ context: CallContext
  ) async throws -> ReopenTaskResponse {
    try await move(request.taskId, .reopen, request.expectedVersion, context) {
      ReopenTaskResponse(task: $0, goal: $1)
    }
  }

  func archiveTask(
    _ request: ArchiveTaskRequest, _ context: CallContext
  ) async throws -> ArchiveTaskResponse {
    try await move(request.taskId, .archive, request.expectedVersion, context) {
      ArchiveTaskResponse(task: $0, goal: $1)
    }
  }

  func deleteTask(
    _ request: DeleteTaskRequest, _ context: CallContext
  ) async throws -> DeleteTaskResponse {
    try await move(request.taskId, .delete, request.expectedVersion, context) {
      DeleteTaskResponse(goal: $1)
    }
  }

  func reorderTasks(
    _ request: ReorderTasksRequest, _ context: CallContext
  ) async throws -> ReorderTasksResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.goalId, field: "goal_id")
    let expected = try expectedVersion(request.expectedVersion)
    guard request.taskIds.count <= GoalLimits.tasks else {
      throw DomainError.invalid("task_ids", "has more than \(GoalLimits.tasks) entries")
    }
    var order: [EntityID] = []
    for (index, text) in request.taskIds.enumerated() {
      order.append(try EntityID(parsing: text, field: "task_ids[\(index)]"))
    }
    return try await writes.perform(context, caller) { change in
      var aggregate = try await goals.goal(id, caller, forUpdate: true)
      try aggregate.reorder(order, expectedVersion: expected, context: change)
      return Decision(
        aggregate, ReorderTasksResponse(tasks: aggregate.tasks.map(GoalTask.init)))
    }
  }

  private func move<Response: WriteResponse>(
    _ taskID: String, _ action: WorkAction, _ version: Int64, _ context: CallContext,
    _ response: (GoalTask?, Contract.Goal) -> Response
  ) async throws -> Response {
    let caller = try context.caller
    let id = try EntityID(parsing: taskID, field: "task_id")
    let expected = try expectedVersion(version)
    return try await writes.perform(
      context, caller, WritePolicy(isCharged: action != .delete)
    ) { change in
      var aggregate = try await goal(ofTask: id, caller)
      try aggregate.applyToTask(id, action, expectedVersion: expected, context: change)
      return Decision(
        aggregate, response(aggregate.task(id), Contract.Goal(aggregate.goal)))
    }
  }

  /// All tasks of one goal fit a page, since a goal has a limited number.
  private func tasks(
    of goalID: EntityID, _ statuses: [Domain.WorkStatus], _ request: ListTasksRequest,
    _ caller: Caller
  ) async throws -> ListTasksResponse {
    guard request.page == nil || request.page == Contract.PageRequest() else {
      throw DomainError.invalid("page", "cannot be given with goal_id")
    }
    guard request.userId.isEmpty else {
      throw DomainError.invalid("user_id", "cannot be given with goal_id")
    }
    let aggregate = try await goals.goal(goalID, caller, forUpdate: false)
    let tasks = aggregate.tasks.filter { task in
      statuses.isEmpty ? task.status != .archived : statuses.contains(task.status)
    }
    return ListTasksResponse(tasks: tasks.map(GoalTask.init), page: PageInfo())
  }

  private func goal(ofTask id: EntityID, _ caller: Caller) async throws -> GoalAggregate {
    let scope = AccessScope(caller)
    if let goal = try await goals.goal(ofTask: id, scope: scope, forUpdate: true) { return goal }
    if try await goals.task(id, scope: scope) != nil {
      throw DomainError.forbidden("only its learner may change a task")
    }
    throw DomainError.notFound(.task, id)
  }
}

extension GoalAggregate {
  /// Nil for one that was deleted.
  fileprivate func task(_ id: EntityID) -> GoalTask? {
    tasks.first { $0.id == id }.map(GoalTask.init)
  }
}
