/// When a provider that fails is left alone, and how it gets its next chance.
package struct CircuitBreakerPolicy: Sendable, Hashable {
  /// Failures in a row that open the circuit.
  package var failureCountMax: Int
  /// How long it stays open the first time; each probe that fails doubles it.
  package var openFirst: Duration
  package var openMax: Duration

  package init(
    failureCountMax: Int = 5, openFirst: Duration = .seconds(5), openMax: Duration = .seconds(120)
  ) {
    self.failureCountMax = failureCountMax
    self.openFirst = openFirst
    self.openMax = openMax
  }
}

/// A circuit breaker. Pure: time is an argument.
///
///     closed ── failures in a row ──▶ open ── its time is over ──▶ half open (one probe)
///       ▲                              ▲                             │ │
///       └────────── the probe succeeds ┼─────────────────────────────┘ │
///                                      └── the probe fails, twice as long
///
/// Every attempt takes a permit and hands it back exactly once, by its outcome. What attempts of an
/// earlier state report is ignored: they tell nothing about now. A probe that was abandoned leaves
/// its place to another.
package struct CircuitBreakerMachine: Sendable {
  package struct Permit: Sendable, Hashable {
    fileprivate let generation: Int
  }

  private enum State {
    case closed(failureCount: Int)
    case open(until: ContinuousClock.Instant, openTime: Duration)
    case halfOpen(isProbing: Bool, openTime: Duration)
  }

  private let policy: CircuitBreakerPolicy
  private var state = State.closed(failureCount: 0)
  /// Counts the changes of state.
  private var generation = 0

  package init(_ policy: CircuitBreakerPolicy) {
    self.policy = policy
  }

  /// Nil: leave the provider alone.
  package mutating func permit(at now: ContinuousClock.Instant) -> Permit? {
    switch state {
    case .closed: break
    case .open(let until, let openTime):
      guard now >= until else { return nil }
      change(to: .halfOpen(isProbing: true, openTime: openTime))
    case .halfOpen(let isProbing, let openTime):
      guard !isProbing else { return nil }
      change(to: .halfOpen(isProbing: true, openTime: openTime))
    }
    return Permit(generation: generation)
  }

  package mutating func succeeded(_ permit: Permit) {
    guard permit.generation == generation else { return }
    switch state {
    // Still the same state: attempts beside this one keep their say.
    case .closed: state = .closed(failureCount: 0)
    case .halfOpen: change(to: .closed(failureCount: 0))
    case .open: break
    }
  }

  package mutating func failed(_ permit: Permit, at now: ContinuousClock.Instant) {
    guard permit.generation == generation else { return }
    switch state {
    case .closed(let failureCount):
      if failureCount + 1 < policy.failureCountMax {
        state = .closed(failureCount: failureCount + 1)
      } else {
        open(for: policy.openFirst, at: now)
      }
    case .halfOpen(_, let openTime): open(for: min(openTime * 2, policy.openMax), at: now)
    case .open: break
    }
  }

  /// The attempt tells nothing: it was cancelled, or never made.
  package mutating func abandoned(_ permit: Permit) {
    guard permit.generation == generation, case .halfOpen(_, let openTime) = state else { return }
    state = .halfOpen(isProbing: false, openTime: openTime)
  }

  private mutating func open(for openTime: Duration, at now: ContinuousClock.Instant) {
    change(to: .open(until: now.advanced(by: openTime), openTime: openTime))
  }

  private mutating func change(to state: State) {
    generation += 1
    self.state = state
  }
}
