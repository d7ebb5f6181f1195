import Synchronization

/// Lets calls in by turns of their callers: a `FairQueueMachine` with those who wait.
package final class FairQueue<Caller: Hashable & Sendable>: Sendable {
  package enum Entry: Sendable, Hashable {
    /// `leave` is to follow.
    case entered
    /// As many as this wait already.
    case refused(maximum: Int)
    /// The deadline passed while the call waited.
    case expired
    /// It waited longer than the queue's `waitMax` allows; only where that was set.
    case overdue
    /// The task was cancelled while it waited.
    case cancelled
  }

  private struct State {
    var machine: FairQueueMachine<Caller>
    var waiters: [UInt64: CheckedContinuation<Entry, Never>] = [:]
    var lastCall: UInt64 = 0
  }

  private let state: Mutex<State>
  private let now: @Sendable () -> ContinuousClock.Instant

  package init(
    _ limits: FairQueueMachine<Caller>.Limits,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.now = now
    state = Mutex(State(machine: FairQueueMachine(limits)))
  }

  /// Callers may take all places and all of the queue where nobody else wants them.
  package convenience init(insideMax: Int, waitingMax: Int) {
    self.init(
      FairQueueMachine.Limits(
        insideMax: insideMax, callerInsideMax: insideMax, waitingMax: waitingMax,
        callerWaitingMax: waitingMax))
  }

  package var insideMax: Int { state.withLock { $0.machine.insideMax } }
  package var insideCount: Int { state.withLock { $0.machine.insideCount } }
  package var waitingCount: Int { state.withLock { $0.machine.waitingCount } }

  /// A name for a call, by which it can be asked for while it waits.
  package func makeTicket() -> UInt64 {
    state.withLock { state in
      state.lastCall += 1
      return state.lastCall
    }
  }

  /// How many calls have their turn before the one with this ticket, as far as can be known now; nil where
  /// it does not wait.
  package func aheadCount(of ticket: UInt64, _ caller: Caller) -> Int? {
    state.withLock { $0.machine.aheadCount(of: ticket, caller) }
  }

  /// Waits for a place.
  package func enter(
    _ caller: Caller, until deadline: ContinuousClock.Instant?, ticket: UInt64? = nil
  ) async -> Entry {
    let call = ticket ?? makeTicket()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let entry: Entry? = state.withLock { state in
          // Asked inside the lock: the handler below runs before, and is seen here, or after, and
          // finds the waiter.
          if Task.isCancelled { return .cancelled }
          switch state.machine.entered(call, of: caller, deadline: deadline, at: now()) {
          case .inside: return .entered
          case .refused(let maximum): return .refused(maximum: maximum)
          case .waiting:
            state.waiters[call] = continuation
            return nil
          }
        }
        if let entry { continuation.resume(returning: entry) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.machine.withdrawn(call, of: caller) ? state.waiters.removeValue(forKey: call) : nil
      }
      waiter?.resume(returning: .cancelled)
    }
  }

  /// Gives back the place of a call that entered.
  package func leave(_ caller: Caller) {
    take { $0.left(caller, at: now()) }
  }

  /// What a call of `caller` would find now.
  package func line(of caller: Caller) -> FairQueueMachine<Caller>.Line {
    state.withLock { $0.machine.line(of: caller) }
  }

  /// Callers that wait for a turn.
  package var roundCount: Int { state.withLock { $0.machine.roundCount } }

  /// Lets so many calls in at a time from now on; those that are inside stay.
  package func allow(insideMax: Int) {
    take { $0.allow(insideMax: insideMax, at: now()) }
  }

  /// How long a round may take before calls that waited for more than their rounds lose their turn; nil: as long as
  /// it takes.
  package func allow(waitMax: Duration?) {
    state.withLock { $0.machine.waitMax = waitMax }
  }

  private func take(
    _ turns: (inout FairQueueMachine<Caller>) -> [FairQueueMachine<Caller>.Turn]
  ) {
    let woken = state.withLock { state in
      turns(&state.machine).map { turn in
        switch turn {
        case .inside(let call): (waiter: state.waiters.removeValue(forKey: call), Entry.entered)
        case .expired(let call): (waiter: state.waiters.removeValue(forKey: call), Entry.expired)
        case .overdue(let call): (waiter: state.waiters.removeValue(forKey: call), Entry.overdue)
        }
      }
    }
    for (waiter, entry) in woken { waiter?.resume(returning: entry) }
  }
}
