import Synchronization

/// A bell: ringing it any number of times lets one waiter go once. For one waiter at a time.
package final class WakeSignal: Sendable {
  private enum State {
    case quiet
    case rung
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.quiet)

  package init() {}

  package func ring() {
    let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard case .waiting(let continuation) = state else {
        state = .rung
        return nil
      }
      state = .quiet
      return continuation
    }
    waiter?.resume()
  }

  /// Returns when the bell was rung since the last wait, after `duration`, or when the task is
  /// cancelled.
  package func wait(upTo duration: Duration, clock: any Clock<Duration>) async {
    await race(upTo: duration, clock: clock) { await self.wait() }
  }

  /// Returns when the bell was rung since the last wait, or when the task is cancelled.
  package func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if case .rung = state {
            state = .quiet
            return true
          }
          if Task.isCancelled { return true }
          state = .waiting(continuation)
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
        guard case .waiting(let continuation) = state else { return nil }
        state = .quiet
        return continuation
      }
      waiter?.resume()
    }
  }
}
