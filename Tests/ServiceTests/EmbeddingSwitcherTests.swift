import Domain
import Logging
import Retrieval
import Service
import Synchronization
import Testing

/// Moving to another model ends, whatever the texts are.
@Suite struct EmbeddingSwitcherTests {
  /// Passages that lack the next model's vector, and what became of them.
  private final class Change: EmbeddingSwitch {
    struct State {
      var missing: [WaitingPassage]
      var completed: [StoredModel] = []
    }

    let state: Mutex<State>

    init(_ texts: [String]) {
      let missing = texts.enumerated().map { number, text in
        WaitingPassage(
          key: PassageKey(
            kind: .goal, entityID: EntityID(high: 1, low: UInt64(number)), chunkNumber: 0),
          content: text, contentHash: [], attemptCount: 0)
      }
      state = Mutex(State(missing: missing))
    }

    func begin(_ model: StoredModel) async throws(StoreError) {}

    func missing(
      after key: PassageKey?, limit: Int
    ) async throws(StoreError) -> [WaitingPassage] {
      state.withLock { state in
        Array(
          state.missing.filter { passage in
            key.map { passage.key.entityID.low > $0.entityID.low } ?? true
          }.prefix(limit))
      }
    }

    func storeNext(
      _ made: [MadeEmbedding], model: String, at now: Timestamp
    ) async throws(StoreError) {
      let keys = Set(made.map(\.key))
      state.withLock { $0.missing.removeAll { keys.contains($0.key) } }
    }

    func buildIndex() async throws(StoreError) {}
    func complete(_ model: StoredModel) async throws(StoreError) {
      state.withLock { $0.completed.append(model) }
    }
    func finish() async throws(StoreError) {}
  }

  /// Runs a switch until it is complete, or until its first error.
  private func run(_ change: Change, refusing texts: [String]) async throws -> String? {
    let fixture = ServiceFixture()
    let embedder = WordEmbedder(name: "next")
    for text in texts { embedder.refuse(text) }
    let switcher = EmbeddingSwitcher(
      desired: embedder, models: fixture.models, store: fixture.store, change: change,
      time: fixture.time, logger: Logger(label: "test"))
    let running = Task { try await switcher.run() }
    let end = ContinuousClock.now + .seconds(20)
    while change.state.withLock({ $0.completed.isEmpty }), switcher.lastError == nil {
      try #require(ContinuousClock.now < end, "waited in vain")
      await Task.yield()
    }
    running.cancel()
    _ = await running.result
    // The store of this test continues with the old model, and so does the switcher once it is
    // done.
    return change.state.withLock { $0.completed.isEmpty } ? switcher.lastError : nil
  }

  @Test func textsThatTheModelRefusesKeepNoSwitchFromEnding() async throws {
    let change = Change(["uno", "veneno", "tres", "cicuta"])
    #expect(try await run(change, refusing: ["veneno", "cicuta"]) == nil)
    let (left, completed) = change.state.withLock { ($0.missing.map(\.content), $0.completed) }
    #expect(left == ["veneno", "cicuta"] && completed.first?.name == "next")
  }

  @Test func aModelThatTakesNothingTakesNoPlace() async throws {
    let change = Change(["uno", "dos"])
    #expect(try await run(change, refusing: ["uno", "dos"]) != nil)
    #expect(change.state.withLock { $0.completed.isEmpty })
  }
}
