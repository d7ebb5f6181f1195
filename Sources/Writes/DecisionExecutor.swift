package import Domain
package import JSON
package import Retrieval

/// The one way in which anything is written: read, decide, commit; and again where the state moved
/// on in between. No lock is held while a decision is made.
///
/// A repeat of a keyed request needs no look-up of its own: the commit finds the first reply before
/// it writes anything. Only where the repeat is refused, or has nothing to change, on a state that the
/// first time made, the reply is looked for.
package struct DecisionExecutor: Sendable {
  /// How often a decision is made before the caller hears of contention: with the pauses between
  /// them about a second, in which dozens of writers of one goal all have their turn.
  package static let attemptMax = 20

  package let clock: any TimeSource
  package let ids: any IDGenerator
  private let store: any WriteStore
  /// Told after each commit.
  private let committed: @Sendable () -> Void
  /// Told after each commit of a user's what it stored.
  private let stored: @Sendable (Int64, EntityID) -> Void
  /// Lets what is written be found.
  private let indexer: PassageIndexer
  /// Waits before the next attempt, given how many there were.
  private let pause: @Sendable (Int) async throws -> Void

  package init(
    store: any WriteStore, clock: any TimeSource, ids: any IDGenerator,
    committed: @escaping @Sendable () -> Void, indexer: PassageIndexer,
    pause: @escaping @Sendable (Int) async throws -> Void,
    stored: @escaping @Sendable (Int64, EntityID) -> Void = { _, _ in }
  ) {
    self.store = store
    self.clock = clock
    self.ids = ids
    self.committed = committed
    self.indexer = indexer
    self.pause = pause
    self.stored = stored
  }

  /// - Parameters:
  ///   - request: under which the reply is remembered; nil where a repeat is to write again.
  ///   - metadata: what the events say of where they come from.
  ///   - chargedTo: whose bytes it is that are stored; nil for the server's own writes.
  ///   - retriesDuplicates: whether a taken unique value means that another writer made the same
  ///     thing just now: the decision is made again and finds it.
  ///   - encode: makes the bytes that a repeat gets.
  ///   - mayRepeat: whether a request that is refused now, for this reason, gets the reply of its first
  ///     time all the same.
  package func perform<Response>(
    _ request: RequestKey?, metadata: JSONValue, chargedTo: EntityID? = nil,
    retriesDuplicates: Bool = false,
    encode: (Response) -> [UInt8],
    mayRepeat: (any Error, [UInt8]) async throws -> Bool = { _, _ in true },
    _ decide: (ChangeContext) async throws -> Decision<Response>
  ) async throws -> Written<Response> {
    let memory = PassageIndexer.Memory()
    for attempt in 1...Self.attemptMax {
      if attempt > 1 { try await pause(attempt - 1) }
      let decision: Decision<Response>
      do {
        decision = try await decide(ChangeContext(now: clock.now(), ids: ids, metadata: metadata))
      } catch {
        if error is StoreError { throw error }
        if let request, let reply = try await reply(to: request),
          try await mayRepeat(error, reply)
        {
          return .repeated(reply)
        }
        throw error
      }
      if decision.changes.isEmpty, decision.events.isEmpty, request == nil || !decision.isRemembered
      {
        // Nothing happened that must not happen twice: the key stays free. Where nothing is left to
        // change because the first time did, that one's reply is the answer.
        if let request, let reply = try await reply(to: request) { return .repeated(reply) }
        return .committed(decision.response)
      }
      let reply = request.map { KeyedReply(request: $0, reply: encode(decision.response)) }
      switch try await commit(
        decision, reply, chargedTo, memory, retriesDuplicates: retriesDuplicates)
      {
      case .committed: return .committed(decision.response)
      case .stale: continue
      case .replayed(let bytes): return .repeated(bytes)
      case .keyConflict: throw WriteError.keyConflict
      }
    }
    throw WriteError.contention
  }

  /// Commits what was decided on a state that the caller holds, once.
  ///
  /// - Parameter chargedTo: whose bytes it is counted in.
  /// - Returns: false where that state has changed: nothing was written.
  package func commit(
    changes: [Change], events: [NewEvent], chargedTo: EntityID
  ) async throws(StoreError) -> Bool {
    let decision = Decision(changes: changes, events: events, response: ())
    return try await commit(
      decision, nil, chargedTo, PassageIndexer.Memory(), retriesDuplicates: false) == .committed
  }

  private func commit<Response>(
    _ decision: Decision<Response>, _ reply: KeyedReply?, _ chargedTo: EntityID?,
    _ memory: PassageIndexer.Memory, retriesDuplicates: Bool
  ) async throws(StoreError) -> CommitOutcome {
    let passages = await indexer.changes(for: decision.changes, memory)
    let write = Write(
      changes: decision.changes + passages, events: decision.events, reply: reply,
      chargedTo: chargedTo)
    let outcome: CommitOutcome
    do throws(StoreError) {
      outcome = try await store.commit(write)
    } catch {
      if case .duplicate = error, retriesDuplicates { return .stale }
      throw error
    }
    if outcome == .committed {
      committed()
      if let chargedTo { stored(write.storedByteCount, chargedTo) }
    }
    return outcome
  }

  /// What a request was answered with when it was committed before; nil where it was not.
  package func reply(to request: RequestKey) async throws -> [UInt8]? {
    switch try await store.reply(to: request) {
    case .reply(let bytes): return bytes
    case .otherRequest: throw WriteError.keyConflict
    case nil: return nil
    }
  }

  /// Whether the key has a reply already, of this request or of another one.
  package func isTaken(_ request: RequestKey) async throws(StoreError) -> Bool {
    try await store.reply(to: request) != nil
  }
}
