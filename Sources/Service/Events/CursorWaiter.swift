internal import Domain
internal import EventLog
internal import RPC

/// Reads of what a client wrote: `min_cursor`.
struct CursorWaiter: Sendable {
  /// How long a call without a deadline waits.
  static let defaultTimeout = Duration.seconds(10)
  private static let pollInterval = Duration.milliseconds(50)

  let log: any EventLog
  let hub: EventHub
  let cursors: CursorCodec
  let clock: any Clock<Duration>
  let limit: WaitLimit

  /// For reads of rows, which are made on the database that the write was committed to: a receipt
  /// is seen as soon as the client has it, so that only what it says is checked.
  func checkRowRead(_ minCursor: String) async throws {
    guard !minCursor.isEmpty else { return }
    switch try cursors.point(minCursor) {
    case .position(let place): try await check(place)
    case .event(let id, let epoch): try await checkKept(id, epoch)
    case .step: break
    }
  }

  /// For reads of the log: waits until the write is sequenced.
  func waitForLog(_ minCursor: String, _ context: CallContext) async throws {
    guard !minCursor.isEmpty else { return }
    _ = try await position(of: minCursor, context)
  }

  /// The position that a cursor or receipt names, waiting for a receipt's event to have one.
  func position(of text: String, _ context: CallContext) async throws -> Int64 {
    switch try cursors.point(text) {
    case .position(let place):
      try await check(place)
      return place.position
    case .event(let id, let epoch):
      return try await sequencedPosition(of: id, epoch, context)
    case .step(let id, _):
      return try await sequencedPosition(of: id, nil, context)
    }
  }

  private func sequencedPosition(
    of id: EntityID, _ epoch: UInt32?, _ context: CallContext
  ) async throws -> Int64 {
    var position: Int64 = 0
    try await wait(for: "log", context) {
      guard let sequenced = try await log.position(of: id) else {
        // It was committed before anybody had the receipt.
        if try await !log.contains(id) { throw try await lost(epoch) }
        return false
      }
      position = sequenced
      return true
    }
    return position
  }

  /// Asks again and again, woken by the log, until the part is there or the caller's time is up.
  func wait(
    for part: String, _ context: CallContext, until isThere: () async throws -> Bool
  ) async throws {
    if try await isThere() { return }
    try await HeldPlace.givenBack {
      try await limit.holding(context.principal) {
        try await keepAsking(for: part, context, until: isThere)
      }
    }
  }

  private func keepAsking(
    for part: String, _ context: CallContext, until isThere: () async throws -> Bool
  ) async throws {
    let deadline = waitDeadline(context)
    while true {
      let head = hub.head ?? 0
      if try await isThere() { return }
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero else { throw RPCError.lagging(part) }
      let hub = hub
      await race(upTo: min(left, Self.pollInterval), clock: clock) { await hub.wait(after: head) }
      try Task.checkCancellation()
    }
  }

  /// A little less than the call has: an answer of ours says more than the transport's.
  private func waitDeadline(_ context: CallContext) -> ContinuousClock.Instant {
    let now = ContinuousClock.now
    let left = context.timeLeft().map { $0 - min($0 / 10, .milliseconds(50)) }
    return now.advanced(by: min(left ?? Self.defaultTimeout, Self.defaultTimeout * 6))
  }
}
