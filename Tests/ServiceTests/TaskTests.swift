import Contract
import Domain
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct `TaskService` {
  let fixture = ServiceFixture()

  @Test func `drives the progress of the goal, and completes it`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    let first = try await fixture.completeTask(created.tasks[0].id, as: ada)
    #expect(first.task?.status == .completed)
    #expect(first.goal?.status == .inProgress)
    #expect(first.goal?.progressPercentage == 50)
    let second = try await fixture.completeTask(created.tasks[1].id, version: 1, as: ada)
    #expect(second.goal?.status == .completed)
    #expect(second.goal?.progressPercentage == 100)
    let reopened: ReopenTaskResponse = try await fixture.call(
      TaskServiceMethods.reopenTask, ReopenTaskRequest(taskId: created.tasks[0].id), as: ada)
    #expect(reopened.goal?.status == .inProgress)
  }

  @Test func `adds, changes, archives, deletes and orders tasks`() async throws {
    let ada = fixture.user()
    let goalID = try await fixture.createGoal(tasks: ["uno"], as: ada).goal?.id ?? ""
    let added: CreateTaskResponse = try await fixture.call(
      TaskServiceMethods.createTask,
      CreateTaskRequest(goalId: goalID, task: NewTask(title: "dos")), as: ada)
    let id = added.task?.id ?? ""
    #expect(added.task?.ordinal == 1)
    let renamed: UpdateTaskResponse = try await fixture.call(
      TaskServiceMethods.updateTask,
      UpdateTaskRequest(
        taskId: id, task: GoalTask(title: "2"), updateMask: FieldMask(paths: ["title"]),
        expectedVersion: 1),
      as: ada)
    #expect(renamed.task?.title == "2")
    #expect(renamed.task?.version == 2)
    let tasks = try await fixture.getGoal(goalID, as: ada).tasks
    let reordered: ReorderTasksResponse = try await fixture.call(
      TaskServiceMethods.reorderTasks,
      ReorderTasksRequest(goalId: goalID, taskIds: tasks.reversed().map(\.id)), as: ada)
    #expect(reordered.tasks.map(\.title) == ["2", "uno"])
    let archived: ArchiveTaskResponse = try await fixture.call(
      TaskServiceMethods.archiveTask, ArchiveTaskRequest(taskId: id), as: ada)
    #expect(archived.task?.status == .archived)
    let deleted: DeleteTaskResponse = try await fixture.call(
      TaskServiceMethods.deleteTask, DeleteTaskRequest(taskId: id), as: ada)
    #expect(deleted.goal?.id == goalID)
    let gone = await failure {
      try await fixture.call(
        TaskServiceMethods.getTask, GetTaskRequest(taskId: id), as: ada,
        returning: GetTaskResponse.self)
    }
    #expect(gone.code == .notFound)
  }

  @Test func `refuses a new order that does not name every task once`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    let error = await failure {
      try await fixture.call(
        TaskServiceMethods.reorderTasks,
        ReorderTasksRequest(
          goalId: created.goal?.id ?? "", taskIds: [created.tasks[0].id, created.tasks[0].id]),
        as: ada, returning: ReorderTasksResponse.self)
    }
    #expect(error.code == .invalidArgument)
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["task_ids"])
  }

  @Test func `lists the tasks of a goal in order, or of a learner newest first`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    let ofGoal: ListTasksResponse = try await fixture.call(
      TaskServiceMethods.listTasks, ListTasksRequest(goalId: created.goal?.id ?? ""), as: ada)
    #expect(ofGoal.tasks.map(\.title) == ["uno", "dos"])
    _ = try await fixture.createGoal(tasks: ["tres"], as: ada)
    let all: ListTasksResponse = try await fixture.call(
      TaskServiceMethods.listTasks, ListTasksRequest(), as: ada)
    #expect(all.tasks.first?.title == "tres")
    #expect(all.tasks.count == 3)
    let both = await failure {
      try await fixture.call(
        TaskServiceMethods.listTasks,
        ListTasksRequest(
          goalId: created.goal?.id ?? "", page: Contract.PageRequest(pageSize: 1)),
        as: ada, returning: ListTasksResponse.self)
    }
    #expect(both.decodedDetails.fieldViolations.map(\.field) == ["page"])
  }

  @Test func `says which version a task has where the caller's is old`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal(tasks: ["uno"], as: ada)
    let error = await failure {
      try await fixture.completeTask(created.tasks[0].id, version: 7, as: ada)
    }
    #expect(error.code == .aborted)
    #expect(error.decodedDetails.reason == .staleVersion)
    #expect(error.decodedDetails.resource?.currentVersion == 1)
  }
}
