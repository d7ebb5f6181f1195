import Contract
import Domain
import RPC
import Service
import Testing

/// A repeat of a keyed request gets the reply of its first time, as far as that is still its caller's
/// to see.
@Suite(.timeLimit(.minutes(1))) struct `A repeat under a key` {
  let fixture = ServiceFixture()

  @Test func `of a verdict shows nothing to an instructor whose learner has left`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let goal = try await fixture.createGoal(tasks: ["uno"], courseID: course.id, as: ada)
    let code = try #require(try await fixture.submit(taskID: goal.tasks[0].id, as: ada).snapshot)
    func judge() async throws -> RecordVerdictResponse {
      try await fixture.call(
        CodeValidationServiceMethods.recordVerdict,
        RecordVerdictRequest(snapshotId: code.id, verdict: .passed, score: 1), as: teacher,
        key: "k")
    }
    let first = try await judge()
    #expect(try await judge().snapshot == first.snapshot)
    let _: LeaveResponse = try await fixture.call(
      CourseServiceMethods.leave, LeaveRequest(courseId: course.id), as: ada)
    #expect(await failure { try await judge() }.code == .notFound)
    // Nor where it has become an example, which may not be judged.
    _ = try await fixture.share(code.id, as: ada)
    #expect(await failure { try await judge() }.code == .permissionDenied)
    // It is there again with the learner.
    try await fixture.enrol(in: course.id, as: ada)
    #expect(try await judge().receipt?.replayed == true)
  }

  @Test func `shows nothing of others to a service that is one no more`() async throws {
    var sync = fixture.user(.service)
    let ada = fixture.user()
    func create() async throws -> CreateGoalResponse {
      try await fixture.call(
        GoalServiceMethods.createGoal,
        CreateGoalRequest(title: "Aprender", userId: ada.id.description), as: sync, key: "k")
    }
    let first = try await create()
    #expect(try await create().goal == first.goal)
    sync.role = .learner
    #expect(await failure { try await create() }.code == .permissionDenied)
  }

  @Test func `shows nothing of others to who has used up their bytes and lost access`() async throws
  {
    let fixture = ServiceFixture(quotas: QuotaDefaults(bytesPerDay: 1))
    var sync = fixture.user(.service)
    let ada = fixture.user()
    func create() async throws -> CreateGoalResponse {
      try await fixture.call(
        GoalServiceMethods.createGoal,
        CreateGoalRequest(title: "Aprender", userId: ada.id.description), as: sync, key: "k")
    }
    _ = try await create()
    sync.role = .learner
    #expect(await failure { try await create() }.code == .permissionDenied)
  }

  @Test func `shows an owner what was theirs, also where the first time took it away`() async throws
  {
    let ada = fixture.user()
    let made = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    let done = try await fixture.completeTask(made.tasks[0].id, as: ada, key: "done")
    func deleteTask() async throws -> DeleteTaskResponse {
      try await fixture.call(
        TaskServiceMethods.deleteTask, DeleteTaskRequest(taskId: made.tasks[0].id), as: ada,
        key: "task")
    }
    func deleteGoal() async throws -> DeleteGoalResponse {
      try await fixture.call(
        GoalServiceMethods.deleteGoal, DeleteGoalRequest(goalId: made.goal?.id ?? ""), as: ada,
        key: "goal")
    }
    let withoutTask = try await deleteTask()
    #expect(try await deleteTask().goal == withoutTask.goal)
    _ = try await deleteGoal()
    #expect(try await deleteGoal().receipt?.replayed == true)
    #expect(try await deleteTask().receipt?.replayed == true)
    let again = try await fixture.completeTask(made.tasks[0].id, as: ada, key: "done")
    #expect(again.task == done.task && again.receipt?.replayed == true)
  }

  @Test func `of an end of another's enrolment is for who may still see it`() async throws {
    var teacher = fixture.user(.instructor)
    let ada = fixture.user()
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    func remove() async throws -> LeaveResponse {
      try await fixture.call(
        CourseServiceMethods.leave,
        LeaveRequest(courseId: course.id, userId: ada.id.description), as: teacher, key: "k")
    }
    let first = try await remove()
    #expect(try await remove().enrolment == first.enrolment)
    teacher.role = .learner
    #expect(await failure { try await remove() }.code == .permissionDenied)
  }
}
