internal import Domain
package import RPC
internal import Synchronization

/// The fair queue of one class of calls, with what is known of how long they take: how many may run, and whether a
/// call that would have to wait is better refused at once.
final class AdmissionLine: Sendable {
  private struct State {
    /// Nil where a call is never refused for what it would wait.
    var overload: OverloadMachine?
    var adapting: ConcurrencyLimitMachine?
    var yielding: YieldingLimitMachine?
    /// By method; bounded by the contract.
    var unloaded: [String: UnloadedTime] = [:]
    /// Of calls of the class, in microseconds: how long one has its place.
    var meanTime = 0.0
    var insideMax: Int
    var refusals = AdmissionLoad.Refusals()
  }

  /// A call moves the mean by this share.
  private static let weight = 1.0 / 32
  private static let retryMin = Duration.milliseconds(50)
  private static let retryMax = Duration.seconds(2)

  let cost: MethodRule.Cost
  let queue: FairQueue<String>
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state: Mutex<State>

  init(
    _ cost: MethodRule.Cost, _ limits: AdmissionLimits.Limits,
    _ shedding: AdmissionLimits.Shedding?,
    now: @escaping @Sendable () -> ContinuousClock.Instant
  ) {
    self.cost = cost
    self.now = now
    queue = FairQueue(limits, now: now)
    var initial = State(insideMax: limits.insideMax)
    if let shedding {
      initial.overload = OverloadMachine(target: shedding.roundMax)
      switch shedding.limit {
      case .adapts(let min):
        initial.adapting = ConcurrencyLimitMachine(.init(min: min, max: limits.insideMax))
      case .yields: initial.yielding = YieldingLimitMachine(max: limits.insideMax)
      }
    }
    state = Mutex(initial)
  }

  /// What the class is at, for those who watch.
  var load: AdmissionLoad {
    var load = AdmissionLoad(
      cost: cost, insideCount: queue.insideCount, insideMax: queue.insideMax,
      waitingCount: queue.waitingCount, waitingCallerCount: queue.roundCount)
    state.withLock { state in
      load.isShedding = state.overload?.isShedding ?? false
      load.slowdown = state.adapting?.slowdown ?? 1
      load.meanTime = .microseconds(Int64(state.meanTime))
      load.refusals = state.refusals
    }
    return load
  }

  /// Refuses a call that would wait in vain: past its deadline, or while more comes than can be done.
  func door(_ caller: String, until deadline: ContinuousClock.Instant?) throws(ServerOverloaded) {
    let line = queue.line(of: caller)
    let now = now()
    let refusal = state.withLock { state -> ServerOverloaded? in
      recover(&state, at: now)
      guard !line.isFree, let target = state.overload?.target else { return nil }
      let round = measure(&state, callerCount: line.callerCount, at: now)
      let wait = round * (line.ownCount + 1)
      if let deadline, wait > .zero, now + wait > deadline {
        state.refusals.deadlineCount += 1
        return ServerOverloaded(cost, .deadline(wait: wait), retryAfter: wait)
      }
      guard state.overload?.isShedding == true, round > target else { return nil }
      state.refusals.overloadCount += 1
      return ServerOverloaded(
        cost, .overload, retryAfter: min(max(round * 2, Self.retryMin), Self.retryMax))
    }
    if let refusal { throw refusal }
  }

  /// A call lost its turn because it had waited too long.
  func overdue(isRefusal: Bool) -> ServerOverloaded {
    state.withLock { $0.refusals.overdueCount += 1 }
    return ServerOverloaded(cost, .overload, retryAfter: Self.retryMax / 2, isRefusal: isRefusal)
  }

  /// A call has given back its place.
  ///
  /// - Parameters:
  ///   - time: for how long it had the place; nil where that says nothing of the load.
  ///   - isQuiet: whether nearly nothing else ran meanwhile.
  /// - Returns: whether the calls of this class have just been found to be slow.
  func ended(_ method: String, after time: Duration?, isQuiet: Bool) -> Bool {
    let now = now()
    let callerCount = queue.roundCount
    let insideCount = queue.insideCount + 1
    return state.withLock { state in
      defer {
        recover(&state, at: now)
        _ = measure(&state, callerCount: callerCount, at: now)
      }
      guard let time else { return false }
      let microseconds = time / .microseconds(1)
      state.meanTime =
        state.meanTime == 0
        ? microseconds : state.meanTime + (microseconds - state.meanTime) * Self.weight
      let slowdown = state.unloaded[method, default: UnloadedTime()].ended(
        after: microseconds, isQuiet: isQuiet)
      guard
        let window = state.adapting?.ended(
          slowdown: slowdown, insideCount: insideCount, isQuiet: isQuiet, at: now)
      else { return false }
      allow(state.adapting?.limit, &state)
      return window == .slow
    }
  }

  /// The calls of a class that comes first are slow.
  func yield() {
    let now = now()
    state.withLock { state in
      state.yielding?.yield(at: now)
      allow(state.yielding?.limit, &state)
    }
  }

  private func recover(_ state: inout State, at now: ContinuousClock.Instant) {
    state.yielding?.recover(at: now)
    allow(state.yielding?.limit, &state)
  }

  /// How long a round of all callers takes.
  private func measure(
    _ state: inout State, callerCount: Int, at now: ContinuousClock.Instant
  ) -> Duration {
    let round = Duration.microseconds(
      Int64(Double(callerCount) * state.meanTime / Double(state.insideMax)))
    guard var overload = state.overload else { return round }
    let wasShedding = overload.isShedding
    overload.measured(round: round, at: now)
    state.overload = overload
    if overload.isShedding != wasShedding {
      // Twice: what was let in when the round was short enough must not be thrown out for a little more.
      queue.allow(waitMax: wasShedding ? nil : overload.target * 2)
    }
    return round
  }

  private func allow(_ insideMax: Int?, _ state: inout State) {
    guard let insideMax, insideMax != state.insideMax else { return }
    state.insideMax = insideMax
    queue.allow(insideMax: insideMax)
  }
}

/// What one class of calls is at.
package struct AdmissionLoad: Sendable, Hashable {
  /// Calls that were refused because of the load, since the start.
  package struct Refusals: Sendable, Hashable {
    /// Their turn would have come after their deadline.
    package var deadlineCount = 0
    /// More came than could be done.
    package var overloadCount = 0
    /// They had waited already when more came than could be done.
    package var overdueCount = 0
  }

  package let cost: MethodRule.Cost
  /// Calls that run, and how many may now.
  package let insideCount: Int
  package let insideMax: Int
  /// Calls that wait, and callers that wait for a turn.
  package let waitingCount: Int
  package let waitingCallerCount: Int
  /// Whether calls are refused whose turn would come too late.
  package var isShedding = false
  /// How much longer calls take than without load, at the last look.
  package var slowdown = 1.0
  /// How long a call has its place, on average.
  package var meanTime = Duration.zero
  package var refusals = Refusals()
}

/// The server has more to do than it can.
package struct ServerOverloaded: Error, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// Its turn would come after its deadline.
    case deadline(wait: Duration)
    /// More comes than can be done.
    case overload
  }

  let cost: MethodRule.Cost
  let kind: Kind
  /// When to try again.
  let retryAfter: Duration
  /// Whether nothing was done of the call.
  let isRefusal: Bool

  init(_ cost: MethodRule.Cost, _ kind: Kind, retryAfter: Duration, isRefusal: Bool = true) {
    self.cost = cost
    self.kind = kind
    self.retryAfter = retryAfter
    self.isRefusal = isRefusal
  }
}
