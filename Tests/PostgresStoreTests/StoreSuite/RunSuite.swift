import Agents
import Domain
import Retrieval
import Testing

/// Runs of agents, their leases, and what was used of models.
@Suite struct RunSuite {
  static let lease = AgentLease(
    owner: "one", until: StoreFixture.start.advanced(by: .seconds(30)))

  private static func newRun(_ store: any TestedStore, learner: User) -> AgentRun {
    AgentRun(
      id: store.ids.next(at: StoreFixture.start), learnerID: learner.id, callerID: learner.id,
      request: .goal(
        .init(
          prompt: "Aprender \"FastAPI\" \\ñ", courseID: nil, language: "es", requiresApproval: true)
      ),
      lease: lease, createdAt: StoreFixture.start, updatedAt: StoreFixture.start)
  }

  /// Commits a run with its first event.
  static func add(_ store: any TestedStore, learner: User) async throws -> AgentRun {
    var run = newRun(store, learner: learner)
    let event = run.record(
      .started(model: "m"), id: store.ids.next(at: StoreFixture.start), at: StoreFixture.start,
      metadata: .object([]))
    let outcome = try await store.writes.commit(
      Write(changes: [.insertRun(run)], events: [event], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return run
  }

  @Test(arguments: StoreKind.allCases)
  func aRunReadsBackForItsLearnerAlone(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let admin = try await store.addUser("Root", role: .admin)
      let run = try await Self.add(store, learner: ada)
      let runs = store.runs
      #expect(try await runs.run(run.id, scope: AccessScope(ada)) == run)
      #expect(try await runs.run(run.id, scope: AccessScope(admin)) == run)
      #expect(try await runs.run(run.id, scope: AccessScope(bob)) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func eventsComeInOrderBehindAVersion(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      var run = try await Self.add(store, learner: ada)
      let failure = AgentFailure(.modelUnavailable)
      for event in [
        AgentRunEvent.contextRetrieved(AgentContext()), .modelFailed(failure, attempt: 1),
        .failed(failure),
      ] {
        let before = run.version
        let new = run.record(
          event, id: store.ids.next(at: StoreFixture.start), at: StoreFixture.start,
          metadata: .object([]))
        let write = Write(
          changes: [.updateRun(run, after: before)], events: [new], reply: nil)
        #expect(try await store.writes.commit(write) == .committed)
        // Whoever read it before that decides again.
        #expect(try await store.writes.commit(write) == .stale)
      }
      let runs = store.runs
      let all = try await runs.events(
        ofRun: run.id, after: 0, limit: 100, scope: AccessScope(ada))
      #expect(all.map(\.version) == [1, 2, 3, 4])
      let some = try await runs.events(
        ofRun: run.id, after: 1, limit: 2, scope: AccessScope(ada))
      #expect(some.map(\.version) == [2, 3])
      #expect(try await runs.run(run.id, scope: AccessScope(ada))?.status == .failed)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aLeaseIsKeptByItsOwnerAndTakenOverOnceItIsOver(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let run = try await Self.add(store, learner: ada)
      let runs = store.runs
      let (start, end) = (StoreFixture.start, Self.lease.until)
      let later = AgentLease(owner: "two", until: end.advanced(by: .seconds(60)))
      #expect(try await runs.abandoned(by: "two", isAlone: false, at: start, limit: 9).isEmpty)
      #expect(try await runs.takeOver(run.id, later, isAlone: false, at: start) == nil)
      #expect(try await runs.renew(later, ofRun: run.id) == false)
      #expect(try await runs.renew(Self.lease, ofRun: run.id))
      // Where no other server exists, the lease of one that was killed is worth nothing.
      #expect(try await runs.abandoned(by: "two", isAlone: true, at: start, limit: 9).count == 1)
      #expect(try await runs.abandoned(by: "one", isAlone: true, at: start, limit: 9).isEmpty)
      #expect(try await runs.abandoned(by: "two", isAlone: false, at: end, limit: 9).count == 1)
      // Two servers at once: one of them gets it.
      async let first = runs.takeOver(run.id, later, isAlone: false, at: end)
      async let second = runs.takeOver(
        run.id, AgentLease(owner: "three", until: later.until), isAlone: false, at: end)
      let taken = [try await first, try await second].compactMap { $0 }
      #expect(taken.count == 1 && taken.first?.takeoverCount == 1)
      #expect(try await runs.renew(Self.lease, ofRun: run.id) == false)
      // Let go early, it is free at once.
      try await runs.release(ofRun: run.id, owner: "nobody", at: end)
      #expect(try await runs.abandoned(by: "one", isAlone: false, at: end, limit: 9).isEmpty)
      let owner = try #require(taken.first).lease.owner
      try await runs.release(ofRun: run.id, owner: owner, at: end)
      #expect(try await runs.abandoned(by: "one", isAlone: false, at: end, limit: 9).count == 1)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aRunThatHasEndedIsNobodysToTake(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      var run = try await Self.add(store, learner: ada)
      let event = run.record(
        .cancelled, id: store.ids.next(at: StoreFixture.start), at: StoreFixture.start,
        metadata: .object([]))
      _ = try await store.writes.commit(
        Write(changes: [.updateRun(run, after: 1)], events: [event], reply: nil))
      let runs = store.runs
      #expect(try await runs.renew(Self.lease, ofRun: run.id) == false)
      let taken = try await runs.takeOver(
        run.id, AgentLease(owner: "two", until: Self.lease.until), isAlone: true,
        at: Self.lease.until)
      #expect(taken == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func usageOfModelsAddsUpByCallerAndHour(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let usage = store.usages
      let start = StoreFixture.start
      let once = ModelUsage(promptTokenCount: 10, replyTokenCount: 5, costMicros: 7)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 { group.addTask { try await usage.record(once, of: ada.id, at: start) } }
        try await group.waitForAll()
      }
      try await usage.record(once, of: ada.id, at: start.advanced(by: .seconds(7200)))
      #expect(
        try await usage.usage(of: ada.id, since: start)
          == ModelUsage(promptTokenCount: 210, replyTokenCount: 105, costMicros: 147))
      #expect(
        try await usage.usage(of: ada.id, since: start.advanced(by: .seconds(7200))) == once)
      #expect(try await usage.usage(of: bob.id, since: start) == ModelUsage())
    }
  }
}
