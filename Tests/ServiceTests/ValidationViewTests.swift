import Agents
import Contract
import Domain
import RPC
import Service
import Testing

/// Who is shown what of validations, and what an agent adds to them.
@Suite(.timeLimit(.minutes(1))) struct `Validations and who sees them` {
  typealias Script = AgentScript

  private func enrolled(
    _ fixture: ServiceFixture
  ) async throws -> (teacher: Domain.User, ada: Domain.User, task: GoalTask) {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let made: CreateGoalResponse = try await fixture.call(
      GoalServiceMethods.createGoal,
      CreateGoalRequest(title: "Aprender", courseId: course.id, tasks: [NewTask(title: "uno")]),
      as: ada)
    return (teacher, ada, made.tasks[0])
  }

  @Test func `hidden tests are in nothing that their learner is shown`() async throws {
    let fixture = ServiceFixture(validator: ScriptedValidator())
    let (teacher, ada, task) = try await enrolled(fixture)
    _ = try await fixture.setTests(of: [task], fixture.suite(["one", "secret_two"]), as: teacher)
    let messages = try await fixture.validating {
      try await fixture.validate(fixture.submission("one", task: task), as: ada).all()
    }
    #expect(messages.map(\.word).contains("hidden-2 fails"))
    let id = messages[0].runId
    let read = try await fixture.validation(id, as: ada)
    let tests = try await fixture.tests(of: task, as: ada, withHistory: true)
    for shown in ["\(messages)", "\(String(describing: read))", "\(tests)"] {
      #expect(!shown.contains("secret_two"))
    }
    #expect(fixture.store.allEvents.allSatisfy { !$0.openedPayload.contains("secret_two") })
    #expect(tests.tests?.isCut == true && tests.tests?.suite?.files == [])

    let whole = try #require(try await fixture.validation(id, as: teacher)?.report)
    #expect(whole.tests.map(\.id) == ["one", "secret_two"])
    #expect(whole.tests[1].message == "secret_two says title of secret_two")
    let own = try await fixture.tests(of: task, as: teacher)
    #expect(own.tests?.isCut == false && own.tests?.suite?.files.count == 1)
    // Who was asked before and asks another is a stranger.
    let stranger = fixture.user(.instructor)
    let refused = await failure { try await fixture.tests(of: task, as: stranger) }
    #expect(refused.code == .notFound)
  }

  @Test func `a learner replaces no tests of who oversees them`() async throws {
    let fixture = ServiceFixture(validator: ScriptedValidator())
    let (teacher, ada, task) = try await enrolled(fixture)
    let first = try await fixture.setTests(of: [task], fixture.suite(["own"]), as: ada)
    #expect(first.changedCount == 1)
    _ = try await fixture.setTests(of: [task], fixture.suite(["one"]), as: teacher)
    let refused = await failure {
      try await fixture.setTests(of: [task], fixture.suite(["easy"]), as: ada)
    }
    #expect(refused.code == .permissionDenied)
    let cleared = await failure {
      try await fixture.call(
        CodeValidationServiceMethods.clearTaskTests, ClearTaskTestsRequest(taskIds: [task.id]),
        as: ada, returning: ClearTaskTestsResponse.self)
    }
    #expect(cleared.code == .permissionDenied)
    let again = try await fixture.setTests(of: [task], fixture.suite(["one"]), as: teacher)
    #expect(again.changedCount == 0)
    let history = try await fixture.tests(of: task, as: ada, withHistory: true).history
    #expect(history.map(\.version) == [2, 1])
    let events = fixture.store.allEvents.filter { $0.type == "task.tests_set" }
    #expect(events.map(\.version) == [1, 2])
  }

  @Test func `tests of one's own replace no verdict of others`() async throws {
    let fixture = ServiceFixture(validator: ScriptedValidator())
    let (teacher, ada, task) = try await enrolled(fixture)
    let own = fixture.suite(["one"])
    func judged(_ suite: Contract.TestSuite?, _ snapshot: String) async throws -> Contract.Verdict?
    {
      try await fixture.validating {
        try await fixture.validate(nil, snapshot: snapshot, as: ada, suite: suite).all()
      }.last?.validation?.verdict
    }
    let free = try await fixture.validating {
      try await fixture.validate(fixture.submission("x"), as: ada, suite: own).all()
    }.last?.validation
    let snapshot = try #require(free?.snapshotId)
    // One's own word may change.
    #expect(free?.verdict == .failed)
    #expect(try await judged(fixture.suite(["x"]), snapshot) == .passed)
    #expect(try await fixture.snapshot(snapshot, as: ada).verdict == .passed)
    let service = fixture.user(.service)
    let recorded: RecordVerdictResponse = try await fixture.call(
      CodeValidationServiceMethods.recordVerdict,
      RecordVerdictRequest(snapshotId: snapshot, verdict: .failed, score: 0.25), as: service)
    #expect(recorded.snapshot?.verdict == .failed)
    let before = fixture.store.allEvents.count { $0.type == "code.validated" }
    #expect(try await judged(fixture.suite(["x"]), snapshot) == .passed)
    let read = try await fixture.snapshot(snapshot, as: ada)
    #expect(read.verdict == .failed && read.validationScore == 0.25)
    #expect(fixture.store.allEvents.count { $0.type == "code.validated" } == before)

    // An instructor's tests go before what they recorded themselves.
    _ = try await fixture.setTests(of: [task], fixture.suite(["one"]), as: teacher)
    let answer = try await fixture.validating {
      try await fixture.validate(fixture.submission("one", task: task), as: ada).all()
    }.last?.validation
    #expect(answer?.verdict == .passed)
    #expect(try await fixture.snapshot(answer?.snapshotId, as: ada).verdict == .passed)
  }

  @Test func `what an overseer has validated is not its author's to cancel`() async throws {
    let validator = ScriptedValidator()
    let fixture = ServiceFixture(validator: validator)
    let (teacher, ada, task) = try await enrolled(fixture)
    _ = try await fixture.setTests(of: [task], fixture.suite(["one"]), as: teacher)
    let snapshot =
      try await fixture.validating {
        try await fixture.validate(fixture.submission("one", task: task), as: ada).all()
      }.last?.validation?.snapshotId ?? ""
    func cancelling(_ run: String, _ user: Domain.User) async -> RPCError? {
      do {
        _ = try await fixture.call(
          CodeValidationServiceMethods.cancelValidation, CancelValidationRequest(runId: run),
          as: user, returning: CancelValidationResponse.self)
        return nil
      } catch {
        return error as? RPCError
      }
    }
    let overseen = fixture.validate(nil, snapshot: snapshot, as: teacher)
    let run = try #require(try await overseen.next()).runId
    #expect(await cancelling(run, ada)?.code == .permissionDenied)
    #expect(await cancelling(run, teacher) == nil)
    #expect(try await overseen.all().last?.validation?.status == .cancelled)
    // A service acts for the author, whose turn it takes.
    let service = fixture.validate(nil, snapshot: snapshot, as: fixture.user(.service))
    let other = try #require(try await service.next()).runId
    #expect(await cancelling(other, ada) == nil)
    #expect(try await service.all().last?.validation?.status == .cancelled)
  }

  @Test func `a preview changes nothing and is applied once`() async throws {
    let fixture = ServiceFixture(validator: ScriptedValidator())
    let (teacher, ada, task) = try await enrolled(fixture)
    _ = try await fixture.setTests(of: [task], fixture.suite(["one"]), as: teacher)
    let snapshot = try await fixture.validating {
      try await fixture.validate(fixture.submission("one", task: task), as: ada).all()
    }.last?.validation?.snapshotId
    _ = try await fixture.setTests(of: [task], fixture.suite(["one", "two"]), as: teacher)
    func revalidate(_ request: RevalidateRequest) async throws -> [RevalidateResponse] {
      try await fixture.validating {
        try await StreamProbe<RevalidateResponse>(
          fixture, CodeValidationServiceMethods.revalidate, request, as: teacher
        ).all()
      }
    }
    let preview = try await revalidate(RevalidateRequest(taskIds: [task.id]))
    guard case .snapshot(let change)? = preview.first?.step,
      case .summary(let summary)? = preview.last?.step
    else { throw RPCError(.internal, "no preview") }
    #expect(change.verdictBefore == .passed && change.verdictAfter == .failed)
    #expect(change.scoreBefore == 1 && change.scoreAfter == 0.5 && !change.applied)
    #expect(summary.count == 1 && summary.newlyFailedCount == 1)
    #expect(try await fixture.snapshot(snapshot, as: ada).verdict == .passed)
    let request = RevalidateRequest(previewId: preview[0].groupId, apply: true)
    for expected in [true, false] {
      guard case .snapshot(let applied)? = try await revalidate(request).first?.step else {
        throw RPCError(.internal, "nothing was applied")
      }
      #expect(applied.applied == expected)
      #expect(try await fixture.snapshot(snapshot, as: ada).verdict == .failed)
    }
    #expect(fixture.store.allEvents.count { $0.type == "code.validated" } == 2)
  }

  @Test func `an agent's comment comes after the verdict and does not change it`() async throws {
    let model = ScriptedModel([.text("Tu código es correcto; mira [C1].")])
    let fixture = ServiceFixture(
      model: model, retriever: FakeRetriever(AgentScript.context), validator: ScriptedValidator())
    let ada = fixture.user()
    let goal = try await fixture.createGoal(tasks: ["uno"], as: ada)
    _ = try await fixture.setTests(of: goal.tasks, fixture.suite(["one"]), as: ada)
    let submission = fixture.submission("two", task: goal.tasks[0])
    let messages = try await fixture.validating {
      try await fixture.validate(submission, as: ada, key: "k", withFeedback: true).all()
    }
    let words = messages.map(\.word)
    #expect(words.suffix(2) == ["feedback", "result"] && words.contains("token"))
    #expect(messages.last?.validation?.verdict == .failed)
    #expect(Set(messages.map(\.runId)).count == 1)
    // What tools said is the model's to read.
    let prompt = model.requests.first?.messages.map(\.text).joined(separator: "\n") ?? ""
    #expect(prompt.contains("S1: could be shorter") && prompt.contains("failed"))
    let again = try await fixture.validate(
      submission, as: ada, key: "k", withFeedback: true
    ).all()
    #expect(again.last == messages.last && model.requests.count == 1)
  }

  @Test func `without a model what is like the code is shown all the same`() async throws {
    let retriever = FakeRetriever(AgentScript.context)
    let fixture = ServiceFixture(retriever: retriever, validator: ScriptedValidator())
    let ada = fixture.user()
    let messages = try await fixture.validating {
      try await fixture.validate(fixture.submission("x"), as: ada, withFeedback: true).all()
    }
    let found = messages.filter { $0.stage == .retrieve }
    #expect(
      found.map(\.word) == [
        "started", "context 1", "finished \(Contract.ValidationStage.retrieve.rawValue)",
      ], "\(found)")
    guard case .context(let context)? = found.dropFirst().first?.step else {
      throw RPCError(.internal, "nothing was found")
    }
    #expect(context.citations.allSatisfy { !$0.title.isEmpty })
    #expect(messages.last?.validation?.verdict == .inconclusive)
  }

  @Test func `without a model the verdict comes all the same`() async throws {
    let fixture = ServiceFixture(validator: ScriptedValidator())
    let ada = fixture.user()
    let messages = try await fixture.validating {
      try await fixture.validate(
        fixture.submission("x"), as: ada, withFeedback: true
      ).all()
    }
    guard case .stageFinished(let stage)? = messages.dropLast().last?.step else {
      throw RPCError(.internal, "nothing was said")
    }
    #expect(stage.stage == .feedback && stage.status == .unavailable)
    #expect(messages.last?.validation?.status == .completed)
  }

  /// A line for each diagnostic.
  private struct LineExchange: DiagnosticExchange {
    func text(of report: Domain.ValidationReport) -> String {
      report.diagnostics.map(\.message).joined(separator: "\n")
    }

    func diagnostics(in text: String, of files: [Domain.SourceFile]) -> [Domain.Diagnostic]? {
      if text == "nonsense" { return nil }
      return text.split(separator: "\n").map { line in
        Domain.Diagnostic(
          level: .note, advice: .informative, tool: "other", message: String(line),
          path: files.first?.path ?? "")
      }
    }
  }

  @Test func `what another tool says is kept, and changes no verdict`() async throws {
    let fixture = ServiceFixture(validator: ScriptedValidator(), exchange: LineExchange())
    let (ada, bob) = (fixture.user(), fixture.user())
    let snapshot = try #require(try await fixture.submit(as: ada).snapshot)
    func take(_ text: String, as user: Domain.User) async throws -> ImportSarifResponse {
      try await fixture.call(
        CodeValidationServiceMethods.importSarif,
        ImportSarifRequest(snapshotId: snapshot.id, sarif: text), as: user)
    }
    let made = try #require(try await take("one\ntwo", as: ada).validation)
    #expect(made.preview && made.verdict == .inconclusive && made.status == .completed)
    let read = try #require(try await fixture.validation(made.runId, as: ada)?.report)
    #expect(read.diagnostics.map(\.message) == ["one", "two"])
    #expect(read.diagnostics.map(\.path) == ["app/main.py", "app/main.py"])
    func give(as user: Domain.User) async throws -> ExportSarifResponse {
      try await fixture.call(
        CodeValidationServiceMethods.exportSarif, ExportSarifRequest(runId: made.runId), as: user)
    }
    #expect(try await give(as: ada).sarif == "one\ntwo")
    #expect(await failure { try await give(as: bob) }.code == .notFound)
    #expect(await failure { try await take("x", as: bob) }.code == .notFound)
    #expect(await failure { try await take("nonsense", as: ada) }.code == .invalidArgument)
    #expect(try await fixture.snapshot(snapshot.id, as: ada).verdict == .unspecified)
    let none = ServiceFixture()
    let missing = await failure {
      try await none.call(
        CodeValidationServiceMethods.exportSarif, ExportSarifRequest(runId: made.runId),
        as: none.user(), returning: ExportSarifResponse.self)
    }
    #expect(missing.code == .notFound)
  }
}
