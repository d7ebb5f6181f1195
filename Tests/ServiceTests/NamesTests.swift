import Contract
import Domain
import RPC
import Testing

/// Every title and name that anybody can give, with everything that must not be in one.
@Suite(.timeLimit(.minutes(1))) struct `Titles and names` {
  private static let hidden: [(name: String, text: String)] = [
    ("a bidirectional override", "a\u{202e}b"), ("a bidirectional isolate", "a\u{2067}b"),
    ("a mark of direction", "a\u{200e}b"), ("a zero-width space", "a\u{200b}b"),
    ("a joiner out of place", "a\u{200d}b"), ("a byte-order mark", "\u{feff}ab"),
    ("a tag", "a\u{e0041}b"), ("a soft hyphen", "a\u{ad}b"), ("a filler", "a\u{3164}b"),
    ("a control", "a\u{7}b"), ("a control of the second set", "a\u{9b}b"),
    ("an escape", "a\u{1b}[2Jb"), ("nothing to see", "\u{200b}\u{2060}"), ("spaces", "  "),
  ]

  @Test func `are refused with what cannot be seen, by every method, and nothing is stored`()
    async throws
  {
    let fixture = ServiceFixture()
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let (root, grader) = (fixture.user(.admin), fixture.user(.service))
    let course = try await fixture.createCourse(as: teacher)
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    let code = try #require(try await fixture.submit(as: ada).snapshot)
    func verdict(_ provenance: Contract.Provenance) async throws -> any Sendable {
      try await fixture.call(
        CodeValidationServiceMethods.recordVerdict,
        RecordVerdictRequest(
          snapshotId: code.id, verdict: .passed, score: 1, provenance: provenance), as: grader,
        returning: RecordVerdictResponse.self)
    }
    func makeCourse(_ request: CreateCourseRequest) async throws -> any Sendable {
      try await fixture.call(
        CourseServiceMethods.createCourse, request, as: teacher,
        returning: CreateCourseResponse.self)
    }
    func makeUser(_ request: CreateUserRequest) async throws -> any Sendable {
      try await fixture.call(
        UserServiceMethods.createUser, request, as: root, returning: CreateUserResponse.self)
    }
    func ingest(_ document: Contract.CourseDocument) async throws -> any Sendable {
      let start = IngestStart(courseId: course.id)
      return try await fixture.ingest(
        [IngestDocumentsRequest(step: .start(start))]
          + [IngestDocumentsRequest(step: .document(document))], as: teacher)
    }
    let before = fixture.store.allEvents
    let fields: [(name: String, give: (String) async throws -> any Sendable)] = [
      ("a goal's title", { try await fixture.createGoal($0, as: ada) }),
      ("a task's title", { try await fixture.createGoal("x", tasks: [$0], as: ada) }),
      (
        "a goal's new title",
        {
          try await fixture.call(
            GoalServiceMethods.updateGoal,
            UpdateGoalRequest(
              goalId: goal.goal?.id ?? "", goal: Contract.Goal(title: $0),
              updateMask: FieldMask(paths: ["title"])), as: ada, returning: UpdateGoalResponse.self)
        }
      ),
      (
        "an added task's title",
        {
          try await fixture.call(
            TaskServiceMethods.createTask,
            CreateTaskRequest(goalId: goal.goal?.id ?? "", task: NewTask(title: $0)), as: ada,
            returning: CreateTaskResponse.self)
        }
      ),
      (
        "a task's new title",
        {
          try await fixture.call(
            TaskServiceMethods.updateTask,
            UpdateTaskRequest(
              taskId: goal.tasks[0].id, task: GoalTask(title: $0),
              updateMask: FieldMask(paths: ["title"])), as: ada, returning: UpdateTaskResponse.self)
        }
      ),
      ("a course's title", { try await makeCourse(CreateCourseRequest(title: $0)) }),
      (
        "a technology",
        { try await makeCourse(CreateCourseRequest(title: "x", technologies: [$0])) }
      ),
      (
        "a name of metadata",
        { try await makeCourse(CreateCourseRequest(title: "x", metadata: [$0: "1"])) }
      ),
      (
        "a value of metadata",
        { try await makeCourse(CreateCourseRequest(title: "x", metadata: ["n": $0])) }
      ),
      ("a document's path", { try await ingest(Contract.CourseDocument(path: $0 + ".md")) }),
      (
        "a document's title",
        { try await ingest(Contract.CourseDocument(path: "a.md", content: [120], title: $0)) }
      ),
      (
        "a file's path",
        {
          try await fixture.call(
            CodeValidationServiceMethods.createSnapshot, CreateSnapshotRequest(filePath: $0),
            as: ada, returning: CreateSnapshotResponse.self)
        }
      ),
      ("a source of verdicts", { try await verdict(Contract.Provenance(source: $0)) }),
      ("a policy", { try await verdict(Contract.Provenance(policy: $0)) }),
      ("a tool", { try await verdict(Contract.Provenance(toolVersions: [$0: "1"])) }),
      ("a tool's version", { try await verdict(Contract.Provenance(toolVersions: ["r": $0])) }),
      ("a limit", { try await verdict(Contract.Provenance(limits: ["cpu": $0])) }),
      (
        "a token's label",
        {
          try await fixture.call(
            UserServiceMethods.createToken, CreateTokenRequest(label: $0), as: ada,
            returning: CreateTokenResponse.self)
        }
      ),
      ("a user's name", { try await makeUser(CreateUserRequest(displayName: $0)) }),
      (
        "a user's name elsewhere",
        { try await makeUser(CreateUserRequest(externalId: $0, displayName: "x")) }
      ),
      (
        "an e-mail address",
        { try await makeUser(CreateUserRequest(displayName: "x", email: "a@" + $0)) }
      ),
    ]
    for (field, give) in fields {
      for (what, text) in Self.hidden {
        // A path or an address is not blank with what stands around it.
        if ["a document's path", "an e-mail address"].contains(field), what == "spaces" {
          continue
        }
        let error = await failure { try await give(text) }
        #expect(error.code == .invalidArgument, "\(field) with \(what): \(error)")
      }
    }
    #expect(fixture.store.allEvents == before)
  }

  @Test func `that documents give themselves lose it`() async throws {
    let fixture = ServiceFixture()
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    for (number, text) in ["# a\u{202e}b\n\nx", "# \u{200b}\n\nx"].enumerated() {
      _ = try await fixture.ingest([(path: "\(number).md", text: text)], into: course, as: teacher)
    }
    let titles = try await fixture.documents(of: course, as: teacher).documents.map(\.title)
    #expect(
      titles.allSatisfy { !InvisibleCharacters.areIn($0) && !InvisibleCharacters.isBlank($0) })
  }
}
