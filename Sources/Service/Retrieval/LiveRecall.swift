internal import Domain
internal import Synchronization

/// How much of what an exact search finds those find that do not compare every vector: now and then
/// one of them is made again exactly, and compared.
package final class LiveRecall: Sendable {
  private struct State {
    var searches: UInt64 = 0
    var samples: Int64 = 0
    var found: Int64 = 0
    var existing: Int64 = 0
  }

  /// One in so many of those searches is sampled; the first is.
  private let interval: UInt64
  private let state = Mutex(State())

  package init(interval: UInt64 = 50) { self.interval = max(1, interval) }

  /// The share of the exact results that were found, and of how many samples; 1 before any.
  package var value: (recall: Double, sampleCount: Int64) {
    state.withLock { state in
      (state.existing == 0 ? 1 : Double(state.found) / Double(state.existing), state.samples)
    }
  }

  func sample(
    _ found: [Candidates], _ question: SearchQuestion, _ query: Searcher.Query,
    _ store: any RetrievalStore
  ) async {
    for (candidates, scope) in zip(found, question.scopes) where candidates.method.isApproximate {
      let isDue = state.withLock { state in
        state.searches += 1
        return (state.searches - 1) % interval == 0
      }
      guard isDue else { continue }
      let best = candidates.byMeaning.prefix(question.limit)
      // A sample that fails says nothing, and the search was made already.
      let exact = try? await store.candidates(
        CandidateQuery(
          scope: scope, vector: query.vector, words: nil, limit: best.count, mustBeExact: true))
      guard case .found(let exact)? = exact else { continue }
      let keys = Set(exact.byMeaning.map(\.key))
      state.withLock { state in
        state.samples += 1
        state.existing += Int64(keys.count)
        state.found += Int64(best.count { keys.contains($0.key) })
      }
    }
  }
}
