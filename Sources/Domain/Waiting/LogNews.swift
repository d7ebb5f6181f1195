/// Waits for something to happen to entities.
package struct LogNews: Sendable {
  private static let ringLimit = 500

  private let live: any LiveLog
  private let interval: Duration
  private let clock: any Clock<Duration>

  /// - Parameter interval: how often whoever waits is to look itself, whatever the live end says.
  package init(live: any LiveLog, interval: Duration, clock: any Clock<Duration>) {
    self.live = live
    self.interval = interval
    self.clock = clock
  }

  /// - Returns: false where nothing was heard of it for a while.
  @discardableResult
  package func wait(of id: EntityID, after position: inout Int64) async throws -> Bool {
    try await wait(ofAny: [id], after: &position)
  }

  /// - Returns: false where nothing was heard of any of them for a while.
  @discardableResult
  package func wait(ofAny ids: Set<EntityID>, after position: inout Int64) async throws -> Bool {
    while true {
      try Task.checkCancellation()
      switch live.events(after: position, limit: Self.ringLimit) {
      case .events(let events):
        position = events.last?.position ?? position
        if events.contains(where: { ids.contains($0.entityID) }) { return true }
      case .gone:
        position = live.head ?? position
        return true
      case .empty:
        let (live, last) = (live, position)
        if live.isDraining {
          // The live end waits for nothing any more.
          try await clock.sleep(for: interval)
        } else {
          await race(upTo: interval, clock: clock) {
            await live.wait(after: last)
          }
        }
        if live.isDraining || (live.head ?? 0) <= last { return false }
      }
    }
  }
}
