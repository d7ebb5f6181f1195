import Contract
import Domain
import RPC
import Testing

/// Every method that takes an id, called with an id of another user's.
@Suite(.timeLimit(.minutes(1))) struct `What belongs to another user` {
  private let fixture = ServiceFixture()

  private struct Attempt: Sendable {
    let name: String
    let call: @Sendable (Domain.User) async throws -> any WireMessage

    init<Request: WireMessage, Response: WireMessage>(
      _ fixture: ServiceFixture, _ method: MethodDescriptor, _ request: Request,
      _ type: Response.Type
    ) {
      name = String(method.name)
      call = { user in
        try await fixture.call(method, request, as: user, returning: Response.self)
      }
    }
  }

  private struct Victim {
    let user: Domain.User
    let goalID: String
    let taskID: String
  }

  private func victim(courseID: String = "") async throws -> Victim {
    let user = fixture.user(name: "Victim")
    if !courseID.isEmpty { try await fixture.enrol(in: courseID, as: user) }
    let created = try await fixture.createGoal(tasks: ["uno"], courseID: courseID, as: user)
    return Victim(user: user, goalID: created.goal?.id ?? "", taskID: created.tasks[0].id)
  }

  private func goalReads(_ victim: Victim) -> [Attempt] {
    [
      Attempt(
        fixture, GoalServiceMethods.getGoal, GetGoalRequest(goalId: victim.goalID),
        GetGoalResponse.self),
      Attempt(
        fixture, TaskServiceMethods.getTask, GetTaskRequest(taskId: victim.taskID),
        GetTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.listTasks, ListTasksRequest(goalId: victim.goalID),
        ListTasksResponse.self),
    ]
  }

  private func goalWrites(_ victim: Victim) -> [Attempt] {
    let (goal, task) = (victim.goalID, victim.taskID)
    let title = FieldMask(paths: ["title"])
    return [
      Attempt(
        fixture, GoalServiceMethods.updateGoal,
        UpdateGoalRequest(goalId: goal, goal: Contract.Goal(title: "mía"), updateMask: title),
        UpdateGoalResponse.self),
      Attempt(
        fixture, GoalServiceMethods.startGoal, StartGoalRequest(goalId: goal),
        StartGoalResponse.self),
      Attempt(
        fixture, GoalServiceMethods.completeGoal, CompleteGoalRequest(goalId: goal),
        CompleteGoalResponse.self),
      Attempt(
        fixture, GoalServiceMethods.reopenGoal, ReopenGoalRequest(goalId: goal),
        ReopenGoalResponse.self),
      Attempt(
        fixture, GoalServiceMethods.archiveGoal, ArchiveGoalRequest(goalId: goal),
        ArchiveGoalResponse.self),
      Attempt(
        fixture, GoalServiceMethods.deleteGoal, DeleteGoalRequest(goalId: goal),
        DeleteGoalResponse.self),
      Attempt(
        fixture, TaskServiceMethods.createTask,
        CreateTaskRequest(goalId: goal, task: NewTask(title: "mía")), CreateTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.updateTask,
        UpdateTaskRequest(taskId: task, task: GoalTask(title: "mía"), updateMask: title),
        UpdateTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.startTask, StartTaskRequest(taskId: task),
        StartTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.completeTask, CompleteTaskRequest(taskId: task),
        CompleteTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.reopenTask, ReopenTaskRequest(taskId: task),
        ReopenTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.archiveTask, ArchiveTaskRequest(taskId: task),
        ArchiveTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.deleteTask, DeleteTaskRequest(taskId: task),
        DeleteTaskResponse.self),
      Attempt(
        fixture, TaskServiceMethods.reorderTasks,
        ReorderTasksRequest(goalId: goal, taskIds: [task]), ReorderTasksResponse.self),
    ]
  }

  /// Methods that name a user.
  private func named(_ user: Domain.User) -> [Attempt] {
    let id = user.id.description
    return [
      Attempt(
        fixture, GoalServiceMethods.createGoal, CreateGoalRequest(title: "x", userId: id),
        CreateGoalResponse.self),
      Attempt(
        fixture, GoalServiceMethods.listGoals, ListGoalsRequest(userId: id),
        ListGoalsResponse.self),
      Attempt(
        fixture, TaskServiceMethods.listTasks, ListTasksRequest(userId: id),
        ListTasksResponse.self),
      Attempt(
        fixture, UserServiceMethods.updateUser,
        UpdateUserRequest(
          userId: id, user: Contract.User(displayName: "x"),
          updateMask: FieldMask(paths: ["display_name"])),
        UpdateUserResponse.self),
      Attempt(
        fixture, UserServiceMethods.deactivateUser, DeactivateUserRequest(userId: id),
        DeactivateUserResponse.self),
      Attempt(
        fixture, UserServiceMethods.listUsers, ListUsersRequest(), ListUsersResponse.self),
      Attempt(
        fixture, UserServiceMethods.createUser, CreateUserRequest(displayName: "x"),
        CreateUserResponse.self),
      Attempt(
        fixture, UserServiceMethods.createToken, CreateTokenRequest(userId: id),
        CreateTokenResponse.self),
      Attempt(
        fixture, UserServiceMethods.listTokens, ListTokensRequest(userId: id),
        ListTokensResponse.self),
      Attempt(
        fixture, AnalyticsServiceMethods.getProductivity, GetProductivityRequest(userId: id),
        GetProductivityResponse.self),
      Attempt(
        fixture, ServerServiceMethods.listConnections, ListConnectionsRequest(),
        ListConnectionsResponse.self),
      Attempt(
        fixture, ServerServiceMethods.listCalls, ListCallsRequest(), ListCallsResponse.self),
      Attempt(
        fixture, ServerServiceMethods.getStatistics, GetStatisticsRequest(),
        GetStatisticsResponse.self),
      Attempt(
        fixture, ServerServiceMethods.getPipelines, GetPipelinesRequest(),
        GetPipelinesResponse.self),
      Attempt(
        fixture, ServerServiceMethods.flushLake, FlushLakeRequest(), FlushLakeResponse.self),
    ]
  }

  @Test func `is not there for another learner, to read or to write`() async throws {
    let victim = try await victim()
    let eve = fixture.user(name: "Eve")
    let before = fixture.store.allEvents
    for attempt in goalReads(victim) + goalWrites(victim) {
      let error = await failure { try await attempt.call(eve) }
      #expect(error.code == .notFound, "\(attempt.name): \(error)")
    }
    #expect(fixture.store.allEvents == before)
  }

  @Test func `cannot be named by another learner or instructor`() async throws {
    let victim = try await victim()
    let before = fixture.store.allEvents
    for eve in [fixture.user(name: "Eve"), fixture.user(.instructor, name: "Eva")] {
      for attempt in named(victim.user) {
        if eve.role == .instructor, ["ListGoals", "ListTasks"].contains(attempt.name) { continue }
        let error = await failure { try await attempt.call(eve) }
        #expect(error.code == .permissionDenied, "\(attempt.name): \(error)")
      }
      let user = await failure {
        try await fixture.call(
          UserServiceMethods.getUser, GetUserRequest(name: .userId(victim.user.id.description)),
          as: eve, returning: GetUserResponse.self)
      }
      #expect(user.code == .notFound)
    }
    #expect(fixture.store.allEvents == before)
  }

  @Test func `is to be seen, not changed, by the owner of its course, while enrolled`() async throws
  {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    let victim = try await victim(courseID: course.id)
    for attempt in goalReads(victim) { _ = try await attempt.call(teacher) }
    for attempt in goalWrites(victim) {
      let error = await failure { try await attempt.call(teacher) }
      #expect(error.code == .permissionDenied, "\(attempt.name): \(error)")
    }
    let other = fixture.user(.instructor)
    for attempt in goalReads(victim) + goalWrites(victim) {
      let error = await failure { try await attempt.call(other) }
      #expect(error.code == .notFound, "\(attempt.name): \(error)")
    }
    let _: LeaveResponse = try await fixture.call(
      CourseServiceMethods.leave, LeaveRequest(courseId: course.id), as: victim.user)
    for attempt in goalReads(victim) {
      #expect(await failure { try await attempt.call(teacher) }.code == .notFound)
    }
  }

  @Test func `is open to services and admins`() async throws {
    for role in [Domain.Role.service, .admin] {
      let victim = try await victim()
      let caller = fixture.user(role)
      for attempt in goalReads(victim) { _ = try await attempt.call(caller) }
      let completed = try await fixture.completeTask(victim.taskID, as: caller)
      #expect(completed.goal?.userId == victim.user.id.description)
      let event = try #require(fixture.store.allEvents.last)
      #expect(event.userID == victim.user.id)
      #expect(event.openedMetadata.contains(caller.id.description))
    }
  }

  @Test func `is refused to callers without a token, and to tokens of narrow scopes`() async throws
  {
    let victim = try await victim()
    for method in fixture.router.methods where method.kind == .unary {
      let isOpen =
        ["hito.v1.HealthService", "hito.v1.ReflectionService"].contains(method.service)
        || method == ServerServiceMethods.getServerInfo
      let rule = fixture.router[method.path]?.rule
      #expect((rule?.callers == .anybody) == isOpen, "\(method.path)")
    }
    let read = await failure {
      try await fixture.call(
        GoalServiceMethods.getGoal, GetGoalRequest(goalId: victim.goalID), as: nil,
        returning: GetGoalResponse.self)
    }
    #expect(read.code == .unauthenticated)
    let inspected = await failure {
      try await fixture.call(
        ServerServiceMethods.listCalls, ListCallsRequest(), as: nil,
        returning: ListCallsResponse.self)
    }
    #expect(inspected.code == .unauthenticated)
    let narrow = await failure {
      try await fixture.call(
        GoalServiceMethods.deleteGoal, DeleteGoalRequest(goalId: victim.goalID), as: victim.user,
        scopes: ["read", "TaskService", "GoalService/GetGoal"], returning: DeleteGoalResponse.self)
    }
    #expect(narrow.code == .permissionDenied)
    let _: GetGoalResponse = try await fixture.call(
      GoalServiceMethods.getGoal, GetGoalRequest(goalId: victim.goalID), as: victim.user,
      scopes: ["GoalService/GetGoal"])
  }
}
