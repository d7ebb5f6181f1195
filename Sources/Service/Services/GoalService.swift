internal import Contract
internal import Domain
internal import RPC
internal import Writes

struct GoalService: GoalServiceHandler {
  private static let fields = [
    "title", "description", "course_id", "validation_criteria", "target_date",
  ]

  let users: any UserRepository
  let courses: any CourseRepository
  let goals: any GoalRepository
  let writes: WriteExecutor
  let waiter: CursorWaiter
  let cursors: CursorCodec
  let runs: RunCalls

  func createGoal(
    _ request: CreateGoalRequest, _ context: CallContext
  ) async throws -> CreateGoalResponse {
    let caller = try context.caller
    let named = try EntityID.optional(request.userId, field: "user_id")
    let courseID = try EntityID.optional(request.courseId, field: "course_id")
    let targetDate = try Domain.Timestamp.optional(request.targetDate, field: "target_date")
    return try await writes.perform(context, caller) { change in
      let ownerID = try await users.owner(named: named, caller)
      if let courseID { try await checkEnrolled(ownerID, in: courseID, caller) }
      let goal = Domain.Goal(
        id: change.nextID(), userID: ownerID, courseID: courseID, title: request.title,
        description: request.description, validationCriteria: request.validationCriteria,
        targetDate: targetDate, createdAt: change.now, updatedAt: change.now)
      let aggregate = try GoalAggregate.create(
        goal, tasks: request.tasks.map(TaskDraft.init), context: change)
      return Decision(
        aggregate,
        CreateGoalResponse(
          goal: Contract.Goal(aggregate.goal), tasks: aggregate.tasks.map(GoalTask.init)))
    }
  }

  func getGoal(_ request: GetGoalRequest, _ context: CallContext) async throws -> GetGoalResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.goalId, field: "goal_id")
    try await waiter.checkRowRead(request.minCursor)
    let aggregate = try await goals.goal(id, caller, forUpdate: false)
    return GetGoalResponse(
      goal: Contract.Goal(aggregate.goal), tasks: aggregate.tasks.map(GoalTask.init))
  }

  func listGoals(
    _ request: ListGoalsRequest, _ context: CallContext
  ) async throws -> ListGoalsResponse {
    let caller = try context.caller
    let paging = try Paging(request, context, caller, cursors)
    var filter = GoalFilter()
    filter.ownerID = try caller.listed(request.userId)
    filter.courseID = try EntityID.optional(request.courseId, field: "course_id")
    filter.statuses = try Domain.WorkStatus.filter(request.statuses, field: "statuses")
    let created = request.created ?? TimeRange()
    filter.createdAfter = try .openBound(created.startUs, field: "created.start_us")
    filter.createdBefore = try .openBound(created.endUs, field: "created.end_us")
    if let part = request.titleContains.nilIfEmpty {
      var validation = Validation()
      validation.text("title_contains", part, maximum: GoalLimits.title)
      try validation.check()
      filter.titleContains = part
    }
    try await waiter.checkRowRead(request.minCursor)
    let page = try await goals.goals(
      filter, page: paging.request, scope: AccessScope(caller))
    let (goals, info) = paging.fitting(
      page, key: { PageKey(time: $0.createdAt, id: $0.id) }, Contract.Goal.init)
    return ListGoalsResponse(goals: goals, page: info)
  }

  func updateGoal(
    _ request: UpdateGoalRequest, _ context: CallContext
  ) async throws -> UpdateGoalResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.goalId, field: "goal_id")
    let fields = try FieldPaths(request.updateMask, allowed: Self.fields)
    let expected = try expectedVersion(request.expectedVersion)
    let new = request.goal ?? Contract.Goal()
    let courseID = try EntityID.optional(new.courseId, field: "goal.course_id")
    let targetDate = try Domain.Timestamp.optional(new.targetDate, field: "goal.target_date")
    return try await writes.perform(context, caller) { change in
      var aggregate = try await goals.goal(id, caller, forUpdate: true)
      if fields.contains("course_id"), let courseID, courseID != aggregate.goal.courseID {
        try await checkEnrolled(aggregate.goal.userID, in: courseID, caller)
      }
      try aggregate.update(expectedVersion: expected, context: change) { goal in
        if fields.contains("title") { goal.title = new.title }
        if fields.contains("description") { goal.description = new.description }
        if fields.contains("course_id") { goal.courseID = courseID }
        if fields.contains("validation_criteria") {
          goal.validationCriteria = new.validationCriteria
        }
        if fields.contains("target_date") { goal.targetDate = targetDate }
      }
      return Decision(aggregate, UpdateGoalResponse(goal: Contract.Goal(aggregate.goal)))
    }
  }

  func startGoal(
    _ request: StartGoalRequest, _ context: CallContext
  ) async throws -> StartGoalResponse {
    try await move(request.goalId, .start, request.expectedVersion, context) {
      StartGoalResponse(goal: $0)
    }
  }

  func completeGoal(
    _ request: CompleteGoalRequest, _ context: CallContext
  ) async throws -> CompleteGoalResponse {
    try await move(request.goalId, .complete, request.expectedVersion, context) {
      CompleteGoalResponse(goal: $0)
    }
  }

  func reopenGoal(
    _ request: ReopenGoalRequest, _ context: CallContext
  ) async throws -> ReopenGoalResponse {
    try await move(request.goalId, .reopen, request.expectedVersion, context) {
      ReopenGoalResponse(goal: $0)
    }
  }

  func archiveGoal(
    _ request: ArchiveGoalRequest, _ context: CallContext
  ) async throws -> ArchiveGoalResponse {
    try await move(request.goalId, .archive, request.expectedVersion, context) {
      ArchiveGoalResponse(goal: $0)
    }
  }

  func deleteGoal(
    _ request: DeleteGoalRequest, _ context: CallContext
  ) async throws -> DeleteGoalResponse {
    try await move(request.goalId, .delete, request.expectedVersion, context) { _ in
      DeleteGoalResponse()
    }
  }

  private func move<Response: WriteResponse>(
    _ goalID: String, _ action: WorkAction, _ version: Int64, _ context: CallContext,
    _ response: (Contract.Goal) -> Response
  ) async throws -> Response {
    let caller = try context.caller
    let id = try EntityID(parsing: goalID, field: "goal_id")
    let expected = try expectedVersion(version)
    return try await writes.perform(
      context, caller, WritePolicy(isCharged: action != .delete)
    ) { change in
      var aggregate = try await goals.goal(id, caller, forUpdate: true)
      try aggregate.apply(action, expectedVersion: expected, context: change)
      return Decision(aggregate, response(Contract.Goal(aggregate.goal)))
    }
  }

  /// A goal can belong to a course only where its learner is enrolled.
  func checkEnrolled(
    _ userID: EntityID, in courseID: EntityID, _ caller: Caller
  ) async throws {
    let obstacle = try await courses.obstacle(
      toGoalsOf: courseID, for: userID, seenBy: AccessScope(caller))
    switch obstacle {
    case .notFound: throw DomainError.notFound(.course, courseID)
    case .notEnrolled:
      throw RPCError.precondition("the learner is not enrolled in the course", .course, courseID)
    case .archived: throw RPCError.precondition("the course is archived", .course, courseID)
    case nil: return
    }
  }
}

extension Decision {
  /// What became of a goal and its tasks.
  init(_ aggregate: GoalAggregate, _ response: Response) {
    self.init(
      changes: aggregate.changes, events: aggregate.events, response: response)
  }
}
