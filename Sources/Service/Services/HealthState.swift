internal import Synchronization

/// How the parts of the server are; the owner of each part says so, HealthService tells it.
package final class HealthState: Sendable {
  package enum Part: String, Sendable, Hashable, CaseIterable {
    case store, relay, lake
  }

  package enum Condition: Sendable, Hashable {
    case serving
    /// The text is shown to anybody who asks: no secrets, no foreign error text.
    case notServing(String)
    case draining
  }

  private struct State {
    var parts: [Part: Condition] = [:]
    var isDraining = false
    var generation: UInt64 = 0
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter: UInt64 = 0

    func condition(of part: Part?) -> Condition {
      if isDraining { return .draining }
      if let part { return parts[part] ?? .notServing("the \(part.rawValue) has not started") }
      for part in Part.allCases {
        if let condition = parts[part], condition != .serving { return condition }
      }
      return .serving
    }
  }

  private let state = Mutex(State())

  /// Parts that nobody has spoken for are left out of the whole and not serving by themselves.
  package init() {}

  package func set(_ part: Part, _ condition: Condition) {
    change { state in
      guard state.parts[part] != condition else { return false }
      state.parts[part] = condition
      return true
    }
  }

  /// The server is going away; there is no way back.
  package func drain() {
    change { state in
      defer { state.isDraining = true }
      return !state.isDraining
    }
  }

  /// One part, or the whole: the whole is as well as the worst of its parts.
  package func condition(of part: Part?) -> Condition {
    state.withLock { $0.condition(of: part) }
  }

  /// The condition and what to wait on for the next one.
  func snapshot(of part: Part?) -> (condition: Condition, generation: UInt64, isDraining: Bool) {
    state.withLock { ($0.condition(of: part), $0.generation, $0.isDraining) }
  }

  /// Returns when anything has changed since `generation`, or the task is cancelled.
  func wait(since generation: UInt64) async {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.generation != generation || Task.isCancelled { return true }
          state.waiters[id] = continuation
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
  }

  private func change(_ body: (inout State) -> Bool) {
    let waiters = state.withLock { state in
      guard body(&state) else { return [:] as [UInt64: CheckedContinuation<Void, Never>] }
      state.generation += 1
      let waiters = state.waiters
      state.waiters.removeAll()
      return waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }
}
