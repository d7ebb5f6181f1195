import Contract
import Domain
import InMemoryStore
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Proposals that wait for approval` {
  private let fixture = ServiceFixture(
    model: ScriptedModel([.text(AgentScript.good), .text(AgentScript.good)]),
    retriever: FakeRetriever(AgentScript.context))

  private func propose(as user: Domain.User) async throws -> GenerateGoalResponse {
    let probe = fixture.generate(requireApproval: true, as: user)
    let messages = try await probe.all()
    #expect(await probe.end() == nil)
    #expect(messages.words.suffix(2) == ["findings 0", "proposal"])
    return try #require(messages.last)
  }

  @Test func `are stored as they are once approved`() async throws {
    let ada = fixture.user()
    let message = try await propose(as: ada)
    let proposal = try #require(message.proposal)
    #expect(proposal.planner == "model" && proposal.tasks.count == 3)
    #expect(proposal.citations.count == 3)
    #expect(!fixture.store.allEvents.contains { $0.type == "goal.created" })
    // Behind the proposal, a watcher waits for the answer.
    let watcher = fixture.watchRun(message.runId, cursor: message.cursor, as: ada)
    let response = try await fixture.resolve(message.runId, as: ada, key: "k")
    let result = try #require(response.result)
    #expect(result.goal?.title == proposal.title && result.citations == proposal.citations)
    #expect(try await fixture.getGoal(result.goal?.id, as: ada).tasks == result.tasks)
    let seen = try await watcher.all()
    #expect(seen.words == ["respond 1", "result"] && seen.last?.result?.goal == result.goal)
    // A repeat under the key gets the same; another answer is too late.
    let again = try await fixture.resolve(message.runId, as: ada, key: "k")
    #expect(again.result?.goal == result.goal && again.result?.receipt?.replayed == true)
    let error = await failure { try await fixture.resolve(message.runId, .reject, as: ada) }
    #expect(error.code == .failedPrecondition)
    #expect(fixture.store.allEvents.filter { $0.type == "goal.created" }.count == 1)
  }

  @Test func `can be edited within the hard rules`() async throws {
    let ada = fixture.user()
    let message = try await propose(as: ada)
    var edited = try #require(message.proposal)
    edited.title = "Mi API"
    edited.aiFeedback = "lo dijo el modelo"
    edited.planner = "retrieval"
    // Soft rules are the learner's business: this is not an action, and in another language.
    edited.tasks[0].title = "FastAPI, whatever"
    var broken = edited
    broken.tasks = Array(broken.tasks.prefix(2))
    #expect(
      await failure { try await fixture.resolve(message.runId, edited: broken, as: ada) }.code
        == .invalidArgument)
    broken = edited
    broken.tasks[1].title = "a\u{202e}b"
    let error = await failure { try await fixture.resolve(message.runId, edited: broken, as: ada) }
    #expect(error.decodedDetails.fieldViolations.first?.field == "edited.tasks[1].title")
    broken = edited
    broken.title = ""
    #expect(
      await failure { try await fixture.resolve(message.runId, edited: broken, as: ada) }.code
        == .invalidArgument)
    let result = try await fixture.resolve(message.runId, edited: edited, as: ada).result
    #expect(result?.goal?.title == "Mi API" && result?.planner == "model")
    #expect(result?.goal?.aiFeedback == message.proposal?.aiFeedback)
    #expect(result?.tasks.first?.title == "FastAPI, whatever")
    #expect(try await fixture.watchRun(message.runId, as: ada).all().last?.result == result)
  }

  @Test func `are dropped once rejected`() async throws {
    let ada = fixture.user()
    let message = try await propose(as: ada)
    #expect(
      await failure {
        try await fixture.resolve(message.runId, .reject, edited: message.proposal, as: ada)
      }.code == .invalidArgument)
    #expect(
      await failure { try await fixture.resolve(message.runId, .unspecified, as: ada) }.code
        == .invalidArgument)
    let response = try await fixture.resolve(message.runId, .reject, as: ada)
    #expect(response.result == nil)
    #expect(fixture.events(ofRun: message.runId).last == "ai.proposal_rejected")
    #expect(!fixture.store.allEvents.contains { $0.type == "goal.created" })
    let watcher = fixture.watchRun(message.runId, as: ada)
    _ = try await watcher.all()
    #expect(await watcher.end()?.code == .failedPrecondition)
  }

  @Test func `are nobody else's to see or answer`() async throws {
    let ada = fixture.user()
    let message = try await propose(as: ada)
    for other in [fixture.user(name: "Bea"), fixture.user(.instructor)] {
      let watcher = fixture.watchRun(message.runId, as: other)
      #expect(try await watcher.all().isEmpty)
      #expect(await watcher.end()?.code == .notFound)
      #expect(
        await failure { try await fixture.resolve(message.runId, as: other) }.code == .notFound)
    }
    let service = fixture.user(.service)
    #expect(try await fixture.watchRun(message.runId, as: service).all().last?.word == "proposal")
    #expect(try await fixture.resolve(message.runId, as: service).result != nil)
  }

  @Test func `are answered once, whoever is first`() async throws {
    let ada = fixture.user()
    let message = try await propose(as: ada)
    fixture.store.beforeNextCommit { [fixture] in
      _ = try? await fixture.resolve(message.runId, .reject, as: ada)
    }
    let error = await failure { try await fixture.resolve(message.runId, as: ada) }
    #expect(error.code == .failedPrecondition)
    #expect(!fixture.store.allEvents.contains { $0.type == "goal.created" })
  }
}
