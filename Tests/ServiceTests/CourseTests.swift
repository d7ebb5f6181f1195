import Contract
import Domain
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct `CourseService` {
  let fixture = ServiceFixture()

  @Test func `lets instructors make courses, and learners not`() async throws {
    let teacher = fixture.user(.instructor)
    let made: CreateCourseResponse = try await fixture.call(
      CourseServiceMethods.createCourse,
      CreateCourseRequest(
        title: "FastAPI", technologies: ["fastapi"], metadata: ["nivel": "medio"]),
      as: teacher)
    #expect(made.course?.language == "es")
    #expect(made.course?.metadata == ["nivel": "medio"])
    #expect(made.course?.status == .active)
    let learner = fixture.user()
    let error = await failure { try await fixture.createCourse(as: learner) }
    #expect(error.code == .permissionDenied)
  }

  @Test func `names an owner only for services and admins, and only one that exists`() async throws
  {
    let (teacher, other) = (fixture.user(.instructor), fixture.user(.instructor))
    let admin = fixture.user(.admin)
    func create(_ owner: String, as user: Domain.User) async throws -> CreateCourseResponse {
      try await fixture.call(
        CourseServiceMethods.createCourse, CreateCourseRequest(title: "x", userId: owner),
        as: user)
    }
    let refused = await failure { try await create(other.id.description, as: teacher) }
    #expect(refused.code == .permissionDenied)
    let made = try await create(teacher.id.description, as: admin)
    #expect(made.course?.userId == teacher.id.description)
    let nobody = await failure {
      try await create(EntityID(high: 1, low: 1).description, as: admin)
    }
    #expect(nobody.code == .notFound)
  }

  @Test func `is changed by its owner and admins alone`() async throws {
    let (teacher, other) = (fixture.user(.instructor), fixture.user(.instructor))
    let course = try await fixture.createCourse(as: teacher)
    func rename(_ title: String, as user: Domain.User) async throws -> UpdateCourseResponse {
      try await fixture.call(
        CourseServiceMethods.updateCourse,
        UpdateCourseRequest(
          courseId: course.id, course: Contract.Course(title: title),
          updateMask: FieldMask(paths: ["title", "language"])),
        as: user)
    }
    for user in [other, fixture.user(.service), fixture.user()] {
      #expect(await failure { try await rename("x", as: user) }.code == .permissionDenied)
    }
    #expect(try await rename("Nuevo", as: teacher).course?.language == "es")
    #expect(try await rename("De admin", as: fixture.user(.admin)).course?.version == 3)
    #expect(await failure { try await rename("", as: teacher) }.code == .invalidArgument)
  }

  @Test func `is not run with a learner's role, whoever owns it`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    try await fixture.enrol(in: course.id, as: ada)
    let started = try await fixture.createGoal("De Ada", courseID: course.id, as: ada)
    _ = try await fixture.ingest([(path: "a.md", text: "# A")], into: course, as: teacher)
    let before = fixture.store.allEvents
    // A token of a learner's role, or an instructor who is none any more.
    var lowered = teacher
    lowered.role = .learner
    let methods = CourseServiceMethods.self
    let id = course.id
    let attempts: [() async throws -> any WireMessage] = [
      {
        try await fixture.call(
          methods.updateCourse,
          UpdateCourseRequest(
            courseId: id, course: Contract.Course(title: "x"),
            updateMask: FieldMask(paths: ["title"])),
          as: lowered, returning: UpdateCourseResponse.self)
      },
      {
        try await fixture.call(
          methods.archiveCourse, ArchiveCourseRequest(courseId: id), as: lowered,
          returning: ArchiveCourseResponse.self)
      },
      {
        try await fixture.call(
          methods.reopenCourse, ReopenCourseRequest(courseId: id), as: lowered,
          returning: ReopenCourseResponse.self)
      },
      {
        try await fixture.call(
          methods.deleteCourse, DeleteCourseRequest(courseId: id), as: lowered,
          returning: DeleteCourseResponse.self)
      },
      {
        try await fixture.call(
          methods.deleteDocument, DeleteDocumentRequest(courseId: id, path: "a.md"), as: lowered,
          returning: DeleteDocumentResponse.self)
      },
      {
        try await fixture.call(
          methods.enrol, EnrolRequest(courseId: id, userId: bea.id.description), as: lowered,
          returning: EnrolResponse.self)
      },
      {
        try await fixture.call(
          methods.leave, LeaveRequest(courseId: id, userId: ada.id.description), as: lowered,
          returning: LeaveResponse.self)
      },
      { try await fixture.ingest([(path: "b.md", text: "# B")], into: course, as: lowered) },
    ]
    for (number, attempt) in attempts.enumerated() {
      let error = await failure { _ = try await attempt() }
      #expect(error.code == .permissionDenied, "\(number): \(error)")
    }
    #expect(fixture.store.allEvents == before)
    let listed: ListEnrolmentsResponse = try await fixture.call(
      methods.listEnrolments, ListEnrolmentsRequest(courseId: id), as: lowered)
    #expect(listed.enrolments.isEmpty)
    let goal = await failure { try await fixture.getGoal(started.goal?.id, as: lowered) }
    #expect(goal.code == .notFound)
    try await fixture.relay()
    let seen = try await fixture.readEvents(as: lowered).events
    #expect(seen.allSatisfy { $0.userId == teacher.id.description })
  }

  @Test func `goes through its life, and hides from strangers`() async throws {
    let (teacher, ada, bea) = (fixture.user(.instructor), fixture.user(), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let archived: ArchiveCourseResponse = try await fixture.call(
      CourseServiceMethods.archiveCourse,
      ArchiveCourseRequest(courseId: course.id, expectedVersion: 1), as: teacher)
    #expect(archived.course?.status == .archived)
    func get(as user: Domain.User) async throws -> GetCourseResponse {
      try await fixture.call(
        CourseServiceMethods.getCourse, GetCourseRequest(courseId: course.id), as: user)
    }
    #expect(try await get(as: ada).enrolment?.active == true)
    #expect(await failure { try await get(as: bea) }.code == .notFound)
    let twice = await failure {
      try await fixture.call(
        CourseServiceMethods.archiveCourse, ArchiveCourseRequest(courseId: course.id),
        as: teacher, returning: ArchiveCourseResponse.self)
    }
    #expect(twice.code == .failedPrecondition)
    let late = await failure {
      try await fixture.enrol(in: course.id, learner: bea.id.description, as: teacher)
    }
    #expect(late.code == .failedPrecondition)
    let reopened: ReopenCourseResponse = try await fixture.call(
      CourseServiceMethods.reopenCourse, ReopenCourseRequest(courseId: course.id), as: teacher)
    #expect(reopened.course?.version == 3)
    let _: DeleteCourseResponse = try await fixture.call(
      CourseServiceMethods.deleteCourse, DeleteCourseRequest(courseId: course.id), as: teacher)
    #expect(await failure { try await get(as: teacher) }.code == .notFound)
  }

  @Test func `enrols a learner once, and lets them leave and come back`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    let first = try await fixture.enrol(in: course.id, as: ada)
    let again = try await fixture.enrol(in: course.id, as: ada)
    #expect(again.enrolment == first.enrolment)
    #expect(again.receipt?.cursor == "")
    func leave() async throws -> LeaveResponse {
      try await fixture.call(
        CourseServiceMethods.leave, LeaveRequest(courseId: course.id), as: ada)
    }
    #expect(try await leave().enrolment?.active == false)
    #expect(await failure { try await leave() }.code == .notFound)
    let back = try await fixture.enrol(in: course.id, as: ada)
    #expect(back.enrolment?.id == first.enrolment?.id)
    #expect(back.enrolment?.version == 3)
    #expect(
      fixture.store.allEvents.map(\.type)
        == ["course.created", "course.enrolled", "course.left", "course.enrolled"])
  }

  @Test func `enrolled by two at a time has one enrolment`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let fixture = fixture
    let course = try await fixture.createCourse(as: teacher)
    fixture.store.beforeNextCommit { _ = try? await fixture.enrol(in: course.id, as: ada) }
    let second = try await fixture.enrol(in: course.id, as: ada)
    #expect(second.enrolment?.version == 1)
    #expect(fixture.store.allEvents.count { $0.type == "course.enrolled" } == 1)
  }

  @Test func `lets its owner name the learner, and nobody else`() async throws {
    let (teacher, ada, bea) = (fixture.user(.instructor), fixture.user(), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let refused = await failure {
      try await fixture.enrol(in: course.id, learner: bea.id.description, as: ada)
    }
    #expect(refused.code == .permissionDenied)
    let expelled = await failure {
      try await fixture.call(
        CourseServiceMethods.leave,
        LeaveRequest(courseId: course.id, userId: ada.id.description), as: bea,
        returning: LeaveResponse.self)
    }
    #expect(expelled.code == .permissionDenied)
    func enrolments(as user: Domain.User) async throws -> [String] {
      let response: ListEnrolmentsResponse = try await fixture.call(
        CourseServiceMethods.listEnrolments, ListEnrolmentsRequest(courseId: course.id), as: user)
      return response.enrolments.map(\.userId)
    }
    #expect(try await enrolments(as: teacher) == [ada.id.description])
    #expect(try await enrolments(as: bea) == [])
  }

  @Test func `is listed by owner, technology, status and enrolment`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let first = try await fixture.createCourse("uno", as: teacher)
    let _: CreateCourseResponse = try await fixture.call(
      CourseServiceMethods.createCourse,
      CreateCourseRequest(title: "dos", technologies: ["swift"]), as: teacher)
    try await fixture.enrol(in: first.id, as: ada)
    func titles(_ request: ListCoursesRequest) async throws -> [String] {
      let response: ListCoursesResponse = try await fixture.call(
        CourseServiceMethods.listCourses, request, as: ada)
      return response.courses.map(\.title)
    }
    #expect(try await titles(ListCoursesRequest()) == ["dos", "uno"])
    #expect(try await titles(ListCoursesRequest(enrolledOnly: true)) == ["uno"])
    #expect(try await titles(ListCoursesRequest(technology: "swift")) == ["dos"])
    #expect(try await titles(ListCoursesRequest(statuses: [.archived])) == [])
    #expect(try await titles(ListCoursesRequest(userId: ada.id.description)) == [])
  }
}
