internal import Agents
internal import Contract
internal import Domain
internal import RPC

extension CourseService {
  func advise(
    _ request: AdviseRequest, _ context: CallContext, _ responses: ResponseWriter<AdviseResponse>
  ) async throws {
    let caller = try context.caller
    let courseID = try EntityID(parsing: request.courseId, field: "course_id")
    let goalID = try EntityID.optional(request.goalId, field: "goal_id")
    var validation = Validation()
    validation.text("question", request.question, minimum: 1, maximum: AgentLimits.prompt)
    try validation.check()
    let stream = RunStream(responses, cursors, runs.shownCode(context))
    let key = runs.requestKey(request, context, caller)
    let known = try await runs.known(key)
    if known == nil { try runs.checkModel() }
    try await checkMayAsk(about: courseID, caller)
    var subject = RunSubject()
    if let goalID {
      subject.goal = try await goals.goal(goalID, caller, forUpdate: false).goal
    }
    if let known { return try await runs.repeatRun(known, subject, caller, on: stream) }
    let language = try await users.language(
      AgentPrompts.language(of: request.question) ?? "", of: caller.userID, caller)
    try await runs.run(
      .advice(
        AgentRequest.Advice(
          courseID: courseID, question: request.question, goalID: goalID, language: language)),
      learnerID: caller.userID, subject, key, context, caller, on: stream)
  }

  /// Documents are for those enrolled in the course, for its owner, and for those who see everybody.
  private func checkMayAsk(about id: EntityID, _ caller: Caller) async throws {
    let course = try await course(id, caller)
    // Retrieval hands out what the caller may read under their own name, whatever their role.
    if course.userID == caller.userID { return }
    let enrolment = try await courses.enrolment(
      course: id, user: caller.userID, scope: AccessScope(caller))
    guard let enrolment, enrolment.isActive else {
      throw RPCError.precondition("enrol in the course first", .course, id)
    }
  }
}
