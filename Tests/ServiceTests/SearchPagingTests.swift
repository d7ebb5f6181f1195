import Contract
import Domain
import InMemoryStore
import RPC
import Service
import Synchronization
import Testing

/// How often a search goes back for texts when those of the best candidates are of no use.
@Suite struct SearchPagingTests {
  /// Withholds every text, as row-level security would.
  private final class WithholdingStore: RetrievalStore {
    let inner: InMemoryStore
    private let count = Mutex(0)

    init(_ inner: InMemoryStore) { self.inner = inner }

    var readCount: Int { count.withLock { $0 } }

    func readableCourses(of learnerID: EntityID) async throws(StoreError) -> [EntityID] {
      try await inner.readableCourses(of: learnerID)
    }

    func candidates(_ query: CandidateQuery) async throws(StoreError) -> CandidateOutcome {
      try await inner.candidates(query)
    }

    func passages(
      _ keys: [PassageKey], as learnerID: EntityID
    ) async throws(StoreError) -> [PassageKey: DescribedPassage] {
      count.withLock { $0 += 1 }
      return [:]
    }
  }

  @Test func manyCandidatesWithoutATextAreFewRoundTrips() async throws {
    let inner = InMemoryStore()
    let store = WithholdingStore(inner)
    let fixture = ServiceFixture(store: inner, retrieval: store)
    let ada = fixture.user()
    for number in 0..<400 { _ = try await fixture.createGoal("FastAPI \(number)", as: ada) }
    let found: SearchResponse = try await fixture.call(
      RetrievalServiceMethods.search,
      SearchRequest(
        query: "FastAPI", entityTypes: ["goal"], limit: 5, mode: .vector, minSimilarity: -1),
      as: ada)
    #expect(found.hits.isEmpty && found.abstained)
    // 40 candidates, then 160, then all of them; 20 texts, then 40, 80, ... of each.
    #expect(store.readCount == 2 + 4 + 5)
  }
}
