import Agents
import Contract
import Domain
import InMemoryStore
import Logging
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Runs of agents` {
  typealias Script = AgentScript

  private func fixture(
    _ lines: [ScriptedModel.Line], owner: String = "one", store: InMemoryStore = InMemoryStore(),
    _ change: (inout AgentOptions) -> Void = { _ in }
  ) -> (ServiceFixture, ScriptedModel) {
    let model = ScriptedModel(lines)
    var agents = AgentOptions()
    agents.owner = owner
    change(&agents)
    return (
      ServiceFixture(
        model: model, retriever: FakeRetriever(Script.context), agents: agents, store: store), model
    )
  }

  /// Reads until the first token of a model that hangs after it.
  private func untilToken(_ probe: GoalProbe) async throws -> [GenerateGoalResponse] {
    var messages: [GenerateGoalResponse] = []
    while let message = try await probe.next() {
      messages.append(message)
      if message.word == "token" { break }
    }
    return messages
  }

  @Test func `show what this build knows of what a later one did`() async throws {
    let (fixture, model) = fixture([.text(Script.good)])
    let ada = fixture.user()
    let first = try await fixture.generate(as: ada, key: "k").all()
    let id = try #require(first.first?.runId)
    try await fixture.relay()
    fixture.store.tamper { events, _ in
      guard var later = events.last(where: { $0.entityID.description == id }) else { return }
      later.id = EntityID(high: 77, low: 77)
      later.type = "ai.applauded"
      later.version += 1
      later.position += 1
      events.append(later)
    }
    #expect(try await fixture.watchRun(id, as: ada).all().words == first.words)
    #expect(try await fixture.generate(as: ada, key: "k").all().words == first.words)
    #expect(model.requests.count == 1)
  }

  @Test func `end with their call, and the model's call with them`() async throws {
    let (fixture, model) = fixture([.hang(["{"]), .text(Script.good)])
    let ada = fixture.user()
    let probe = fixture.generate(as: ada, key: "k")
    let messages = try await untilToken(probe)
    probe.cancel()
    #expect(await probe.end()?.code == .cancelled)
    #expect(model.cancelledCount == 1)
    let id = try #require(messages.first?.runId)
    #expect(
      fixture.events(ofRun: id) == [
        "ai.run_started", "ai.context_retrieved", "ai.run_cancelled",
      ])
    let watcher = fixture.watchRun(id, as: ada)
    #expect(try await watcher.all().words == ["retrieve 1", "context", "generate 1"])
    #expect(await watcher.end()?.code == .cancelled)
    // Under the same key the run continues with the node that had not finished.
    let again = try await fixture.generate(as: ada, key: "k").all()
    #expect(again.allSatisfy { $0.runId == id })
    #expect(
      again.words == [
        "retrieve 1", "context", "generate 1", "generate 1", "token", "validate 1", "findings 0",
        "persist 1", "respond 1", "result",
      ])
  }

  @Test func `end when nobody takes their steps any more`() async throws {
    let (fixture, model) = fixture([.text(Script.good)])
    // Credit for two messages: the third waits until the call is over.
    let probe = fixture.generate(as: fixture.user(), credit: 2)
    let first = try #require(try await probe.next())
    _ = try await probe.next()
    probe.cancel()
    #expect(await probe.end()?.code == .cancelled)
    #expect(model.requests.isEmpty)
    #expect(fixture.events(ofRun: first.runId).last == "ai.run_cancelled")
  }

  @Test func `whose caller leaves before the first step end as well`() async throws {
    let (fixture, model) = fixture([.text(Script.good)])
    let probe = fixture.generate(as: fixture.user(), credit: 0)
    while fixture.store.allEvents.last?.type != "ai.run_started" { await Task.yield() }
    probe.cancel()
    #expect(await probe.end()?.code == .cancelled)
    #expect(model.requests.isEmpty && fixture.store.allEvents.last?.type == "ai.run_cancelled")
  }

  @Test func `are let go, not cancelled, where the server goes away`() async throws {
    let (fixture, _) = fixture([.hang(["{"])])
    let ada = fixture.user()
    let probe = fixture.generate(as: ada)
    let messages = try await untilToken(probe)
    fixture.hub.drain()
    probe.cancel()
    let error = await probe.end()
    #expect(error?.code == .unavailable && error?.decodedDetails.reason == .draining)
    #expect(error?.resumeCursor == messages.last?.cursor)
    let id = try #require(EntityID(messages[0].runId))
    let run = try #require(fixture.store.run(id))
    #expect(run.status == .running)
    let (other, model) = self.fixture([.text(Script.good)], owner: "two", store: fixture.store)
    #expect(try await other.services.resumer.turn(isAlone: false) == 1)
    #expect(fixture.store.run(id)?.status == .completed && model.requests.count == 1)
    #expect(try await other.watchRun(messages[0].runId, as: ada).all().last?.word == "result")
  }

  @Test func `take no longer than they may`() async throws {
    let (fixture, model) = fixture([.hang([]), .text(Script.good)]) {
      $0.runTimeout = .milliseconds(30)
    }
    let ada = fixture.user()
    let probe = fixture.generate(as: ada, key: "k")
    let messages = try await probe.all()
    #expect(await probe.end()?.code == .deadlineExceeded)
    #expect(model.cancelledCount == 1)
    #expect(fixture.events(ofRun: messages.first?.runId).last == "ai.run_failed")
  }

  @Test func `keep their lease while the model thinks`() async throws {
    let (fixture, _) = fixture([.hang(["{"])]) { $0.heartbeatInterval = .milliseconds(1) }
    let probe = fixture.generate(as: fixture.user())
    let id = try #require(EntityID(try await untilToken(probe)[0].runId))
    let before = fixture.store.leaseEnd(ofRun: id)
    while fixture.store.leaseEnd(ofRun: id) == before { await Task.yield() }
    probe.cancel()
    _ = await probe.end()
  }

  /// The clock of the second server is an hour ahead or behind: the store's decides.
  @Test(arguments: [3600, -3600])
  func `are taken over when their lease ends, whatever the servers' clocks say`(
    _ difference: Int
  ) async throws {
    let storeTime = SteppingTime()
    let (fixture, _) = fixture([.hang(["{"])], store: InMemoryStore(clock: storeTime)) {
      $0.heartbeatInterval = .seconds(3600)
    }
    let probe = fixture.generate(as: fixture.user())
    let id = try #require(EntityID(try await untilToken(probe)[0].runId))
    let (other, _) = self.fixture([.text(Script.good)], owner: "two", store: fixture.store)
    other.time.advance(by: .seconds(difference))
    storeTime.advance(by: .seconds(29))
    #expect(try await other.services.resumer.turn(isAlone: false) == 0)
    storeTime.advance(by: .seconds(2))
    #expect(try await other.services.resumer.turn(isAlone: false) == 1)
    #expect(fixture.store.run(id)?.status == .completed)
    #expect(fixture.store.run(id)?.takeoverCount == 1)
    probe.cancel()
    _ = await probe.end()
  }

  @Test func `are left to whoever took them over`() async throws {
    let (fixture, model) = fixture([.hang(["{"])]) { $0.heartbeatInterval = .milliseconds(1) }
    let ada = fixture.user()
    let probe = fixture.generate(as: ada)
    let id = try #require(EntityID(try await untilToken(probe)[0].runId))
    let (other, _) = self.fixture([.text(Script.good)], owner: "two", store: fixture.store)
    #expect(try await other.services.resumer.turn(isAlone: true) == 1)
    // The first server notices at its next heartbeat, stops its model and follows the other.
    #expect(try await probe.all().last?.word == "result")
    #expect(await probe.end() == nil)
    #expect(model.cancelledCount == 1)
    #expect(fixture.store.run(id)?.takeoverCount == 1)
    #expect(fixture.store.allEvents.filter { $0.type == "goal.created" }.count == 1)
  }

  /// Whatever the moment at which its server was killed, a run comes to the same end, and a model
  /// that has answered is not asked again.
  @Test func `continue from every prefix of their events without a second model call`() async throws
  {
    let (whole, _) = fixture([.text(Script.short), .text(Script.good)])
    let ada = whole.user()
    let id = try #require(EntityID(try await whole.generate(as: ada).all()[0].runId))
    let events = whole.store.allEvents.filter { $0.entityID == id }
    let types = events.map(\.type)
    #expect(
      types == [
        "ai.run_started", "ai.context_retrieved", "ai.replied", "ai.proposal_checked", "ai.replied",
        "ai.proposal_checked", "ai.run_completed",
      ])
    for count in 1..<events.count {
      let store = InMemoryStore()
      store.seed(ada)
      var run = try #require(whole.store.run(id))
      run.status = .running
      run.version = Int64(count)
      run.lease = AgentLease(owner: "killed")
      store.seed(run, Array(events.prefix(count)))
      let replyCount = types.prefix(count).filter { $0 == "ai.replied" }.count
      let left: [ScriptedModel.Line] = [.text(Script.short), .text(Script.good)]
      let (fixture, model) = self.fixture(
        Array(left.dropFirst(replyCount)), owner: "next", store: store)
      #expect(try await fixture.services.resumer.turn(isAlone: false) == 1)
      #expect(store.run(id)?.status == .completed, "after \(count) events")
      #expect(model.requests.count == 2 - replyCount, "after \(count) events")
      #expect(fixture.events(ofRun: id.description) == types)
      #expect(store.allEvents.filter { $0.type == "goal.created" }.count == 1)
      #expect(try await fixture.services.resumer.turn(isAlone: true) == 0)
      let messages = try await fixture.watchRun(id.description, as: ada).all()
      let goal = try #require(messages.last?.result?.goal)
      #expect(try await fixture.getGoal(goal.id, as: ada).goal == goal)
    }
  }

  @Test func `that end every server that drives them are given up`() async throws {
    let (whole, _) = fixture([.text(Script.good)])
    let ada = whole.user()
    let id = try #require(EntityID(try await whole.generate(as: ada).all()[0].runId))
    let store = InMemoryStore()
    store.seed(ada)
    var run = try #require(whole.store.run(id))
    run.status = .running
    run.version = 1
    run.takeoverCount = AgentLimits.takeovers
    run.lease = AgentLease(owner: "killed")
    store.seed(run, Array(whole.store.allEvents.prefix(1)))
    let (fixture, model) = self.fixture([.text(Script.good)], owner: "next", store: store)
    #expect(try await fixture.services.resumer.turn(isAlone: false) == 1)
    #expect(store.run(id)?.status == .failed && model.requests.isEmpty)
  }

  @Test func `are found again under their key, also while they run`() async throws {
    let (fixture, model) = fixture([.text(Script.good)])
    let ada = fixture.user()
    let first = try await fixture.generate(as: ada, key: "k").all()
    let again = try await fixture.generate(as: ada, key: "k").all()
    guard case .result(let made) = first.last?.step, case .result(var found) = again.last?.step
    else { return #expect(Bool(false), "no result") }
    #expect(made.receipt?.replayed == false && found.receipt?.replayed == true)
    found.receipt?.replayed = false
    #expect(found == made && again.words == first.words)
    #expect(model.requests.count == 1)
    let other = fixture.generate("otra cosa", as: ada, key: "k")
    #expect(try await other.all().isEmpty)
    let error = try #require(await other.end())
    #expect(error.code == .alreadyExists && error.decodedDetails.reason == .keyConflict)
    // The same key of another caller is another one.
    let bea = fixture.user(name: "Bea")
    let theirs = fixture.generate(as: bea, key: "k")
    #expect(try await theirs.next()?.runId != first[0].runId)
    theirs.cancel()
    _ = await theirs.end()
  }

  @Test func `are followed live by a repeat of their call`() async throws {
    let (fixture, model) = fixture([.hang(["{"]), .text(Script.good)])
    let ada = fixture.user()
    let first = fixture.generate(as: ada, key: "k")
    let id = try await untilToken(first)[0].runId
    let second = fixture.generate(as: ada, key: "k")
    for word in ["retrieve 1", "context", "generate 1"] {
      let message = try await second.next()
      #expect(message?.word == word && message?.runId == id)
    }
    // The first call ends and with it the run; the second starts it again and drives it.
    first.cancel()
    #expect(await first.end()?.code == .cancelled)
    let rest = try await second.all()
    #expect(rest.words.first == "generate 1" && rest.last?.word == "result")
    #expect(model.requests.count == 2)
  }

  @Test func `are resumed after any cursor`() async throws {
    let (fixture, _) = fixture([.text(Script.short), .text(Script.good)])
    let ada = fixture.user()
    let all = try await fixture.generate(as: ada).all()
    let whole = try await fixture.watchRun(all[0].runId, as: ada).all()
    #expect(whole.words == all.words && whole.last == all.last)
    #expect(Set(whole.map(\.cursor)).count == whole.count)
    for (index, message) in whole.enumerated() {
      let watcher = fixture.watchRun(message.runId, cursor: message.cursor, as: ada)
      #expect(try await watcher.all() == Array(whole[(index + 1)...]), "after \(message.word)")
      #expect(await watcher.end() == nil)
    }
    // The text that came while the model wrote it comes again as a whole, behind its node.
    var node = ""
    for (index, message) in all.enumerated() {
      let rest = try await fixture.watchRun(
        message.runId, cursor: message.cursor, as: ada
      ).all()
      let missing = [GenerateGoalResponse](all[(index + 1)...]).words
      if message.word == "token" {
        #expect(rest.words.first == node && rest.words.contains("token"))
        #expect(
          rest.words.dropFirst().drop { $0 == "token" } == missing.drop { $0 == "token" }[...])
      } else {
        #expect(rest.words == missing, "after \(message.word)")
      }
      if case .nodeStarted = message.step { node = message.word }
    }
    let other = try await fixture.createGoal(as: ada)
    for cursor in ["c2_0", other.receipt?.cursor ?? "", ServiceFixture.cursors.cursor(1)] {
      let watcher = fixture.watchRun(all[0].runId, cursor: cursor, as: ada)
      #expect(try await watcher.all().isEmpty)
      #expect(await watcher.end()?.code == .outOfRange)
    }
    let nothing = fixture.watchRun(ada.id.description, as: ada)
    _ = try await nothing.all()
    #expect(await nothing.end()?.code == .notFound)
  }

  @Test func `are followed through the hub`() async throws {
    let (fixture, _) = fixture([.hang(["{"])])
    let ada = fixture.user()
    let driven = fixture.generate(as: ada)
    let id = try await untilToken(driven)[0].runId
    try await fixture.relay()
    let watcher = fixture.watchRun(id, as: ada)
    for _ in 0..<3 { _ = try await watcher.next() }
    driven.cancel()
    _ = await driven.end()
    try await fixture.relay()
    #expect(try await watcher.all().isEmpty)
    #expect(await watcher.end()?.code == .cancelled)
    let late = fixture.watchRun(id, as: ada)
    fixture.hub.drain()
    _ = try await late.all()
    #expect(await late.end()?.code == .cancelled)
  }

  @Test func `are followed to their end by a repeated call, also while the server goes away`()
    async throws
  {
    let (fixture, _) = fixture([.hang(["{"])])
    let ada = fixture.user()
    let first = fixture.generate(as: ada, key: "k")
    let id = try await untilToken(first)[0].runId
    let second = fixture.generate(as: ada, key: "k")
    for _ in 0..<3 { _ = try await second.next() }
    let watcher = fixture.watchRun(id, as: ada)
    for _ in 0..<3 { _ = try await watcher.next() }
    fixture.hub.drain()
    // Whoever only watches continues elsewhere at once, and knows where.
    #expect(try await watcher.all().isEmpty)
    let error = await watcher.end()
    #expect(error?.decodedDetails.reason == .draining)
    #expect(error?.resumeCursor?.isEmpty == false)
    // The run is let go by its call; another server takes it.
    first.cancel()
    _ = await first.end()
    let (other, _) = self.fixture([.text(Script.good)], owner: "two", store: fixture.store)
    other.time.advance(by: .seconds(1))
    #expect(try await other.services.resumer.turn(isAlone: false) == 1)
    #expect(try await second.all().last?.word == "result")
    #expect(await second.end() == nil)
  }

  @Test func `of damaged events are an error, not a wrong answer`() async throws {
    let (whole, _) = fixture([.text(Script.good)])
    let ada = whole.user()
    let id = try #require(EntityID(try await whole.generate(as: ada).all()[0].runId))
    let events = whole.store.allEvents.filter { $0.entityID == id }
    for damage in [{ $0.remove(at: 1) }, { $0[1].payload = "{}" }, { $0.swapAt(1, 2) }]
      as [(inout [StoredEvent]) -> Void]
    {
      let store = InMemoryStore()
      store.seed(ada)
      var damaged = events
      damage(&damaged)
      for index in damaged.indices where damaged.count == events.count {
        damaged[index].version = Int64(index) + 1
      }
      store.seed(try #require(whole.store.run(id)), damaged)
      let (fixture, _) = self.fixture([], store: store)
      let watcher = fixture.watchRun(id.description, as: ada)
      _ = try await watcher.all()
      #expect(await watcher.end()?.code == .internal)
    }
  }
}
