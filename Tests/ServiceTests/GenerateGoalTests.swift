import Contract
import Domain
import InMemoryStore
import RPC
import Retrieval
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `GenerateGoal` {
  typealias Script = AgentScript

  private static let steps = [
    "retrieve 1", "context", "generate 1", "token", "validate 1", "findings 0", "persist 1",
    "respond 1", "result",
  ]

  private func fixture(
    _ lines: [ScriptedModel.Line]? = [.text(AgentScript.good)],
    found: Retrieval.AgentContext = AgentScript.context
  ) -> (ServiceFixture, ScriptedModel?, FakeRetriever) {
    let model = lines.map(ScriptedModel.init)
    let retriever = FakeRetriever(found)
    return (ServiceFixture(model: model, retriever: retriever), model, retriever)
  }

  @Test func `streams every step and stores the goal, its tasks and events in one commit`()
    async throws
  {
    let (fixture, model, _) = fixture()
    let ada = fixture.user()
    let messages = try await fixture.generate(as: ada).all()
    #expect(messages.words == Self.steps)
    let runID = try #require(messages.first?.runId)
    #expect(messages.allSatisfy { $0.runId == runID && !$0.cursor.isEmpty })
    #expect(messages.compactMap(\.text).joined() == Script.good)
    let citations = try #require(messages.compactMap(\.citations).first)
    #expect(citations.map(\.entityType) == ["goal", "course", "code_snapshot"])
    #expect(citations[2].similarity == 0.92 && citations[1].anchor == "pasos")
    let result = try #require(messages.last?.result)
    #expect(result.planner == "model" && result.tasks.count == 3 && result.citations == citations)
    #expect(result.goal?.aiFeedback.hasPrefix("Este objetivo") == true)
    let stored = try await fixture.getGoal(result.goal?.id, as: ada)
    #expect(stored.goal == result.goal && stored.tasks == result.tasks)
    #expect(
      fixture.store.allEvents.map(\.type) == [
        "ai.run_started", "ai.context_retrieved", "ai.replied", "ai.proposal_checked",
        "goal.created", "task.created", "task.created", "task.created", "ai.run_completed",
      ])
    let runEvents = fixture.store.allEvents.filter { $0.entityID.description == runID }
    #expect(runEvents.map(\.version) == [1, 2, 3, 4, 5])
    #expect(runEvents.allSatisfy { $0.userID == ada.id && $0.entityType == "agent_run" })
    #expect(runEvents.last?.openedPayload.contains(result.goal?.id ?? "?") == true)
    #expect(messages.last?.cursor == result.receipt?.cursor)
    let request = try #require(model?.requests.first)
    #expect(request.callerID == ada.id && request.schema != nil)
    #expect(request.messages.last?.text.contains("get_user_by_id") == true)
  }

  @Test func `repairs a proposal that breaks the contract with what was found`() async throws {
    let (fixture, model, _) = fixture([.text(Script.short), .text("no JSON"), .text(Script.good)])
    let messages = try await fixture.generate(as: fixture.user()).all()
    #expect(
      messages.words.filter { !$0.hasPrefix("token") } == [
        "retrieve 1", "context", "generate 1", "validate 1", "findings 1", "repair 2",
        "validate 2", "findings 1", "repair 3", "validate 3", "findings 0", "persist 1",
        "respond 1", "result",
      ])
    #expect(model?.requests.count == 3)
    #expect(model?.requests[1].messages.last?.text.contains("task_count") == true)
  }

  @Test func `plans from what was retrieved without a model, and says so`() async throws {
    let retriever = FakeRetriever()
    let fixture = ServiceFixture(retriever: retriever)
    let ada = fixture.user()
    let earlier = try await fixture.createGoal(
      "Aprender Flask",
      tasks: [
        "Crear un proyecto nuevo con Flask", "Escribir las rutas de la API",
        "Probar la API con pruebas automáticas",
      ], as: ada)
    let id = try #require(EntityID(earlier.goal?.id ?? ""))
    var found = Script.passage(.goal, "Aprender Flask", "Hice una API con Flask.", id: 1)
    found.passage.entityID = id
    retriever.find(Retrieval.AgentContext(goals: [found]))
    let messages = try await fixture.generate(as: ada).all()
    #expect(
      messages.words == [
        "retrieve 1", "context", "generate 1", "findings 0", "persist 1", "respond 1", "result",
      ])
    #expect(messages.last?.result?.planner == "retrieval")
    #expect(messages.last?.result?.tasks.count == 3)
  }

  @Test func `says what is missing where there is nothing to plan from`() async throws {
    let (fixture, _, _) = fixture(nil, found: Retrieval.AgentContext())
    let probe = fixture.generate(as: fixture.user())
    let messages = try await probe.all()
    #expect(messages.words == ["retrieve 1", "context", "generate 1", "findings 1"])
    let error = try #require(await probe.end())
    #expect(error.code == .failedPrecondition && error.message.contains("context_too_thin"))
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["prompt"])
    #expect(fixture.events(ofRun: messages.first?.runId).last == "ai.run_failed")
  }

  @Test func `names the findings where no proposal holds`() async throws {
    let (fixture, _, _) = fixture(
      Array(repeating: .text(Script.short), count: 3), found: Retrieval.AgentContext())
    let probe = fixture.generate(as: fixture.user())
    _ = try await probe.all()
    let error = try #require(await probe.end())
    #expect(error.code == .failedPrecondition && error.message.contains("task_count"))
    #expect(
      error.decodedDetails.fieldViolations.contains { $0.description.hasPrefix("task_count") })
  }

  @Test(arguments: [
    (LanguageModelError.unavailable("secret"), "UNAVAILABLE"),
    (.rateLimited(retryAfter: .seconds(7)), "UNAVAILABLE"),
    (
      .quotaExceeded(subject: "tokens a day", maximum: 5, retryAfter: .seconds(9)),
      "RESOURCE_EXHAUSTED"
    ),
    (.promptTooLong, "RESOURCE_EXHAUSTED"), (.replyCut, "UNAVAILABLE"),
    (.replyInvalid("secret"), "UNAVAILABLE"), (.refused("secret"), "FAILED_PRECONDITION"),
    (.timedOut, "DEADLINE_EXCEEDED"),
  ])
  func `maps a model's failure without its text`(
    _ failure: LanguageModelError, _ code: String
  ) async throws {
    let (fixture, _, _) = fixture([.error(failure)], found: Retrieval.AgentContext())
    let probe = fixture.generate(as: fixture.user())
    _ = try await probe.all()
    let error = try #require(await probe.end())
    #expect("\(error.code)" == code && !error.message.contains("secret"))
    if case .quotaExceeded = failure {
      let details = error.decodedDetails
      #expect(details.reason == .quota && details.retryDelayUs == 9_000_000)
      #expect(details.quota == QuotaInfo(subject: "tokens a day", maximum: 5))
    }
    #expect(!fixture.store.allEvents.contains { $0.openedPayload.contains("secret") })
  }

  @Test func `a duplicate of an open goal is found and repaired`() async throws {
    let (fixture, _, retriever) = fixture([.text(Script.good), .text(Script.good)])
    retriever.setClosest(
      Script.passage(.goal, "Aprender FastAPI", "", id: 9, similarity: 0.99), times: 1)
    let messages = try await fixture.generate(as: fixture.user()).all()
    #expect(messages.words.contains("repair 2"))
    let types = fixture.store.allEvents.map(\.type)
    #expect(types.filter { $0 == "ai.replied" }.count == 2 && types.contains("goal.created"))
  }

  @Test func `tokens that the model takes back are announced as void`() async throws {
    let (fixture, _, _) = fixture([.restart(["{\"x"], then: Script.good)])
    let messages = try await fixture.generate(as: fixture.user()).all()
    #expect(messages.words.prefix(6).suffix(4) == ["generate 1", "token", "generate 1", "token"])
    let begun = try #require(messages.lastIndex { $0.word == "generate 1" })
    #expect(messages[begun...].compactMap(\.text).joined() == Script.good)
  }

  @Test func `retrieval that fails fails the run, for a time`() async throws {
    let (fixture, model, retriever) = fixture()
    retriever.failNext()
    let ada = fixture.user()
    let first = fixture.generate(as: ada, key: "k")
    _ = try await first.all()
    #expect(await first.end()?.code == .unavailable)
    // The same key continues the same run.
    let messages = try await fixture.generate(as: ada, key: "k").all()
    #expect(messages.last?.word == "result" && model?.requests.count == 1)
    #expect(fixture.store.allEvents.map(\.type).filter { $0 == "goal.created" }.count == 1)
  }

  @Test func `a store that cannot be reached leaves the run to be continued`() async throws {
    let (fixture, model, _) = fixture()
    let ada = fixture.user()
    let first = fixture.generate(as: ada, key: "k", credit: .max)
    // The first commit begins the run; the second is that of the context.
    fixture.store.beforeNextCommit {}
    fixture.store.beforeNextCommit {
      fixture.store.fail(.commit, .unavailable("down", maybeCommitted: false))
    }
    _ = try await first.all()
    let error = try #require(await first.end())
    #expect(error.code == .unavailable && error.decodedDetails.reason == .storeUnavailable)
    let messages = try await fixture.generate(as: ada, key: "k").all()
    #expect(messages.last?.word == "result" && model?.requests.count == 1)
  }

  @Test func `refuses what breaks its limits before anything is recorded`() async throws {
    let (fixture, model, _) = fixture()
    let ada = fixture.user()
    let bea = fixture.user(name: "Bea")
    func code(_ probe: GoalProbe) async throws -> String {
      #expect(try await probe.all().isEmpty)
      return await "\(try #require(probe.end()).code)"
    }
    #expect(try await code(fixture.generate("", as: ada)) == "INVALID_ARGUMENT")
    #expect(
      try await code(fixture.generate(String(repeating: "a", count: 4001), as: ada))
        == "INVALID_ARGUMENT")
    #expect(try await code(fixture.generate(language: "fr", as: ada)) == "INVALID_ARGUMENT")
    #expect(try await code(fixture.generate(courseID: "x", as: ada)) == "INVALID_ARGUMENT")
    #expect(
      try await code(fixture.generate(userID: bea.id.description, as: ada)) == "PERMISSION_DENIED")
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    #expect(try await code(fixture.generate(courseID: course.id, as: ada)) == "FAILED_PRECONDITION")
    #expect(model?.requests.isEmpty == true)
    #expect(!fixture.store.allEvents.contains { $0.type.hasPrefix("ai.") })
    let bare = ServiceFixture()
    #expect(try await code(bare.generate(as: bare.user())) == "UNAVAILABLE")
  }

  @Test func `a service generates for a learner, in a course that they are enrolled in`()
    async throws
  {
    let (fixture, _, _) = fixture()
    let (ada, teacher, service) = (
      fixture.user(), fixture.user(.instructor), fixture.user(.service)
    )
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let messages = try await fixture.generate(
      courseID: course.id, userID: ada.id.description, as: service
    ).all()
    let goal = try #require(messages.last?.result?.goal)
    #expect(goal.userId == ada.id.description && goal.courseId == course.id)
    let run = try #require(fixture.store.run(EntityID(messages[0].runId) ?? ada.id))
    #expect(run.callerID == service.id && run.learnerID == ada.id)
  }
}
