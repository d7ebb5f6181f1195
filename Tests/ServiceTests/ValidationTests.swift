import Contract
import Domain
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Validations` {
  let fixture = ServiceFixture(validator: ScriptedValidator())

  @Test func `a submission is stored, judged and recorded, and its task completed`() async throws {
    let ada = fixture.user()
    let goal = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    _ = try await fixture.setTests(
      of: [goal.tasks[0]], fixture.suite(["one", "two"], completesTask: true), as: ada)
    let submission = fixture.submission(
      "one two", task: goal.tasks[0], others: ["lib/util.py": "u"])
    let messages = try await fixture.validating {
      try await fixture.validate(submission, as: ada).all()
    }
    let shown = messages.filter { !$0.word.hasPrefix("queued") }
    #expect(
      shown.map(\.word) == [
        "started", "one passes", "two passes", "diagnostic S1", "finished 5", "result",
      ])
    #expect(Set(messages.map(\.runId)).count == 1)
    #expect(shown.allSatisfy { !$0.cursor.isEmpty && $0.attempt == 1 })
    let last = try #require(messages.last)
    guard case .result(let snapshot) = last.step else { throw RPCError(.internal, "no result") }
    #expect(snapshot.verdict == .passed && snapshot.validationScore == 1)
    #expect(snapshot.provenance?.source == "instructor")
    #expect(snapshot.provenance?.toolVersions == ["script": "1"])
    #expect(last.validation?.report?.tests.map(\.status) == [.pass, .pass])
    #expect(last.validation?.report?.diagnostics.first?.ruleUrl == "https://example.org/S1")
    #expect(last.validation?.status == .completed)

    let read = try await fixture.snapshot(snapshot.id, as: ada)
    #expect(read.files.map(\.path) == ["lib/util.py"] && read.codeContent == "one two")
    let types = fixture.store.allEvents.map(\.type)
    #expect(types.count { $0 == "code.validated" } == 1)
    #expect(types.count { $0 == "task.completed" } == 1)
    #expect(types.contains("goal.started") && types.contains("code.validation_completed"))
    let now = try await fixture.getGoal(goal.goal?.id, as: ada)
    #expect(now.tasks.map(\.status) == [.completed, .pending])
  }

  @Test func `a stream continues behind any of its messages`() async throws {
    let ada = fixture.user()
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    let ids = (0..<450).map { "t\($0)." }
    _ = try await fixture.setTests(of: goal.tasks, fixture.suite(ids), as: ada)
    let before = fixture.commits.count
    let messages = try await fixture.validating {
      try await fixture.validate(
        fixture.submission("t0. t7.", task: goal.tasks[0]), as: ada
      ).all()
    }.filter { !$0.word.hasPrefix("queued") }
    #expect(messages.count == 454)
    // Many tests are few commits.
    #expect(fixture.commits.count - before < 40)
    let id = messages[0].runId
    for index in [0, 1, 199, 200, 201, 449, messages.count - 2, messages.count - 1] {
      let rest = try await fixture.watchValidation(
        id, cursor: messages[index].cursor, as: ada
      ).all()
      #expect(rest.map(\.word) == messages[(index + 1)...].map(\.word))
    }
    #expect(try await fixture.watchValidation(id, as: ada).all() == messages)
    let other = try await fixture.validating {
      try await fixture.validate(fixture.submission("x"), as: ada).all()
    }
    let strange = fixture.watchValidation(id, cursor: other.last?.cursor ?? "", as: ada)
    #expect(await strange.end()?.code == .outOfRange)
    #expect(await fixture.watchValidation(id, as: fixture.user()).end()?.code == .notFound)
  }

  @Test func `a repeat under the same key is shown the same validation`() async throws {
    let ada = fixture.user()
    let messages = try await fixture.validating {
      try await fixture.validate(fixture.submission("x"), as: ada, key: "k").all()
    }
    let again = try await fixture.validate(fixture.submission("x"), as: ada, key: "k").all()
    #expect(again == messages.filter { !$0.word.hasPrefix("queued") })
    #expect(fixture.store.allEvents.count { $0.type == "code.submitted" } == 1)
    let other = fixture.validate(fixture.submission("y"), as: ada, key: "k")
    #expect(await other.end()?.code == .alreadyExists)
  }

  @Test func `what decides nothing takes no verdict away and counts as none`() async throws {
    let ada = fixture.user()
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    _ = try await fixture.setTests(of: goal.tasks, fixture.suite(["one"]), as: ada)
    let messages = try await fixture.validating {
      try await fixture.validate(
        fixture.submission("one", task: goal.tasks[0]), as: ada
      ).all()
    }
    let snapshot = try #require(messages.last?.validation?.snapshotId)
    _ = try await fixture.call(
      CodeValidationServiceMethods.clearTaskTests,
      ClearTaskTestsRequest(taskIds: [goal.tasks[0].id]), as: ada,
      returning: ClearTaskTestsResponse.self)
    let again = try await fixture.validating {
      try await fixture.validate(nil, snapshot: snapshot, as: ada).all()
    }
    #expect(again.last?.validation?.verdict == .inconclusive)
    #expect(try await fixture.snapshot(snapshot, as: ada).verdict == .passed)
    let fresh = try await fixture.validating {
      try await fixture.validate(fixture.submission("one"), as: ada).all()
    }
    #expect(fresh.last?.validation?.verdict == .inconclusive)
    let events = fixture.store.allEvents.map(\.type)
    #expect(events.count { $0 == "code.validated" } == 1)
    #expect(events.count { $0 == "code.undecided" } == 1)
  }

  @Test func `without a sandbox nothing is run, and the reason is said`() async throws {
    let bare = ServiceFixture()
    let ada = bare.user()
    let messages = try await bare.validating {
      try await bare.validate(bare.submission("x"), as: ada).all()
    }
    let report = try #require(messages.last?.validation?.report)
    #expect(report.verdict == .inconclusive && report.reason.contains("no sandbox"))
    #expect(report.runs.map(\.status) == [.sandboxUnavailable])
    let languages = try await bare.call(
      CodeValidationServiceMethods.listLanguages, ListLanguagesRequest(), as: ada,
      returning: ListLanguagesResponse.self)
    #expect(languages.languages.isEmpty && languages.reason.contains("no sandbox"))
  }

  @Test func `a validator that fails is tried again, and then it is our fault`() async throws {
    struct Broken: Error {}
    let validator = ScriptedValidator { _, _ in throw Broken() }
    let broken = ServiceFixture(validator: validator)
    let ada = broken.user()
    let messages = try await broken.validating {
      try await broken.validate(broken.submission("x"), as: ada).all()
    }
    #expect(validator.jobs.count == ValidationLimits.attempts)
    let run = try #require(messages.last?.validation)
    #expect(run.verdict == .errored && run.score == nil)
    #expect(!broken.store.allEvents.contains { $0.type == "code.validated" })
  }

  @Test func `one that waits for a place in the sandbox tells how many come before it`()
    async throws
  {
    let validator = ScriptedValidator { job, step in
      try await step(.queued(position: 4))
      try await step(.queued(position: 2))
      return try await ScriptedValidator.byContent(job, step)
    }
    let busy = ServiceFixture(validator: validator)
    let ada = busy.user()
    let messages = try await busy.validating {
      try await busy.validate(busy.submission("x"), as: ada).all()
    }
    let places = messages.filter { $0.word.hasPrefix("queued") && $0.attempt == 1 }.map(\.word)
    // The place that was told last always comes; one before it only where it was written in time.
    #expect(places == ["queued 2"] || places == ["queued 4", "queued 2"])
    #expect(messages.last?.word == "result")
  }

  @Test func `one that waits or runs can be cancelled`() async throws {
    let validator = ScriptedValidator { job, step in
      try await step(.stageStarted(.test))
      try await Task.sleep(for: .seconds(60))
      return try await ScriptedValidator.byContent(job, step)
    }
    let slow = ServiceFixture(validator: validator)
    let ada = slow.user()
    let waiting = slow.validate(slow.submission("x"), as: ada)
    let first = try #require(try await waiting.next())
    #expect(first.word == "queued 0")
    let cancelled: CancelValidationResponse = try await slow.call(
      CodeValidationServiceMethods.cancelValidation,
      CancelValidationRequest(runId: first.runId), as: ada)
    #expect(cancelled.validation?.status == .cancelled)
    #expect(try await waiting.all().last?.validation?.status == .cancelled)
    #expect(validator.jobs.isEmpty)
    let done = await failure {
      try await slow.call(
        CodeValidationServiceMethods.cancelValidation, CancelValidationRequest(runId: first.runId),
        as: slow.user(), returning: CancelValidationResponse.self)
    }
    #expect(done.code == .notFound)
  }

  @Test func `bad input is refused before anything is stored`() async throws {
    let ada = fixture.user()
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    _ = try await fixture.setTests(of: goal.tasks, fixture.suite(["one"]), as: ada)
    let before = fixture.store.allEvents.count
    func refusal(_ submission: Contract.Submission?, runs: Int32 = 0) async -> RPCError? {
      await fixture.validate(submission, as: ada, runs: runs).end()
    }
    let file = { (path: String, content: String) in
      Contract.SourceFile(path: path, content: content)
    }
    for (submission, field) in [
      (Contract.Submission(), "submission.files"),
      (Contract.Submission(files: [file("../a.py", "")]), "submission.files[0].path"),
      (Contract.Submission(files: [file("/a.py", "")]), "submission.files[0].path"),
      (
        Contract.Submission(files: [file("a.py", ""), file("A.py", "")], mainPath: "a.py"),
        "submission.files[1].path"
      ),
      (
        Contract.Submission(files: [file("a.py", ""), file("b.py", "")]), "submission.main_path"
      ),
      (
        Contract.Submission(files: (0..<51).map { file("\($0).py", "") }, mainPath: "0.py"),
        "submission.files"
      ),
      (
        Contract.Submission(files: [file("a.py", String(repeating: "x", count: 262_145))]),
        "submission.files[0].content"
      ),
      (fixture.submission("x", task: goal.tasks[0], main: "main.js"), "language"),
    ] {
      let error = try #require(await refusal(submission))
      #expect(error.code == .invalidArgument)
      #expect(error.decodedDetails.fieldViolations.map(\.field) == [field])
    }
    #expect(await refusal(nil)?.code == .invalidArgument)
    #expect(await refusal(fixture.submission("x"), runs: 6)?.code == .invalidArgument)
    let other = try await fixture.createGoal(tasks: ["uno"], as: fixture.user())
    #expect(await refusal(fixture.submission("x", task: other.tasks[0]))?.code == .notFound)
    #expect(!fixture.store.allEvents.dropFirst(before).contains { $0.type == "code.submitted" })
  }

  @Test func `code that answers no task can bring its own tests, stored once`() async throws {
    let ada = fixture.user()
    func judged(_ content: String) async throws -> Contract.ValidationRun? {
      try await fixture.validating {
        try await fixture.validate(
          fixture.submission(content), as: ada, suite: fixture.suite(["one"])
        ).all()
      }.last?.validation
    }
    let first = try await judged("one")
    let second = try await judged("two")
    #expect(first?.verdict == .passed && second?.verdict == .failed)
    #expect(first?.suiteId != "" && first?.suiteId == second?.suiteId)
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    for (submission, suite, field) in [
      (fixture.submission("one", task: goal.tasks[0]), fixture.suite(["one"]), "suite"),
      (fixture.submission("one", main: "main.js"), fixture.suite(["one"]), "suite.language"),
      (fixture.submission("one"), Contract.TestSuite(kind: .unittest), "suite.language"),
    ] {
      let error = try #require(await fixture.validate(submission, as: ada, suite: suite).end())
      #expect(error.code == .invalidArgument)
      #expect(error.decodedDetails.fieldViolations.map(\.field).contains(field))
    }
  }

  @Test func `a learner's queue is bounded, and others keep their turn`() async throws {
    let (ada, bob) = (fixture.user(), fixture.user())
    for index in 0..<ValidationLimits.queued {
      let probe = fixture.validate(fixture.submission("x\(index)"), as: ada)
      #expect(try await probe.next()?.word == "queued \(index)")
      probe.cancel()
    }
    let refused = fixture.validate(fixture.submission("y"), as: ada)
    let error = try #require(await refused.end())
    #expect(error.code == .resourceExhausted)
    #expect(error.decodedDetails.reason == .limitReached)
    // Behind the first of the other learner, before the second.
    let probe = fixture.validate(fixture.submission("z"), as: bob)
    #expect(try await probe.next()?.word == "queued 1")
    probe.cancel()
  }
}
