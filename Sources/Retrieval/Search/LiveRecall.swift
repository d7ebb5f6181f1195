import Domain
import Synchronization

/// How much of what an exact search finds those find that do not compare every vector: now and then
/// one of them is made again exactly, and compared. Nobody waits for that.
package final class LiveRecall: Sendable {
  private struct State {
    var searches: UInt64 = 0
    var samples: Int64 = 0
    var found: Int64 = 0
    var existing: Int64 = 0
    /// The sample that is being taken: one at a time, because an exact search of a large scope is
    /// what the others avoid.
    var current: Task<Void, Never>?
  }

  /// One in so many of those searches is sampled; the first is. An exact search of a large scope takes
  /// some 30 ms of a core: one in 50 was a twentieth of what all of them took.
  private let interval: UInt64
  private let state = Mutex(State())

  package init(interval: UInt64 = 500) { self.interval = max(1, interval) }

  /// The share of the exact results that were found, and of how many samples; 1 before any.
  package var value: (recall: Double, sampleCount: Int64) {
    state.withLock { state in
      (state.existing == 0 ? 1 : Double(state.found) / Double(state.existing), state.samples)
    }
  }

  /// Returns when no sample is being taken.
  package func waitUntilIdle() async {
    await state.withLock { $0.current }?.value
  }

  /// Counts the searches of one question, and begins a sample where one is due.
  func count(
    _ found: [Candidates], _ question: SearchQuestion, vector: PassageEmbedding?,
    in store: any RetrievalStore
  ) {
    for (candidates, scope) in zip(found, question.scopes) where candidates.method.isApproximate {
      let best = candidates.byMeaning.prefix(question.limit).map(\.key)
      let query = CandidateQuery(
        scope: scope, vector: vector, words: nil, limit: best.count, mustBeExact: true)
      state.withLock { state in
        state.searches += 1
        guard (state.searches - 1) % interval == 0, state.current == nil else { return }
        state.current = Task { await self.sample(best, query, store) }
      }
    }
  }

  private func sample(
    _ best: [PassageKey], _ query: CandidateQuery, _ store: any RetrievalStore
  ) async {
    // A sample that fails says nothing, and the search was made already.
    let outcome = try? await store.candidates(query)
    state.withLock { state in
      state.current = nil
      guard case .found(let exact)? = outcome else { return }
      let keys = Set(exact.byMeaning.map(\.key))
      state.samples += 1
      state.existing += Int64(keys.count)
      state.found += Int64(best.count { keys.contains($0) })
    }
  }
}
