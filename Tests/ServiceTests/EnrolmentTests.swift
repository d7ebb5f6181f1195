import Contract
import Domain
import RPC
import Testing

/// Nobody is in a course who did not want to be, but those whom another system put there, and they
/// are told.
@Suite(.timeLimit(.minutes(1))) struct `An enrolment of a course` {
  let fixture = ServiceFixture()

  private func accept(
    _ courseID: String, as user: Domain.User, key: String? = nil
  ) async throws -> AcceptEnrolmentResponse {
    try await fixture.call(
      CourseServiceMethods.acceptEnrolment, AcceptEnrolmentRequest(courseId: courseID), as: user,
      key: key)
  }

  private func decline(
    _ courseID: String, as user: Domain.User
  ) async throws -> DeclineEnrolmentResponse {
    try await fixture.call(
      CourseServiceMethods.declineEnrolment, DeclineEnrolmentRequest(courseId: courseID), as: user)
  }

  @discardableResult
  private func leave(
    _ courseID: String, learner: String = "", as user: Domain.User
  ) async throws -> LeaveResponse {
    try await fixture.call(
      CourseServiceMethods.leave, LeaveRequest(courseId: courseID, userId: learner), as: user)
  }

  private func own(
    _ states: [Contract.EnrolmentState] = [], of learner: String = "", as user: Domain.User
  ) async throws -> [Contract.Enrolment] {
    let response: ListLearnerEnrolmentsResponse = try await fixture.call(
      CourseServiceMethods.listLearnerEnrolments,
      ListLearnerEnrolmentsRequest(userId: learner, states: states), as: user)
    return response.enrolments
  }

  private func listed(
    _ courseID: String, _ states: [Contract.EnrolmentState] = [], as user: Domain.User
  ) async throws -> [Contract.Enrolment] {
    let response: ListEnrolmentsResponse = try await fixture.call(
      CourseServiceMethods.listEnrolments,
      ListEnrolmentsRequest(courseId: courseID, states: states), as: user)
    return response.enrolments
  }

  @Test func `that its owner makes is an invitation, which shows the owner nothing`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    let invited = try await fixture.enrol(
      in: course.id, learner: ada.id.description, as: teacher)
    #expect(invited.enrolment?.state == .invited && invited.enrolment?.active == false)
    #expect(invited.enrolment?.changedBy == teacher.id.description)
    // Twice is one invitation.
    let again = try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    #expect(again.enrolment == invited.enrolment && again.receipt?.cursor == "")
    #expect(try await listed(course.id, as: teacher) == [])
    #expect(
      try await listed(course.id, [.invited], as: teacher).map(\.userId) == [
        invited.enrolment?.userId ?? ""
      ])
    // Material is for those who are in, and so are goals of the course.
    #expect(
      await failure { try await fixture.createGoal(courseID: course.id, as: ada) }.code
        == .failedPrecondition)
    #expect(try await own(as: ada) == [try #require(invited.enrolment)])
    let accepted = try await accept(course.id, as: ada)
    #expect(accepted.enrolment?.state == .active && accepted.enrolment?.direct == false)
    #expect(accepted.enrolment?.changedBy == ada.id.description)
    let twice = try await accept(course.id, as: ada)
    #expect(twice.enrolment == accepted.enrolment && twice.receipt?.cursor == "")
    let goal = try await fixture.createGoal(courseID: course.id, as: ada)
    #expect(try await fixture.getGoal(goal.goal?.id, as: teacher).goal == goal.goal)
    #expect(
      fixture.store.allEvents.filter { $0.entityType == "enrolment" }.map(\.type)
        == ["course.learner_invited", "course.enrolled"])
  }

  @Test func `of a learner who left is asked for again, and shows nothing meanwhile`() async throws
  {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let goal = try await fixture.createGoal(courseID: course.id, as: ada)
    let ownGoal = try await fixture.createGoal("privado", as: ada)
    try await leave(course.id, as: ada)
    let back = try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    #expect(back.enrolment?.state == .invited)
    #expect(
      await failure { try await fixture.getGoal(goal.goal?.id, as: teacher) }.code == .notFound)
    try await fixture.relay()
    let events = try await fixture.readEvents(as: teacher).events
    #expect(events.allSatisfy { $0.type.hasPrefix("course.") })
    // Accepting shows what belongs to the course, and nothing else.
    _ = try await accept(course.id, as: ada)
    #expect(try await fixture.getGoal(goal.goal?.id, as: teacher).goal == goal.goal)
    #expect(
      await failure { try await fixture.getGoal(ownGoal.goal?.id, as: teacher) }.code == .notFound)
  }

  @Test func `is declined, taken back and left by whoever may`() async throws {
    let (teacher, ada, eve) = (fixture.user(.instructor), fixture.user(), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    #expect(await failure { try await accept(course.id, as: ada) }.code == .notFound)
    #expect(await failure { try await decline(course.id, as: ada) }.code == .notFound)
    try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    #expect(await failure { try await accept(course.id, as: eve) }.code == .notFound)
    #expect(try await decline(course.id, as: ada).enrolment?.state == .declined)
    #expect(try await decline(course.id, as: ada).enrolment?.state == .declined)
    #expect(await failure { try await accept(course.id, as: ada) }.code == .notFound)
    try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    let withdrawn = try await leave(course.id, learner: ada.id.description, as: teacher)
    #expect(withdrawn.enrolment?.state == .withdrawn)
    #expect(await failure { try await accept(course.id, as: ada) }.code == .notFound)
    try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    _ = try await accept(course.id, as: ada)
    // To decline what was accepted is to leave.
    #expect(try await decline(course.id, as: ada).enrolment?.state == .left)
    #expect(try await own(as: ada) == [])
    #expect(try await own([.left], as: ada).count == 1)
    let refused = await failure { try await own(of: ada.id.description, as: eve) }
    #expect(refused.code == .permissionDenied)
    #expect(try await own([.left], of: ada.id.description, as: fixture.user(.admin)).count == 1)
    #expect(await failure { try await own([.unspecified], as: ada) }.code == .invalidArgument)
  }

  @Test(arguments: [Domain.Role.service, .admin])
  func `is made directly by those who keep another system, and says so`(
    role: Domain.Role
  ) async throws {
    let (teacher, ada, sync) = (fixture.user(.instructor), fixture.user(), fixture.user(role))
    let course = try await fixture.createCourse(as: teacher)
    let made = try await fixture.enrol(in: course.id, learner: ada.id.description, as: sync)
    #expect(made.enrolment?.active == true && made.enrolment?.direct == true)
    #expect(try await own(as: ada).first?.changedBy == sync.id.description)
    let shown: GetCourseResponse = try await fixture.call(
      CourseServiceMethods.getCourse, GetCourseRequest(courseId: course.id), as: ada)
    #expect(shown.enrolment?.direct == true)
    // Ended by the other system, it may be made again; ended by the learner, not.
    try await leave(course.id, learner: ada.id.description, as: sync)
    let again = try await fixture.enrol(in: course.id, learner: ada.id.description, as: sync)
    #expect(again.enrolment?.active == true && again.enrolment?.direct == true)
    try await leave(course.id, as: ada)
    let asked = try await fixture.enrol(in: course.id, learner: ada.id.description, as: sync)
    #expect(asked.enrolment?.state == .invited && asked.enrolment?.direct == false)
  }

  @Test(arguments: [Domain.Role.instructor, .service, .admin])
  func `of more than a learner is never made without them`(role: Domain.Role) async throws {
    let (teacher, more) = (fixture.user(.instructor), fixture.user(role))
    let course = try await fixture.createCourse(as: teacher)
    for caller in [teacher, fixture.user(.admin), fixture.user(.service)] {
      let made = try await fixture.enrol(in: course.id, learner: more.id.description, as: caller)
      #expect(made.enrolment?.state == .invited)
    }
    #expect(try await accept(course.id, as: more).enrolment?.active == true)
  }

  @Test func `is accepted in an active course only, and once under a key`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    let _: ArchiveCourseResponse = try await fixture.call(
      CourseServiceMethods.archiveCourse, ArchiveCourseRequest(courseId: course.id), as: teacher)
    // An invitation shows no archived course.
    #expect(await failure { try await accept(course.id, as: ada) }.code == .notFound)
    let _: ReopenCourseResponse = try await fixture.call(
      CourseServiceMethods.reopenCourse, ReopenCourseRequest(courseId: course.id), as: teacher)
    let first = try await accept(course.id, as: ada, key: "k")
    let repeated = try await accept(course.id, as: ada, key: "k")
    #expect(repeated.enrolment == first.enrolment && repeated.receipt?.replayed == true)
  }
}
