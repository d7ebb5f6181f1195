import Synchronization

/// Lets a bounded number of calls in at once and a bounded number wait, first come, first served.
///
/// Ours, because a busy local server never sends anybody away: its requests just queue.
package final class CallGate: Sendable {
  package enum Entry: Sendable, Hashable {
    /// The caller is in, and calls `leave` exactly once.
    case entered
    case refused
    case cancelled
  }

  private struct State {
    var insideCount = 0
    var nextTicket: UInt64 = 0
    var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Entry, Never>)] = []
    /// Cancelled before they waited.
    var cancelled: Set<UInt64> = []
  }

  private let insideMax: Int
  private let waitingMax: Int
  private let state = Mutex(State())

  package init(insideMax: Int, waitingMax: Int) {
    self.insideMax = max(insideMax, 1)
    self.waitingMax = max(waitingMax, 0)
  }

  /// Calls that wait now.
  package var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// Waits for a place. Cancelling the task ends the wait at once.
  package func enter() async -> Entry {
    let ticket = state.withLock { state in
      state.nextTicket += 1
      return state.nextTicket
    }
    let entry = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if let entry = arrive(ticket, continuation) { continuation.resume(returning: entry) }
      }
    } onCancel: {
      cancel(ticket)
    }
    _ = state.withLock { $0.cancelled.remove(ticket) }
    return entry
  }

  package func leave() {
    let next = state.withLock { state -> CheckedContinuation<Entry, Never>? in
      guard !state.waiting.isEmpty else {
        state.insideCount -= 1
        return nil
      }
      // The place goes over to the next one: the count stays.
      return state.waiting.removeFirst().continuation
    }
    next?.resume(returning: .entered)
  }

  /// Nil: the caller waits.
  private func arrive(
    _ ticket: UInt64, _ continuation: CheckedContinuation<Entry, Never>
  ) -> Entry? {
    state.withLock { state in
      if state.cancelled.contains(ticket) { return .cancelled }
      if state.insideCount < insideMax {
        state.insideCount += 1
        return .entered
      }
      guard state.waiting.count < waitingMax else { return .refused }
      state.waiting.append((ticket, continuation))
      return nil
    }
  }

  private func cancel(_ ticket: UInt64) {
    let continuation = state.withLock { state -> CheckedContinuation<Entry, Never>? in
      guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
        state.cancelled.insert(ticket)
        return nil
      }
      return state.waiting.remove(at: index).continuation
    }
    continuation?.resume(returning: .cancelled)
  }
}
