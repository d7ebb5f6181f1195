import Contract
import Domain
import RPC
import Testing
import Wire

/// Who sees whose code, by every way there is.
@Suite(.timeLimit(.minutes(1))) struct `Code of another user` {
  private let fixture = ServiceFixture()

  private enum View: Equatable { case full, example, nothing }

  /// What a user gets by id; lists, which hold no examples, must agree.
  private func view(
    _ snapshot: Contract.CodeSnapshot, as user: Domain.User, author: Domain.User
  ) async throws -> View {
    let listed: ListSnapshotsResponse? =
      user.role == .learner && user.id != author.id
      ? nil
      : try await fixture.call(
        CodeValidationServiceMethods.listSnapshots,
        ListSnapshotsRequest(userId: author.id.description), as: user)
    let isListed = listed?.snapshots.contains { $0.id == snapshot.id } ?? false
    let read: Contract.CodeSnapshot
    do {
      read = try await fixture.snapshot(snapshot.id, as: user)
    } catch let error as RPCError where error.code == .notFound {
      #expect(!isListed)
      return .nothing
    }
    #expect(read.codeContent == snapshot.codeContent && read.id == snapshot.id)
    if read.userId.isEmpty {
      #expect(read.goalId.isEmpty && read.taskId.isEmpty && !isListed)
      #expect(read.provenance == nil && read.validationFeedback.isEmpty)
      #expect(read.validationScore == nil)
      return .example
    }
    #expect(isListed || listed == nil)
    return .full
  }

  @Test func `is seen by those it is for, and by nobody else`() async throws {
    let (ada, eve, pia) = (fixture.user(), fixture.user(), fixture.user())
    let (teacher, other) = (fixture.user(.instructor), fixture.user(.instructor))
    let (grader, root) = (fixture.user(.service), fixture.user(.admin))
    let course = try await fixture.createCourse(as: teacher)
    for learner in [ada, pia] { try await fixture.enrol(in: course.id, as: learner) }
    let goal = try await fixture.createGoal(tasks: ["uno"], courseID: course.id, as: ada)
    func submitted(_ taskID: String = "") async throws -> Contract.CodeSnapshot {
      try #require(try await fixture.submit(taskID: taskID, as: ada).snapshot)
    }
    let inCourse = try await submitted(goal.tasks[0].id)
    let own = try await submitted()
    let unjudged = try await submitted()
    _ = try await fixture.share(unjudged.id, as: ada)
    let failed = try await submitted()
    _ = try await fixture.share(failed.id, as: ada)
    _ = try await fixture.judge(failed.id, .failed, as: grader)
    let passed = try await submitted()
    _ = try await fixture.judge(passed.id, as: grader)
    let shared = try await submitted()
    _ = try await fixture.share(shared.id, as: ada)
    _ = try await fixture.judge(shared.id, as: grader)
    let solution: CreateSnapshotResponse = try await fixture.call(
      CodeValidationServiceMethods.createSnapshot,
      CreateSnapshotRequest(filePath: "s.py", codeContent: "x", courseId: course.id), as: teacher)
    let users = [ada, eve, pia, teacher, other, grader, root]
    let privately: [View] = [.full, .nothing, .nothing, .nothing, .nothing, .full, .full]
    for (name, snapshot, author, expected) in [
      (
        "in course", inCourse, ada,
        [.full, .nothing, .nothing, .full, .nothing, .full, .full]
      ),
      ("own", own, ada, privately), ("unjudged", unjudged, ada, privately),
      ("failed", failed, ada, privately), ("passed", passed, ada, privately),
      (
        "shared", shared, ada,
        [.full, .example, .example, .example, .example, .full, .full]
      ),
      (
        "solution", try #require(solution.snapshot), teacher,
        [.example, .nothing, .example, .full, .nothing, .full, .full]
      ),
    ] as [(String, Contract.CodeSnapshot, Domain.User, [View])] {
      var views: [View] = []
      for user in users { views.append(try await view(snapshot, as: user, author: author)) }
      #expect(views == expected, "\(name)")
    }
  }

  /// An instructor passes what a second account of theirs shares: it comes to nobody else.
  @Test func `passed by an instructor is an example for those in their courses`() async throws {
    let (planter, ada) = (fixture.user(), fixture.user())
    let (teacher, other) = (fixture.user(.instructor), fixture.user(.instructor))
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: planter)
    let goal = try await fixture.createGoal(tasks: ["uno"], courseID: course.id, as: planter)
    let planted = try #require(
      try await fixture.submit(taskID: goal.tasks[0].id, as: planter).snapshot)
    _ = try await fixture.share(planted.id, as: planter)
    _ = try await fixture.judge(planted.id, as: teacher)
    func seen(by user: Domain.User) async throws -> View {
      try await view(planted, as: user, author: planter)
    }
    #expect(try await seen(by: ada) == .nothing)
    #expect(try await seen(by: other) == .nothing)
    #expect(try await seen(by: teacher) == .full)
    // Being asked is not being in.
    try await fixture.enrol(in: course.id, learner: ada.id.description, as: teacher)
    #expect(try await seen(by: ada) == .nothing)
    let _: AcceptEnrolmentResponse = try await fixture.call(
      CourseServiceMethods.acceptEnrolment, AcceptEnrolmentRequest(courseId: course.id), as: ada)
    #expect(try await seen(by: ada) == .example)
    // The word of a service is everybody's.
    _ = try await fixture.judge(planted.id, as: fixture.user(.service))
    #expect(try await seen(by: other) == .example)
  }

  @Test func `cannot be listed by naming its author`() async throws {
    let (ada, eve) = (fixture.user(), fixture.user())
    _ = try await fixture.submit(as: ada)
    func list(_ request: ListSnapshotsRequest, as user: Domain.User) async throws -> [String] {
      let response: ListSnapshotsResponse = try await fixture.call(
        CodeValidationServiceMethods.listSnapshots, request, as: user)
      #expect(response.snapshots.allSatisfy { $0.codeContent.isEmpty })
      return response.snapshots.map(\.userId)
    }
    let named = await failure {
      try await list(ListSnapshotsRequest(userId: ada.id.description), as: eve)
    }
    #expect(named.code == .permissionDenied)
    #expect(try await list(ListSnapshotsRequest(), as: eve) == [])
    #expect(try await list(ListSnapshotsRequest(), as: ada) == [ada.id.description])
    #expect(
      try await list(ListSnapshotsRequest(), as: fixture.user(.admin)) == [ada.id.description])
  }

  @Test func `is listed by task and verdict, in pages`() async throws {
    let (teacher, ada, grader) = (fixture.user(.instructor), fixture.user(), fixture.user(.service))
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let goal = try await fixture.createGoal(tasks: ["uno"], courseID: course.id, as: ada)
    var ids: [String] = []
    for _ in 0..<3 {
      let made = try await fixture.submit(taskID: goal.tasks[0].id, as: ada)
      ids.insert(made.snapshot?.id ?? "", at: 0)
    }
    let loose = try await fixture.submit(as: ada)
    _ = try await fixture.judge(ids[1], as: grader)
    func list(
      _ request: ListSnapshotsRequest, as user: Domain.User
    ) async throws -> ListSnapshotsResponse {
      try await fixture.call(CodeValidationServiceMethods.listSnapshots, request, as: user)
    }
    let task = goal.tasks[0].id
    for user in [ada, teacher, grader] {
      let found = try await list(ListSnapshotsRequest(taskId: task), as: user)
      #expect(found.snapshots.map(\.id) == ids)
      let passed = try await list(ListSnapshotsRequest(taskId: task, verdict: .passed), as: user)
      #expect(passed.snapshots.map(\.id) == [ids[1]])
    }
    let all = try await list(ListSnapshotsRequest(), as: ada)
    #expect(all.snapshots.map(\.id) == [loose.snapshot?.id ?? ""] + ids)
    var request = ListSnapshotsRequest(page: Contract.PageRequest(pageSize: 2), taskId: task)
    let first = try await list(request, as: ada)
    request.page?.pageToken = first.page?.nextPageToken ?? ""
    let second = try await list(request, as: ada)
    #expect((first.snapshots + second.snapshots).map(\.id) == ids)
    #expect(second.page?.nextPageToken == "")
    let unknown = await failure {
      try await list(ListSnapshotsRequest(verdict: Contract.Verdict(rawValue: 9)), as: ada)
    }
    #expect(unknown.code == .invalidArgument)
  }

  @Test func `is not to be written by who cannot see it, nor by who sees an example`() async throws
  {
    let (ada, eve, teacher) = (fixture.user(), fixture.user(), fixture.user(.instructor))
    let hidden = try await fixture.submit(as: ada).snapshot?.id
    let shared = try await fixture.submit(as: ada).snapshot?.id
    _ = try await fixture.share(shared, as: ada)
    _ = try await fixture.judge(shared, as: fixture.user(.service))
    let before = fixture.store.allEvents
    for user in [eve, teacher] {
      for (id, code) in [(hidden, StatusCode.notFound), (shared, .permissionDenied)] {
        // Learners judge nothing: it is not even looked for.
        let judging = user.role == .learner ? .permissionDenied : code
        #expect(await failure { try await fixture.judge(id, .failed, as: user) }.code == judging)
        #expect(await failure { try await fixture.share(id, false, as: user) }.code == code)
      }
    }
    #expect(fixture.store.allEvents == before)
  }
}
