internal import Synchronization

/// A bell: ringing it any number of times lets one waiter go once. For one waiter at a time.
package final class WakeSignal: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  package init() {}

  package func ring() {
    let waiter = state.withLock { state in
      guard let waiter = state.waiter else {
        state.isRung = true
        return nil as CheckedContinuation<Void, Never>?
      }
      state.waiter = nil
      return waiter
    }
    waiter?.resume()
  }

  /// Returns when the bell was rung since the last wait, or the task is cancelled.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter
      }?.resume()
    }
  }

  /// The same, for at most `duration`.
  func wait(upTo duration: Duration, clock: any Clock<Duration>) async throws {
    await race(upTo: duration, clock: clock) { await self.wait() }
    try Task.checkCancellation()
  }
}

/// Runs `body`, which must end soon after its task is cancelled, for at most `duration`.
func race(
  upTo duration: Duration, clock: any Clock<Duration>, _ body: @escaping @Sendable () async -> Void
) async {
  await withTaskGroup(of: Void.self) { group in
    group.addTask { await body() }
    group.addTask { try? await clock.sleep(for: duration) }
    await group.next()
    group.cancelAll()
  }
}
