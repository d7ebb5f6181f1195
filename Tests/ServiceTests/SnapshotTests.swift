import Contract
import Domain
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct `CodeValidationService` {
  let fixture = ServiceFixture()

  @Test func `stores code for a task, with its goal, language and first event`() async throws {
    let ada = fixture.user()
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    let made = try await fixture.submit("print()", taskID: goal.tasks[0].id, as: ada)
    let snapshot = try #require(made.snapshot)
    #expect(snapshot.userId == ada.id.description)
    #expect(snapshot.goalId == goal.goal?.id && snapshot.taskId == goal.tasks[0].id)
    #expect(snapshot.language == "python" && snapshot.codeContent == "print()")
    #expect(snapshot.verdict == .unspecified && snapshot.validationScore == nil)
    #expect(snapshot.provenance == nil && snapshot.version == 1 && !snapshot.shared)
    let event = try #require(fixture.store.allEvents.last)
    #expect(event.type == "code.submitted" && event.entityType == "code_snapshot")
    #expect(event.entityID.description == snapshot.id && event.userID == ada.id)
    #expect(EventFacts(of: event).goalID?.description == goal.goal?.id)
    #expect(EventFacts(of: event).taskID?.description == goal.tasks[0].id)
    // SHA-256 of "print()", as sha256sum gives it.
    #expect(
      event.openedPayload.contains(
        "\"code_hash\":\"525d513313416cf187f44fa87e1753ee6d11552c22097537ddc32b4ed34fa68f\""))
    let read = try await fixture.snapshot(snapshot.id, as: ada)
    #expect(read == snapshot)
  }

  @Test func `refuses code that breaks a rule, and writes nothing`() async throws {
    let ada = fixture.user()
    let other = try await fixture.createGoal(tasks: ["uno"], as: fixture.user())
    let before = fixture.store.allEvents
    func create(_ edit: (inout CreateSnapshotRequest) -> Void) async -> RPCError {
      var request = CreateSnapshotRequest(filePath: "a.py", codeContent: "x")
      edit(&request)
      return await failure { [request] in
        try await fixture.call(
          CodeValidationServiceMethods.createSnapshot, request, as: ada,
          returning: CreateSnapshotResponse.self)
      }
    }
    for (error, field) in [
      (await create { $0.filePath = "" }, "file_path"),
      (await create { $0.codeContent = String(repeating: "x", count: 262_145) }, "code_content"),
      (await create { $0.language = "py thon" }, "language"),
      (await create { $0.taskId = "x" }, "task_id"),
      (await create { $0.userId = "x" }, "user_id"),
      (
        await create {
          $0.taskId = other.tasks[0].id
          $0.courseId = other.tasks[0].id
        }, "course_id"
      ),
    ] {
      #expect(error.code == .invalidArgument)
      #expect(error.decodedDetails.fieldViolations.map(\.field) == [field])
    }
    #expect(await create { $0.taskId = other.tasks[0].id }.code == .notFound)
    #expect(await create { $0.userId = other.goal?.userId ?? "" }.code == .permissionDenied)
    #expect(fixture.store.allEvents == before)
  }

  @Test func `lets services store code for a learner, for that learner's tasks`() async throws {
    let (ada, bea, grader) = (fixture.user(), fixture.user(), fixture.user(.service))
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    func submit(for user: Domain.User) async throws -> CreateSnapshotResponse {
      try await fixture.call(
        CodeValidationServiceMethods.createSnapshot,
        CreateSnapshotRequest(
          taskId: goal.tasks[0].id, filePath: "a.swift", userId: user.id.description),
        as: grader)
    }
    #expect(try await submit(for: ada).snapshot?.userId == ada.id.description)
    #expect(await failure { try await submit(for: bea) }.code == .invalidArgument)
  }

  @Test func `takes reference solutions from the course's owner alone`() async throws {
    let (teacher, other) = (fixture.user(.instructor), fixture.user(.instructor))
    let course = try await fixture.createCourse(as: teacher)
    func submit(as user: Domain.User, owner: String = "") async throws -> CreateSnapshotResponse {
      try await fixture.call(
        CodeValidationServiceMethods.createSnapshot,
        CreateSnapshotRequest(
          filePath: "solution.py", codeContent: "x", userId: owner, courseId: course.id),
        as: user)
    }
    let made = try await submit(as: teacher)
    #expect(made.snapshot?.referenceSolution == true && made.snapshot?.courseId == course.id)
    for user in [other, fixture.user(), fixture.user(.admin)] {
      #expect(await failure { try await submit(as: user) }.code == .permissionDenied)
    }
    let named = try await submit(as: fixture.user(.admin), owner: teacher.id.description)
    #expect(named.snapshot?.userId == teacher.id.description)
    let _: ArchiveCourseResponse = try await fixture.call(
      CourseServiceMethods.archiveCourse, ArchiveCourseRequest(courseId: course.id), as: teacher)
    #expect(await failure { try await submit(as: teacher) }.code == .failedPrecondition)
  }

  @Test func `records the verdict of a service, with where it comes from`() async throws {
    let (ada, grader) = (fixture.user(), fixture.user(.service))
    let made = try await fixture.submit(as: ada)
    let judged = try await fixture.judge(
      made.snapshot?.id, score: 0.75,
      provenance: Contract.Provenance(
        source: "autograder", actorId: ada.id.description, toolVersions: ["ruff": "0.6"],
        limits: ["cpu": "2 s"], policy: "default@1"), as: grader)
    let snapshot = try #require(judged.snapshot)
    #expect(snapshot.verdict == .passed && snapshot.validationScore == 0.75)
    #expect(snapshot.version == 2 && snapshot.validationFeedback == "bien")
    #expect(snapshot.provenance?.actorId == grader.id.description)
    #expect(snapshot.provenance?.source == "autograder")
    #expect(snapshot.provenance?.codeHash.count == 32)
    let event = try #require(fixture.store.allEvents.last)
    #expect(event.type == "code.validated" && event.userID == ada.id && event.version == 2)
    #expect(ValidationScore.of(payload: event.payload) == 0.75)
    #expect(event.openedPayload.contains("\"validation_passed\":true"))
    #expect(try await fixture.snapshot(snapshot.id, as: ada) == snapshot)
    // The hash binds a verdict to the code that it is about.
    let other = try await fixture.submit("otro", as: ada)
    let wrong = await failure {
      try await fixture.judge(
        other.snapshot?.id,
        provenance: Contract.Provenance(codeHash: snapshot.provenance?.codeHash ?? []), as: grader)
    }
    #expect(wrong.decodedDetails.fieldViolations.map(\.field) == ["provenance.code_hash"])
    let same = try await fixture.judge(
      snapshot.id, .failed, score: 0,
      provenance: Contract.Provenance(codeHash: snapshot.provenance?.codeHash ?? []), as: grader)
    #expect(same.snapshot?.verdict == .failed && same.snapshot?.provenance?.source == "service")
  }

  @Test func `lets the owner of the course judge, while the learner is enrolled`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let goal = try await fixture.createGoal(tasks: ["uno"], courseID: course.id, as: ada)
    let made = try await fixture.submit(taskID: goal.tasks[0].id, as: ada)
    let loose = try await fixture.submit(as: ada)
    let judged = try await fixture.judge(made.snapshot?.id, as: teacher)
    #expect(judged.snapshot?.provenance?.source == "instructor")
    let event = try #require(fixture.store.allEvents.last)
    #expect(EventFacts(of: event).courseID?.description == course.id)
    for source in ["sandbox", "autograder"] {
      let error = await failure {
        try await fixture.judge(
          made.snapshot?.id, provenance: Contract.Provenance(source: source), as: teacher)
      }
      #expect(error.decodedDetails.fieldViolations.map(\.field) == ["provenance.source"])
    }
    #expect(
      await failure { try await fixture.judge(loose.snapshot?.id, as: teacher) }.code == .notFound)
    let other = fixture.user(.instructor)
    #expect(
      await failure { try await fixture.judge(made.snapshot?.id, as: other) }.code == .notFound)
    let _: LeaveResponse = try await fixture.call(
      CourseServiceMethods.leave, LeaveRequest(courseId: course.id), as: ada)
    #expect(
      await failure { try await fixture.judge(made.snapshot?.id, as: teacher) }.code == .notFound)
  }

  @Test func `lets nobody judge what is their own`() async throws {
    for role in Domain.Role.allCases {
      let user = fixture.user(role)
      let made = try await fixture.submit(as: user)
      let before = fixture.store.allEvents
      let error = await failure { try await fixture.judge(made.snapshot?.id, as: user) }
      #expect(error.code == .permissionDenied, "\(role)")
      #expect(fixture.store.allEvents == before)
    }
  }

  @Test func `refuses a verdict that breaks a rule`() async throws {
    let (ada, grader) = (fixture.user(), fixture.user(.service))
    let made = try await fixture.submit(as: ada)
    let id = made.snapshot?.id
    for verdict in [Contract.Verdict.unspecified, .errored, Contract.Verdict(rawValue: 99)] {
      let error = await failure { try await fixture.judge(id, verdict, as: grader) }
      #expect(error.decodedDetails.fieldViolations.map(\.field) == ["verdict"])
    }
    for score in [-0.1, 1.1, .nan, .infinity] {
      let error = await failure { try await fixture.judge(id, score: score, as: grader) }
      #expect(error.decodedDetails.fieldViolations.map(\.field) == ["score"])
    }
    let source = await failure {
      try await fixture.judge(
        id, provenance: Contract.Provenance(source: "sandbox"), as: grader)
    }
    #expect(source.code == .invalidArgument)
    let undecided = try await fixture.judge(id, .inconclusive, score: 0, as: grader)
    #expect(undecided.snapshot?.verdict == .inconclusive)
    #expect(undecided.snapshot?.validationScore == nil)
    _ = try await fixture.judge(id, .failed, score: 0.2, as: grader)
    let back = await failure { try await fixture.judge(id, .inconclusive, score: 0, as: grader) }
    #expect(back.code == .failedPrecondition)
  }

  @Test func `says when the caller read an older version, and writes once per key`() async throws {
    let (ada, grader) = (fixture.user(), fixture.user(.service))
    let first = try await fixture.submit(as: ada, key: "k")
    let again = try await fixture.submit(as: ada, key: "k")
    #expect(again.snapshot == first.snapshot && again.receipt?.replayed == true)
    #expect(
      await failure { try await fixture.submit("otro", as: ada, key: "k") }.code == .alreadyExists)
    let id = first.snapshot?.id
    let judged = try await fixture.judge(id, version: 1, as: grader, key: "v")
    let repeated = try await fixture.judge(id, version: 1, as: grader, key: "v")
    #expect(repeated.snapshot == judged.snapshot && repeated.receipt?.replayed == true)
    let stale = await failure { try await fixture.judge(id, .failed, version: 1, as: grader) }
    #expect(stale.code == .aborted)
    #expect(stale.decodedDetails.resource?.currentVersion == 2)
    #expect(await failure { try await fixture.share(id, version: 1, as: ada) }.code == .aborted)
    // Word for word the same: nothing to record.
    let same = try await fixture.judge(id, as: grader)
    #expect(same.snapshot?.version == 2 && same.receipt?.cursor == "")
    #expect(fixture.store.allEvents.map(\.type) == ["code.submitted", "code.validated"])
  }

  @Test func `decides again where another verdict came in between`() async throws {
    let (ada, grader, other) = (fixture.user(), fixture.user(.service), fixture.user(.service))
    let fixture = fixture
    let made = try await fixture.submit(as: ada)
    let id = made.snapshot?.id
    fixture.store.beforeNextCommit { _ = try? await fixture.judge(id, .failed, as: other) }
    let judged = try await fixture.judge(id, as: grader)
    #expect(judged.snapshot?.version == 3 && judged.snapshot?.verdict == .passed)
    #expect(fixture.store.allEvents.map(\.version) == [1, 2, 3])
  }

  @Test func `shares only what its author wants to share`() async throws {
    let (ada, eve) = (fixture.user(), fixture.user())
    let made = try await fixture.submit(as: ada)
    let id = made.snapshot?.id
    #expect(await failure { try await fixture.share(id, as: eve) }.code == .notFound)
    #expect(try await fixture.share(id, as: ada).snapshot?.shared == true)
    let twice = try await fixture.share(id, as: ada)
    #expect(twice.snapshot?.version == 2 && twice.receipt?.cursor == "")
    _ = try await fixture.judge(id, as: fixture.user(.admin))
    #expect(await failure { try await fixture.share(id, false, as: eve) }.code == .permissionDenied)
    _ = try await fixture.share(id, false, as: ada)
    #expect(
      fixture.store.allEvents.map(\.type)
        == ["code.submitted", "code.shared", "code.validated", "code.unshared"])
  }
}

/// The calls of these tests, in one line each.
extension ServiceFixture {
  func submit(
    _ code: String = "print()", taskID: String = "", as user: Domain.User, key: String? = nil
  ) async throws -> CreateSnapshotResponse {
    try await call(
      CodeValidationServiceMethods.createSnapshot,
      CreateSnapshotRequest(taskId: taskID, filePath: "app/main.py", codeContent: code), as: user,
      key: key)
  }

  func snapshot(_ id: String?, as user: Domain.User) async throws -> Contract.CodeSnapshot {
    let response: GetSnapshotResponse = try await call(
      CodeValidationServiceMethods.getSnapshot, GetSnapshotRequest(snapshotId: id ?? ""), as: user)
    return response.snapshot ?? Contract.CodeSnapshot()
  }

  func judge(
    _ id: String?, _ verdict: Contract.Verdict = .passed, score: Double = 0.9,
    provenance: Contract.Provenance? = nil, version: Int64 = 0, as user: Domain.User,
    key: String? = nil
  ) async throws -> RecordVerdictResponse {
    try await call(
      CodeValidationServiceMethods.recordVerdict,
      RecordVerdictRequest(
        snapshotId: id ?? "", verdict: verdict, score: score, feedback: "bien",
        provenance: provenance, expectedVersion: version),
      as: user, key: key)
  }

  func share(
    _ id: String?, _ shared: Bool = true, version: Int64 = 0, as user: Domain.User
  ) async throws -> SetSharingResponse {
    try await call(
      CodeValidationServiceMethods.setSharing,
      SetSharingRequest(snapshotId: id ?? "", shared: shared, expectedVersion: version), as: user)
  }
}
