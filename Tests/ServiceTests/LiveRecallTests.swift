import Contract
import Domain
import InMemoryStore
import RPC
import Retrieval
import Service
import Synchronization
import Testing

/// How good the searches are that do not compare everything, as the server itself tells.
@Suite struct LiveRecallTests {
  /// Passes over the nearest one unless it must not; can be away, or slow, when it must not.
  private final class HastyStore: RetrievalStore {
    let inner: InMemoryStore
    private let exactCount = Mutex(0)
    private let isAway = Mutex(false)
    private let gate: AsyncStream<Void>?

    init(_ inner: InMemoryStore, gate: AsyncStream<Void>? = nil) {
      self.inner = inner
      self.gate = gate
    }

    var exactSearches: Int { exactCount.withLock { $0 } }
    func leave() { isAway.withLock { $0 = true } }

    func readableCourses(of learnerID: EntityID) async throws(StoreError) -> [EntityID] {
      try await inner.readableCourses(of: learnerID)
    }

    func candidates(_ query: CandidateQuery) async throws(StoreError) -> CandidateOutcome {
      let outcome = try await inner.candidates(query)
      guard case .found(var found) = outcome else { return outcome }
      guard !query.mustBeExact else {
        exactCount.withLock { $0 += 1 }
        if let gate { for await _ in gate { break } }
        if isAway.withLock({ $0 }) { throw .unavailable("away", maybeCommitted: false) }
        return .found(found)
      }
      found.byMeaning = Array(found.byMeaning.dropFirst())
      found.method = .quantized
      return .found(found)
    }

    func passages(
      _ keys: [PassageKey], as learnerID: EntityID
    ) async throws(StoreError) -> [PassageKey: DescribedPassage] {
      try await inner.passages(keys, as: learnerID)
    }
  }

  private static let request = SearchRequest(
    query: "FastAPI", entityTypes: ["goal"], limit: 2, mode: .vector, minSimilarity: -1)

  private func search(_ fixture: ServiceFixture, as user: Domain.User) async throws -> String {
    let found: SearchResponse = try await fixture.call(
      RetrievalServiceMethods.search, Self.request, as: user)
    #expect(found.hits.count == 2)
    return found.method
  }

  private func fixture(
    _ recall: LiveRecall, gate: AsyncStream<Void>? = nil
  ) async throws -> (ServiceFixture, HastyStore, Domain.User) {
    let inner = InMemoryStore()
    let store = HastyStore(inner, gate: gate)
    let fixture = ServiceFixture(store: inner, retrieval: store, liveRecall: recall)
    let ada = fixture.user()
    for title in ["FastAPI", "FastAPI Django", "FastAPI Django Flask"] {
      _ = try await fixture.createGoal(title, as: ada)
    }
    return (fixture, store, ada)
  }

  @Test func oneInSoManyIsComparedWithAnExactSearch() async throws {
    let recall = LiveRecall(interval: 3)
    let (fixture, store, ada) = try await fixture(recall)
    #expect(recall.value == (1, 0))
    for _ in 0..<4 {
      #expect(try await search(fixture, as: ada) == "quantized")
      await recall.waitUntilIdle()
    }
    // The nearest two are the first and the second; found were the second and the third.
    #expect(recall.value == (0.5, 2) && store.exactSearches == 2)
  }

  @Test func nobodyWaitsForASampleAndThereIsOneAtATime() async throws {
    let recall = LiveRecall(interval: 1)
    let (gate, opener) = AsyncStream.makeStream(of: Void.self)
    let (fixture, store, ada) = try await fixture(recall, gate: gate)
    for _ in 0..<3 { _ = try await search(fixture, as: ada) }
    #expect(recall.value == (1, 0), "the answers came before the sample")
    opener.finish()
    await recall.waitUntilIdle()
    #expect(recall.value == (0.5, 1) && store.exactSearches == 1)
  }

  @Test func aSampleThatFailsSaysNothing() async throws {
    let recall = LiveRecall(interval: 1)
    let (fixture, store, ada) = try await fixture(recall)
    store.leave()
    #expect(try await search(fixture, as: ada) == "quantized")
    await recall.waitUntilIdle()
    #expect(recall.value == (1, 0) && store.exactSearches == 1)
  }
}
