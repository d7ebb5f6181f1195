import Contract
import Domain
import RPC

/// The calls that most tests need, in one line each.
extension ServiceFixture {
  func createGoal(
    _ title: String = "Aprender FastAPI", tasks: [String] = [], courseID: String = "",
    as user: Domain.User, key: String? = nil
  ) async throws -> CreateGoalResponse {
    try await call(
      GoalServiceMethods.createGoal,
      CreateGoalRequest(
        title: title, courseId: courseID, tasks: tasks.map { NewTask(title: $0) }),
      as: user, key: key)
  }

  func getGoal(_ id: String?, as user: Domain.User) async throws -> GetGoalResponse {
    try await call(GoalServiceMethods.getGoal, GetGoalRequest(goalId: id ?? ""), as: user)
  }

  func completeTask(
    _ id: String?, version: Int64 = 0, as user: Domain.User, key: String? = nil
  ) async throws -> CompleteTaskResponse {
    try await call(
      TaskServiceMethods.completeTask,
      CompleteTaskRequest(taskId: id ?? "", expectedVersion: version), as: user, key: key)
  }

  func createCourse(
    _ title: String = "FastAPI", as user: Domain.User
  ) async throws -> Contract.Course {
    let response: CreateCourseResponse = try await call(
      CourseServiceMethods.createCourse, CreateCourseRequest(title: title), as: user)
    return response.course ?? Contract.Course()
  }

  @discardableResult
  func enrol(
    in courseID: String, learner: String = "", as user: Domain.User
  ) async throws -> EnrolResponse {
    try await call(
      CourseServiceMethods.enrol, EnrolRequest(courseId: courseID, userId: learner), as: user)
  }

  func readEvents(
    _ request: ReadEventsRequest = ReadEventsRequest(), as user: Domain.User
  ) async throws -> ReadEventsResponse {
    try await call(EventServiceMethods.readEvents, request, as: user)
  }
}
