internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CourseService {
  func enrol(_ request: EnrolRequest, _ context: CallContext) async throws -> EnrolResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let named = try EntityID.optional(request.userId, field: "user_id")
    // Two that enrol the same learner at a time make one enrolment.
    let policy = WritePolicy(retriesDuplicates: true)
    return try await writes.perform(context, caller, policy) { change in
      let course = try await course(id, caller)
      guard course.status == .active else {
        throw RPCError.precondition("the course is archived: reopen it first", .course, id)
      }
      let learnerID = try Self.learner(named, of: course, caller)
      if learnerID != caller.userID { try await users.checkIsActive(learnerID, caller) }
      let known = try await enrolment(id, learnerID, caller)
      if let known, known.isActive {
        return .unchanged(EnrolResponse(enrolment: Contract.Enrolment(known)))
      }
      var enrolment =
        known
        ?? Domain.Enrolment(
          id: change.nextID(), courseID: id, userID: learnerID, isActive: true, version: 0,
          createdAt: change.now, updatedAt: change.now)
      enrolment.move(toActive: true, at: change.now)
      return Decision(
        changes: [known == nil ? .insertEnrolment(enrolment) : .updateEnrolment(enrolment)],
        events: [enrolment.event(.courseEnrolled, change)],
        response: EnrolResponse(enrolment: Contract.Enrolment(enrolment)))
    }
  }

  func leave(_ request: LeaveRequest, _ context: CallContext) async throws -> LeaveResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let named = try EntityID.optional(request.userId, field: "user_id")
    return try await writes.perform(context, caller) { change in
      let learnerID =
        named == nil || named == caller.userID
        ? caller.userID : try Self.learner(named, of: try await course(id, caller), caller)
      guard var enrolment = try await enrolment(id, learnerID, caller), enrolment.isActive else {
        throw DomainError.notFound(.enrolment, id)
      }
      enrolment.move(toActive: false, at: change.now)
      return Decision(
        changes: [.updateEnrolment(enrolment)], events: [enrolment.event(.courseLeft, change)],
        response: LeaveResponse(enrolment: Contract.Enrolment(enrolment)))
    }
  }

  func listEnrolments(
    _ request: ListEnrolmentsRequest, _ context: CallContext
  ) async throws -> ListEnrolmentsResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let paging = try Paging(request, context, caller)
    try await waiter.checkRowRead(request.minCursor)
    _ = try await course(id, caller)
    let page = try await courses.enrolments(
      course: id, page: paging.request, scope: AccessScope(caller))
    return ListEnrolmentsResponse(
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

  private func enrolment(
    _ courseID: EntityID, _ userID: EntityID, _ caller: Caller
  ) async throws -> Domain.Enrolment? {
    try await courses.enrolment(
      course: courseID, user: userID, scope: AccessScope(caller))
  }
}

extension Domain.Enrolment {
  fileprivate mutating func move(toActive isActive: Bool, at now: Domain.Timestamp) {
    self.isActive = isActive
    version += 1
    updatedAt = max(now, updatedAt)
  }

  fileprivate func event(_ type: EventType, _ change: ChangeContext) -> NewEvent {
    event(type, id: change.nextID(), at: change.now, metadata: change.metadata)
  }
}
