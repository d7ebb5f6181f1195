import Synchronization

/// Wakes one waiting task; a signal that nobody waits for is kept, and two are one.
final class WakeSignal: Sendable {
  private enum State {
    case quiet
    case signalled
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.quiet)

  func signal() {
    let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard case .waiting(let continuation) = state else {
        state = .signalled
        return nil
      }
      state = .quiet
      return continuation
    }
    waiter?.resume()
  }

  /// Returns after a signal, at `deadline`, or when the task is cancelled. One task at a time.
  func wait(until deadline: ContinuousClock.Instant) async {
    await withTaskGroup { group in
      group.addTask { try? await ContinuousClock().sleep(until: deadline) }
      group.addTask { await self.wait() }
      await group.next()
      // The other one ends by this: both look at cancellation.
      group.cancelAll()
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          if case .signalled = state {
            state = .quiet
            return true
          }
          if Task.isCancelled { return true }
          state = .waiting(continuation)
          return false
        }
        if isDone { continuation.resume() }
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
