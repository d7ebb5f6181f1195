internal import Contract
internal import Domain
internal import RPC
internal import Writes

struct CourseService: CourseServiceHandler {
  private static let fields = ["title", "description", "language", "technologies", "metadata"]

  let users: any UserRepository
  let courses: any CourseRepository
  let goals: any GoalRepository
  let material: CourseDocuments?
  let writes: WriteExecutor
  let waiter: CursorWaiter
  let cursors: CursorCodec
  let runs: RunCalls
  let admission: CallAdmission

  func createCourse(
    _ request: CreateCourseRequest, _ context: CallContext
  ) async throws -> CreateCourseResponse {
    let caller = try context.caller
    let named = try EntityID.optional(request.userId, field: "user_id")
    return try await writes.perform(context, caller) { change in
      let ownerID = try await users.owner(named: named, caller)
      let course = Domain.Course(
        id: change.nextID(), userID: ownerID, title: request.title,
        description: request.description, language: request.language.nilIfEmpty ?? "es",
        technologies: request.technologies, attributes: request.metadata, createdAt: change.now,
        updatedAt: change.now)
      try course.validate()
      return Decision(
        changes: [.insertCourse(course)], events: [course.event(.courseCreated, change)],
        response: CreateCourseResponse(course: Contract.Course(course)))
    }
  }

  func getCourse(
    _ request: GetCourseRequest, _ context: CallContext
  ) async throws -> GetCourseResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    try await waiter.checkRowRead(request.minCursor)
    let course = try await course(id, caller)
    let enrolment = try await courses.enrolment(
      course: id, user: caller.userID, scope: AccessScope(caller))
    return GetCourseResponse(
      course: Contract.Course(course), enrolment: enrolment.map(Contract.Enrolment.init))
  }

  func listCourses(
    _ request: ListCoursesRequest, _ context: CallContext
  ) async throws -> ListCoursesResponse {
    let caller = try context.caller
    let paging = try Paging(request, context, caller, cursors)
    var filter = CourseFilter()
    filter.enrolledOnly = request.enrolledOnly
    filter.ownerID = try EntityID.optional(request.userId, field: "user_id")
    filter.statuses = try Domain.CourseStatus.filter(request.statuses)
    if let technology = request.technology.nilIfEmpty {
      var validation = Validation()
      validation.text("technology", technology, maximum: CourseLimits.technology)
      try validation.check()
      filter.technology = technology
    }
    try await waiter.checkRowRead(request.minCursor)
    let page = try await courses.courses(
      filter, page: paging.request, scope: AccessScope(caller))
    let (courses, info) = paging.fitting(
      page, key: { PageKey(time: $0.createdAt, id: $0.id) }, Contract.Course.init)
    return ListCoursesResponse(courses: courses, page: info)
  }

  func updateCourse(
    _ request: UpdateCourseRequest, _ context: CallContext
  ) async throws -> UpdateCourseResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let fields = try FieldPaths(request.updateMask, allowed: Self.fields)
    let expected = try expectedVersion(request.expectedVersion)
    let new = request.course ?? Contract.Course()
    return try await writes.perform(context, caller) { change in
      let old = try await ownCourse(id, expected, caller)
      var course = old
      course.apply(new, fields)
      guard course != old else {
        return .unchanged(UpdateCourseResponse(course: Contract.Course(old)))
      }
      try course.validate()
      course.version += 1
      course.updatedAt = max(change.now, course.updatedAt)
      return Decision(
        changes: [.updateCourse(course)], events: [course.event(.courseUpdated, change)],
        response: UpdateCourseResponse(course: Contract.Course(course)))
    }
  }

  func archiveCourse(
    _ request: ArchiveCourseRequest, _ context: CallContext
  ) async throws -> ArchiveCourseResponse {
    try await move(request.courseId, .archive, request.expectedVersion, context) {
      ArchiveCourseResponse(course: $0)
    }
  }

  func reopenCourse(
    _ request: ReopenCourseRequest, _ context: CallContext
  ) async throws -> ReopenCourseResponse {
    try await move(request.courseId, .reopen, request.expectedVersion, context) {
      ReopenCourseResponse(course: $0)
    }
  }

  func deleteCourse(
    _ request: DeleteCourseRequest, _ context: CallContext
  ) async throws -> DeleteCourseResponse {
    try await move(request.courseId, .delete, request.expectedVersion, context) { _ in
      DeleteCourseResponse()
    }
  }

  private func move<Response: WriteResponse>(
    _ courseID: String, _ action: CourseAction, _ version: Int64, _ context: CallContext,
    _ response: (Contract.Course) -> Response
  ) async throws -> Response {
    let caller = try context.caller
    let id = try EntityID(parsing: courseID, field: "course_id")
    let expected = try expectedVersion(version)
    return try await writes.perform(
      context, caller, WritePolicy(isCharged: action != .delete)
    ) { change in
      var course = try await ownCourse(id, expected, caller)
      let type = try course.apply(action, at: change.now)
      return Decision(
        changes: [.updateCourse(course)], events: [course.event(type, change)],
        response: response(Contract.Course(course)))
    }
  }

  func course(_ id: EntityID, _ caller: Caller) async throws -> Domain.Course {
    let scope = AccessScope(caller)
    guard let course = try await courses.course(id, scope: scope) else {
      throw DomainError.notFound(.course, id)
    }
    return course
  }

  /// A course that the caller may change: the owner, as long as they are more than a learner, and
  /// admins.
  func ownCourse(
    _ id: EntityID, _ expected: Int64?, _ caller: Caller
  ) async throws -> Domain.Course {
    let course = try await course(id, caller)
    guard caller.role == .admin || caller.runs(course) else {
      throw DomainError.forbidden("only its owner and admins may change a course")
    }
    if let expected, expected != course.version {
      throw DomainError.stale(.course, id, expected: expected, actual: course.version)
    }
    return course
  }
}

extension Domain.CourseStatus {
  /// The statuses of a filter; an unspecified one means active.
  fileprivate static func filter(
    _ statuses: [Contract.CourseStatus]
  ) throws(DomainError) -> [Domain.CourseStatus] {
    guard statuses.count <= 20 else { throw .invalid("statuses", "has more than 20 entries") }
    var wanted: [Domain.CourseStatus] = []
    for (index, status) in statuses.enumerated() {
      let next: Domain.CourseStatus
      switch status {
      case .unspecified, .active: next = .active
      case .archived: next = .archived
      default: throw .invalid("statuses[\(index)]", "is no status that this server knows")
      }
      if !wanted.contains(next) { wanted.append(next) }
    }
    return wanted
  }
}

extension Domain.Course {
  fileprivate mutating func apply(_ new: Contract.Course, _ fields: FieldPaths) {
    if fields.contains("title") { title = new.title }
    if fields.contains("description") { description = new.description }
    // Cleared means what it means in a new course.
    if fields.contains("language") { language = new.language.nilIfEmpty ?? "es" }
    if fields.contains("technologies") { technologies = new.technologies }
    if fields.contains("metadata") { attributes = new.metadata }
  }

  fileprivate func event(_ type: EventType, _ change: ChangeContext) -> NewEvent {
    event(type, id: change.nextID(), at: change.now, metadata: change.metadata)
  }
}
