import Contract
import Domain
import InMemoryStore
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct `GoalService` {
  let fixture = ServiceFixture()

  @Test func `makes a goal with its tasks, and shows it`() async throws {
    let ada = fixture.user()
    let target = Contract.Timestamp(seconds: 1_800_000_000, nanos: 123_456_000)
    let created: CreateGoalResponse = try await fixture.call(
      GoalServiceMethods.createGoal,
      CreateGoalRequest(
        title: "Aprender FastAPI", description: "a fondo",
        tasks: [NewTask(title: "Leer"), NewTask(title: "Probar", validationCriteria: ["va"])],
        validationCriteria: ["una API propia"], targetDate: target),
      as: ada)
    let goal = try #require(created.goal)
    #expect(goal.title == "Aprender FastAPI")
    #expect(goal.userId == ada.id.description)
    #expect(goal.status == .pending)
    #expect(goal.version == 1)
    #expect(goal.targetDate == target)
    #expect(goal.completedAt == nil)
    #expect(created.tasks.map(\.title) == ["Leer", "Probar"])
    #expect(created.tasks.map(\.ordinal) == [0, 1])
    #expect(created.receipt?.cursor.isEmpty == false)
    #expect(created.receipt?.replayed == false)
    let shown = try await fixture.getGoal(goal.id, as: ada)
    #expect(shown.goal == goal)
    #expect(shown.tasks == created.tasks)
    #expect(
      fixture.store.allEvents.map(\.type) == ["goal.created", "task.created", "task.created"])
    #expect(fixture.commits.count == 1)
  }

  @Test func `says of every field what is wrong with it`() async throws {
    let ada = fixture.user()
    let error = await failure {
      try await fixture.call(
        GoalServiceMethods.createGoal,
        CreateGoalRequest(
          title: " ", description: String(repeating: "x", count: 10_001),
          tasks: [NewTask(title: "bien"), NewTask(title: "")]),
        as: ada, returning: CreateGoalResponse.self)
    }
    #expect(error.code == .invalidArgument)
    #expect(error.decodedDetails.reason == .invalidField)
    #expect(
      error.decodedDetails.fieldViolations.map(\.field)
        == ["title", "description", "tasks[1].title"])
    #expect(fixture.store.allEvents.isEmpty)
  }

  @Test(arguments: [
    Contract.Timestamp(seconds: .max, nanos: 0), Contract.Timestamp(seconds: .min, nanos: 0),
    Contract.Timestamp(seconds: 0, nanos: -1), Contract.Timestamp(seconds: 0, nanos: 1_000_000_000),
  ])
  func `refuses times that are none`(time: Contract.Timestamp) async {
    let ada = fixture.user()
    let error = await failure {
      try await fixture.call(
        GoalServiceMethods.createGoal, CreateGoalRequest(title: "x", targetDate: time), as: ada,
        returning: CreateGoalResponse.self)
    }
    #expect(error.code == .invalidArgument)
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["target_date"])
  }

  @Test(arguments: ["", "nonsense", "00000000-0000-0000-0000-00000000000", "zz"])
  func `refuses ids that are none`(id: String) async {
    let ada = fixture.user()
    let error = await failure { try await fixture.getGoal(id, as: ada) }
    #expect(error.code == .invalidArgument)
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["goal_id"])
  }

  @Test func `goes through a goal's life`() async throws {
    let ada = fixture.user()
    let id = try await fixture.createGoal(as: ada).goal?.id ?? ""
    let started: StartGoalResponse = try await fixture.call(
      GoalServiceMethods.startGoal, StartGoalRequest(goalId: id), as: ada)
    #expect(started.goal?.status == .inProgress)
    let completed: CompleteGoalResponse = try await fixture.call(
      GoalServiceMethods.completeGoal, CompleteGoalRequest(goalId: id, expectedVersion: 2), as: ada)
    #expect(completed.goal?.status == .completed)
    #expect(completed.goal?.progressPercentage == 100)
    let again = await failure {
      try await fixture.call(
        GoalServiceMethods.completeGoal, CompleteGoalRequest(goalId: id), as: ada,
        returning: CompleteGoalResponse.self)
    }
    #expect(again.code == .failedPrecondition)
    #expect(again.decodedDetails.reason == .illegalTransition)
    let reopened: ReopenGoalResponse = try await fixture.call(
      GoalServiceMethods.reopenGoal, ReopenGoalRequest(goalId: id), as: ada)
    #expect(reopened.goal?.status == .inProgress)
    let archived: ArchiveGoalResponse = try await fixture.call(
      GoalServiceMethods.archiveGoal, ArchiveGoalRequest(goalId: id), as: ada)
    #expect(archived.goal?.status == .archived)
    let deleted: DeleteGoalResponse = try await fixture.call(
      GoalServiceMethods.deleteGoal, DeleteGoalRequest(goalId: id), as: ada)
    #expect(deleted.receipt?.cursor.isEmpty == false)
    #expect(await failure { try await fixture.getGoal(id, as: ada) }.code == .notFound)
    #expect(
      fixture.store.allEvents.map(\.type) == [
        "goal.created", "goal.started", "goal.completed", "goal.reopened", "goal.archived",
        "goal.deleted",
      ])
    #expect(fixture.store.allEvents.map(\.version) == [1, 2, 3, 4, 5, 6])
  }

  @Test func `writes the fields that the mask names, and clears what is left empty`() async throws {
    let ada = fixture.user()
    let created: CreateGoalResponse = try await fixture.call(
      GoalServiceMethods.createGoal,
      CreateGoalRequest(
        title: "vieja", description: "larga", targetDate: Contract.Timestamp(seconds: 2_000_000_000)
      ),
      as: ada)
    let updated: UpdateGoalResponse = try await fixture.call(
      GoalServiceMethods.updateGoal,
      UpdateGoalRequest(
        goalId: created.goal?.id ?? "",
        goal: Contract.Goal(title: "nueva", description: "not named", version: 99),
        updateMask: FieldMask(paths: ["title", "target_date"])),
      as: ada)
    #expect(updated.goal?.title == "nueva")
    #expect(updated.goal?.description == "larga")
    #expect(updated.goal?.targetDate == nil)
    #expect(updated.goal?.version == 2)
  }

  @Test(
    arguments: [nil, [], ["status"], ["title", "progress_percentage"], ["goal.title"]]
      as [[String]?])
  func `refuses masks that name nothing or what cannot be written`(paths: [String]?) async throws {
    let ada = fixture.user()
    let id = try await fixture.createGoal(as: ada).goal?.id ?? ""
    let error = await failure {
      try await fixture.call(
        GoalServiceMethods.updateGoal,
        UpdateGoalRequest(
          goalId: id, goal: Contract.Goal(title: "x"),
          updateMask: paths.map { FieldMask(paths: $0) }),
        as: ada, returning: UpdateGoalResponse.self)
    }
    #expect(error.code == .invalidArgument)
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["update_mask"])
  }

  @Test func `answers an update that changes nothing without an event`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal("igual", as: ada)
    let updated: UpdateGoalResponse = try await fixture.call(
      GoalServiceMethods.updateGoal,
      UpdateGoalRequest(
        goalId: created.goal?.id ?? "", goal: Contract.Goal(title: "igual"),
        updateMask: FieldMask(paths: ["title"])),
      as: ada, key: "k1")
    #expect(updated.goal == created.goal)
    #expect(updated.receipt?.cursor == "")
    #expect(fixture.store.allEvents.count == 1)
    // Nothing is kept under its key.
    #expect(fixture.store.replyCount == 0)
  }

  @Test func `belongs only to courses that its learner is enrolled in`() async throws {
    let (ada, teacher) = (fixture.user(), fixture.user(.instructor))
    let course = try await fixture.createCourse(as: teacher)
    let refused = await failure { try await fixture.createGoal(courseID: course.id, as: ada) }
    #expect(refused.code == .failedPrecondition)
    try await fixture.enrol(in: course.id, as: ada)
    let goal = try await fixture.createGoal(courseID: course.id, as: ada)
    #expect(goal.goal?.courseId == course.id)
    let unknown = await failure {
      try await fixture.createGoal(courseID: EntityID(high: 1, low: 1).description, as: ada)
    }
    #expect(unknown.code == .notFound)
    #expect(unknown.decodedDetails.resource?.type == "course")
  }

  @Test func `lists by status, title and time`() async throws {
    let ada = fixture.user()
    let first = try await fixture.createGoal("Aprender Rust", as: ada)
    _ = try await fixture.createGoal("Aprender Swift", as: ada)
    let _: ArchiveGoalResponse = try await fixture.call(
      GoalServiceMethods.archiveGoal, ArchiveGoalRequest(goalId: first.goal?.id ?? ""), as: ada)
    func titles(_ request: ListGoalsRequest) async throws -> [String] {
      let response: ListGoalsResponse = try await fixture.call(
        GoalServiceMethods.listGoals, request, as: ada)
      return response.goals.map(\.title)
    }
    #expect(try await titles(ListGoalsRequest()) == ["Aprender Swift"])
    #expect(try await titles(ListGoalsRequest(statuses: [.unspecified])) == ["Aprender Swift"])
    #expect(try await titles(ListGoalsRequest(statuses: [.archived])) == ["Aprender Rust"])
    #expect(try await titles(ListGoalsRequest(titleContains: "SWIFT")) == ["Aprender Swift"])
    let start = SteppingTime.start.microsecondsSinceEpoch
    #expect(try await titles(ListGoalsRequest(created: TimeRange(endUs: start))) == [])
    let unknown = await failure {
      try await titles(ListGoalsRequest(statuses: [Contract.WorkStatus(rawValue: 77)]))
    }
    #expect(unknown.decodedDetails.fieldViolations.map(\.field) == ["statuses[0]"])
  }
}
