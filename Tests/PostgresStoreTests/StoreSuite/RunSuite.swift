import Agents
import Domain
import Retrieval
import Testing

/// Runs of agents, their leases, and what was used of models.
@Suite struct RunSuite {
  static let lease = AgentLease(owner: "one", duration: .seconds(30))

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
      var run = try await Self.add(store, learner: ada)
      // What is read has no lease to give.
      run.lease.duration = .zero
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
      let two = AgentLease(owner: "two", duration: .seconds(60))
      #expect(try await runs.abandoned(by: "two", isAlone: false, limit: 9).isEmpty)
      #expect(try await runs.takeOver(run.id, two, isAlone: false) == nil)
      #expect(try await runs.renew(two, ofRun: run.id) == false)
      try await store.letTimePass(.seconds(20))
      #expect(try await runs.renew(Self.lease, ofRun: run.id))
      try await store.letTimePass(.seconds(20))
      #expect(try await runs.abandoned(by: "two", isAlone: false, limit: 9).isEmpty)
      // Where no other server exists, the lease of one that was killed is worth nothing.
      let left = try await runs.abandoned(by: "two", isAlone: true, limit: 9)
      #expect(left.map(\.overFor) == [.zero])
      #expect(try await runs.abandoned(by: "one", isAlone: true, limit: 9).isEmpty)
      try await store.letTimePass(.seconds(40))
      let over = try await runs.abandoned(by: "two", isAlone: false, limit: 9)
      #expect(over.allSatisfy { $0.overFor >= .seconds(30) && $0.overFor < .seconds(3000) })
      #expect(over.map(\.id) == [run.id])
      // Two servers at once: one of them gets it.
      async let first = runs.takeOver(run.id, two, isAlone: false)
      async let second = runs.takeOver(
        run.id, AgentLease(owner: "three", duration: two.duration), isAlone: false)
      let taken = [try await first, try await second].compactMap { $0 }
      #expect(taken.count == 1 && taken.first?.takeoverCount == 1)
      #expect(try await runs.renew(Self.lease, ofRun: run.id) == false)
      // Let go early, it is free at once.
      try await runs.release(ofRun: run.id, owner: "nobody")
      #expect(try await runs.abandoned(by: "one", isAlone: false, limit: 9).isEmpty)
      let owner = try #require(taken.first).lease.owner
      try await runs.release(ofRun: run.id, owner: owner)
      #expect(try await runs.abandoned(by: "one", isAlone: false, limit: 9).count == 1)
    }
  }

  /// A step takes the lease from its own commit, whatever the time that the server wrote into the run;
  /// a change by whoever only read the run gives none.
  @Test(arguments: StoreKind.allCases)
  func aStepExtendsTheLeaseByTheStoresClock(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      var run = try await Self.add(store, learner: ada)
      func step(at time: Timestamp) async throws {
        let before = run.version
        let event = run.record(
          .modelFailed(AgentFailure(.modelUnavailable), attempt: 1), id: store.ids.next(at: time),
          at: time, metadata: .object([]))
        let write = Write(changes: [.updateRun(run, after: before)], events: [event], reply: nil)
        #expect(try await store.writes.commit(write) == .committed)
      }
      func isFree() async throws -> Bool {
        try await store.runs.abandoned(by: "two", isAlone: false, limit: 9).count == 1
      }
      // The server's clock is an hour behind, then an hour ahead.
      for difference in [-3600, 3600] {
        try await store.letTimePass(.seconds(20))
        try await step(at: StoreFixture.start.advanced(by: .seconds(difference)))
        try await store.letTimePass(.seconds(20))
        #expect(try await isFree() == false)
      }
      run.lease.duration = .zero
      try await step(at: StoreFixture.start)
      #expect(try await isFree() == false)
      try await store.letTimePass(.seconds(11))
      #expect(try await isFree())
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
        run.id, AgentLease(owner: "two", duration: .seconds(30)), isAlone: true)
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
