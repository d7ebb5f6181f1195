internal import Domain
internal import RPC

/// Waits for several validations at once.
struct ValidationGroup: Sendable {
  private static let ringLimit = 500

  let calls: ValidationCalls
  let caller: Caller

  /// Tells of each validation once it has ended, in that order; one that is gone is passed over.
  ///
  /// - Parameter resumeCursor: where a client whose server goes away continues; nil where it cannot.
  func waitForAll(
    _ ids: Set<EntityID>, resumeCursor: () -> String?, ended: (FoundValidation) async throws -> Void
  ) async throws {
    var waiting = ids
    var position = calls.hub.head ?? 0
    while true {
      for id in waiting.sorted() {
        let found = try await found(id)
        if let found {
          guard found.run.status.hasEnded else { continue }
          try await ended(found)
        }
        waiting.remove(id)
      }
      if waiting.isEmpty { return }
      if calls.hub.isDraining { throw RPCError.draining(resumeCursor: resumeCursor()) }
      try await waitForNews(of: waiting, after: &position)
    }
  }

  private func found(_ id: EntityID) async throws(StoreError) -> FoundValidation? {
    try await calls.ports.validations.validation(id, scope: AccessScope(caller))
  }

  private func waitForNews(of ids: Set<EntityID>, after position: inout Int64) async throws {
    let news = LogNews(
      live: calls.hub, interval: calls.journal.options.followInterval,
      clock: calls.journal.options.clock)
    try await news.wait(ofAny: ids, after: &position)
  }
}
