internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CourseService {
  /// Two that enrol the same learner at a time make one enrolment.
  private static let policy = WritePolicy(retriesDuplicates: true)

  func enrol(_ request: EnrolRequest, _ context: CallContext) async throws -> EnrolResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let named = try EntityID.optional(request.userId, field: "user_id")
    return try await writes.perform(context, caller, Self.policy) { change in
      let course = try await openCourse(id, caller)
      let learnerID = try Self.learner(named, of: course, caller)
      let known = try await enrolment(id, learnerID, caller)
      if let known, known.isActive {
        return .unchanged(EnrolResponse(enrolment: Contract.Enrolment(known)))
      }
      var enrolment =
        known
        ?? Domain.Enrolment(
          new: change.nextID(), courseID: id, userID: learnerID, at: change.now)
      let type = enrolment.enter(
        by: caller.userID, mayBeDirect: try await mayEnrolDirectly(learnerID, caller),
        at: change.now)
      return Self.decision(
        type, enrolment, change, EnrolResponse(enrolment: Contract.Enrolment(enrolment)))
    }
  }

  func acceptEnrolment(
    _ request: AcceptEnrolmentRequest, _ context: CallContext
  ) async throws -> AcceptEnrolmentResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    return try await writes.perform(context, caller) { change in
      _ = try await openCourse(id, caller)
      var enrolment = try await knownEnrolment(id, caller.userID, caller)
      let type = try enrolment.accept(at: change.now)
      return Self.decision(
        type, enrolment, change, AcceptEnrolmentResponse(enrolment: Contract.Enrolment(enrolment)))
    }
  }

  func declineEnrolment(
    _ request: DeclineEnrolmentRequest, _ context: CallContext
  ) async throws -> DeclineEnrolmentResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    return try await writes.perform(context, caller, .uncharged) { change in
      var enrolment = try await knownEnrolment(id, caller.userID, caller)
      let type = try enrolment.decline(at: change.now)
      return Self.decision(
        type, enrolment, change, DeclineEnrolmentResponse(enrolment: Contract.Enrolment(enrolment)))
    }
  }

  func leave(_ request: LeaveRequest, _ context: CallContext) async throws -> LeaveResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let named = try EntityID.optional(request.userId, field: "user_id")
    func learner() async throws -> EntityID {
      named == nil || named == caller.userID
        ? caller.userID : try Self.learner(named, of: try await course(id, caller), caller)
    }
    func isVisible(_: LeaveResponse) async throws -> Bool {
      try await enrolment(id, try await learner(), caller) != nil
    }
    return try await writes.perform(context, caller, .uncharged, isVisible: isVisible) { change in
      var enrolment = try await knownEnrolment(id, try await learner(), caller)
      let type = try enrolment.end(by: caller.userID, at: change.now)
      return Self.decision(
        type, enrolment, change, LeaveResponse(enrolment: Contract.Enrolment(enrolment)))
    }
  }

  func listEnrolments(
    _ request: ListEnrolmentsRequest, _ context: CallContext
  ) async throws -> ListEnrolmentsResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let paging = try Paging(request, context, caller, cursors)
    let states = try Domain.EnrolmentState.filter(request.states, standard: [.active])
    try await waiter.checkRowRead(request.minCursor)
    _ = try await course(id, caller)
    let page = try await courses.enrolments(
      course: id, states: states, page: paging.request, scope: AccessScope(caller))
    return ListEnrolmentsResponse(
      enrolments: page.items.map(Contract.Enrolment.init), page: paging.info(page.next))
  }

  func listLearnerEnrolments(
    _ request: ListLearnerEnrolmentsRequest, _ context: CallContext
  ) async throws -> ListLearnerEnrolmentsResponse {
    let caller = try context.caller
    let learnerID = try caller.owner(
      named: try EntityID.optional(request.userId, field: "user_id"))
    let paging = try Paging(request, context, caller, cursors)
    let states = try Domain.EnrolmentState.filter(request.states, standard: [.invited, .active])
    try await waiter.checkRowRead(request.minCursor)
    let page = try await courses.enrolments(
      learner: learnerID, states: states, page: paging.request, scope: AccessScope(caller))
    return ListLearnerEnrolmentsResponse(
      enrolments: page.items.map(Contract.Enrolment.init), page: paging.info(page.next))
  }

  /// The caller, or whom the course's owner, a service or an admin names.
  private static func learner(
    _ named: EntityID?, of course: Domain.Course, _ caller: Caller
  ) throws(DomainError) -> EntityID {
    guard let named, named != caller.userID else { return caller.userID }
    guard caller.role.seesEverybody || caller.runs(course) else {
      throw .forbidden("only the course's owner, services and admins may name another learner")
    }
    return named
  }

  /// Whether the caller may bring this user into a course without asking: services and admins, and
  /// learners only. Nobody can be given a place who does not exist or was shut out.
  private func mayEnrolDirectly(_ userID: EntityID, _ caller: Caller) async throws -> Bool {
    guard userID != caller.userID else { return false }
    let user = try await users.activeUser(userID, caller)
    return caller.role.seesEverybody && user.role == .learner
  }

  private func openCourse(_ id: EntityID, _ caller: Caller) async throws -> Domain.Course {
    let course = try await course(id, caller)
    guard course.status == .active else {
      throw RPCError.precondition("the course is archived: reopen it first", .course, id)
    }
    return course
  }

  private func enrolment(
    _ courseID: EntityID, _ userID: EntityID, _ caller: Caller
  ) async throws -> Domain.Enrolment? {
    try await courses.enrolment(
      course: courseID, user: userID, scope: AccessScope(caller))
  }

  private func knownEnrolment(
    _ courseID: EntityID, _ userID: EntityID, _ caller: Caller
  ) async throws -> Domain.Enrolment {
    guard let enrolment = try await enrolment(courseID, userID, caller) else {
      throw DomainError.notFound(.enrolment, courseID)
    }
    return enrolment
  }

  /// What became of an enrolment; no type means nothing.
  private static func decision<Response: WriteResponse>(
    _ type: EventType?, _ enrolment: Domain.Enrolment, _ change: ChangeContext,
    _ response: Response
  ) -> Decision<Response> {
    guard let type else { return .unchanged(response) }
    return Decision(
      changes: [enrolment.version == 1 ? .insertEnrolment(enrolment) : .updateEnrolment(enrolment)],
      events: [
        enrolment.event(type, id: change.nextID(), at: change.now, metadata: change.metadata)
      ],
      response: response)
  }
}
