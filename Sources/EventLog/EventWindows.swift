package import Domain

/// The log as subscribers read it that want a part of it: each reads what leads to that part, a few
/// of them at a time, however many come at once, by turns of their callers.
package final class EventWindows: Sendable {
  package struct Page: Sendable {
    package let events: [SharedEvent]
    /// Up to here the log has nothing more that may be wanted.
    package let completeTo: Int64
  }

  private static let limits = WindowLimits(
    eventCount: 100, byteCount: 256 << 10, lookedCount: 1000)
  /// How many subscribers read at a time.
  private static let readerMax = 8
  /// More than the streams that a server may have.
  private static let waitingMax = 1_000_000

  private let log: any EventLog
  private let hub: EventHub
  private let places = FairQueue<EntityID>(insideMax: readerMax, waitingMax: waitingMax)

  /// - Parameter hub: of the same log; it is told of a new epoch that a read finds.
  package init(_ log: any EventLog, hub: EventHub) {
    self.log = log
    self.hub = hub
  }

  /// The next events after `position`; at most up to `through`, which the log has reached.
  package func page(
    after position: Int64, through: Int64, _ filter: EventFilter, _ scope: AccessScope
  ) async throws(StoreError) -> Page {
    switch await places.enter(scope.callerID, until: nil) {
    case .entered: break
    case .cancelled, .expired: throw .cancelled
    case .refused, .overdue:
      throw .unavailable("too many subscribers read the log", maybeCommitted: false)
    }
    defer { places.leave(scope.callerID) }
    let window = EventWindow(after: position, through: through, filter: filter)
    return try await load(window, scope).get()
  }

  /// Off the event loop of whoever asks, as the pages of the whole log.
  private func load(
    _ window: EventWindow, _ scope: AccessScope
  ) async -> Result<Page, StoreError> {
    await withTaskExecutorPreference(globalConcurrentExecutor) {
      do throws(StoreError) {
        let page = try await log.events(in: window, limits: Self.limits, scope: scope)
        if let epoch = page.epoch { try await hub.follow(epoch, of: log) }
        return .success(
          Page(events: page.events.map(SharedEvent.init), completeTo: page.completeTo))
      } catch {
        return .failure(error)
      }
    }
  }

  /// The last position of the log.
  package func head() async throws(StoreError) -> Int64 { try await log.head() }
}
