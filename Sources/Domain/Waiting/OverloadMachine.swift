/// Whether more comes than can be done, for longer than a burst lasts: a queue that stands for an interval is an
/// overload, one that empties in between is not. Pure: time is an argument.
///
///     calm ── a round takes too long ──▶ standing ── for `interval` ──▶ shedding
///      ▲                                    │                              │
///      └────────── it does not ─────────────┘      short for `calm` ───────┘
///
/// The idea of CoDel (Nichols and Jacobson 2012, RFC 8289): not how much waits is measured but for how long, and
/// bursts are let through.
package struct OverloadMachine: Sendable {
  private enum State: Sendable, Hashable {
    case calm
    case standing(since: ContinuousClock.Instant)
    case shedding(shortSince: ContinuousClock.Instant?)
  }

  /// How long a round of all callers may take.
  package let target: Duration
  private let interval: Duration
  private let calm: Duration
  private var state = State.calm

  package init(
    target: Duration, interval: Duration = .milliseconds(250), calm: Duration = .seconds(1)
  ) {
    self.target = target
    self.interval = interval
    self.calm = calm
  }

  /// Whether calls are refused whose turn would come too late.
  package var isShedding: Bool { if case .shedding = state { true } else { false } }

  /// So long a round of all that wait takes.
  package mutating func measured(round: Duration, at now: ContinuousClock.Instant) {
    switch state {
    case .calm:
      if round > target { state = .standing(since: now) }
    case .standing(let since):
      if round <= target {
        state = .calm
      } else if now - since >= interval {
        state = .shedding(shortSince: nil)
      }
    case .shedding(let shortSince):
      if round > target / 2 {
        state = .shedding(shortSince: nil)
      } else if let shortSince {
        if now - shortSince >= calm { state = .calm }
      } else {
        state = .shedding(shortSince: now)
      }
    }
  }
}
