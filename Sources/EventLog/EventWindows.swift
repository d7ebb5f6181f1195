package import Domain
internal import Synchronization

/// The log as subscribers read it that want a part of it: each reads what leads to that part, a few
/// of them at a time, however many come at once.
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

  private let log: any EventLog
  private let hub: EventHub
  private let places = Turnstile(count: readerMax)

  /// - Parameter hub: of the same log; it is told of a new epoch that a read finds.
  package init(_ log: any EventLog, hub: EventHub) {
    self.log = log
    self.hub = hub
  }

  /// The next events after `position`; at most up to `through`, which the log has reached.
  package func page(
    after position: Int64, through: Int64, _ filter: EventFilter, _ scope: AccessScope
  ) async throws(StoreError) -> Page {
    guard await places.enter() else { throw .cancelled }
    defer { places.leave() }
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

/// Lets so many in at a time, in the order in which they came.
final class Turnstile: Sendable {
  private struct State {
    var freeCount: Int
    var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    /// The waiters in order, and some that have gone.
    var order: ArraySlice<UInt64> = []
    var last: UInt64 = 0
  }

  private let state: Mutex<State>

  init(count: Int) { state = Mutex(State(freeCount: max(1, count))) }

  /// How many wait.
  var waiterCount: Int { state.withLock { $0.waiters.count } }

  /// False where the task was cancelled: then nobody is to leave.
  func enter() async -> Bool {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Bool? = state.withLock { state in
          if Task.isCancelled { return false }
          if state.freeCount > 0 {
            state.freeCount -= 1
            return true
          }
          state.waiters[id] = continuation
          state.order.append(id)
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
    }
  }

  func leave() {
    let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
      while let id = state.order.popFirst() {
        if let waiter = state.waiters.removeValue(forKey: id) { return waiter }
      }
      state.order = []
      state.freeCount += 1
      return nil
    }
    next?.resume(returning: true)
  }
}
