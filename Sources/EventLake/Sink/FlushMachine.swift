/// Decides when the sink publishes: after enough events, or when the oldest has waited enough.
///
/// ```
///   idle --noticed--> waiting --enough | old enough--> flush --published--> idle | waiting
///                                                            --failed--> backing off --> flush
/// ```
/// A value with time as an argument; it never looks at a clock.
package struct FlushMachine: Sendable, Hashable {
  package typealias Instant = ContinuousClock.Instant

  package struct Policy: Sendable, Hashable {
    /// This many events are published at once, without waiting.
    package var eventCount: Int64 = 10_000
    /// No event waits longer than this.
    package var delay: Duration = .seconds(5)
    /// The first pause after a failure; it doubles up to `retryDelayMax`.
    package var retryDelay: Duration = .milliseconds(100)
    package var retryDelayMax: Duration = .seconds(30)

    package init() {}
  }

  package enum Action: Sendable, Hashable {
    /// Nothing to do before this moment, unless something is noticed.
    case wait(until: Instant)
    case flush
    /// Nothing is waiting: look at the log at this moment, in case a notice was lost.
    case look(at: Instant)
  }

  package let policy: Policy
  private var head: Int64
  private var published: Int64
  /// Up to here everything is in the lake.
  package var publishedPosition: Int64 { published }
  /// When the first event after `published` was noticed.
  private var waitingSince: Instant?
  private var lastLook: Instant?
  private var failureCount = 0
  private var retryAt: Instant?

  package init(policy: Policy = .init(), published: Int64) {
    self.policy = policy
    self.published = published
    head = published
  }

  /// The log reaches to `position`; lower ones than known change nothing.
  package mutating func noticed(head position: Int64, at now: Instant) {
    guard position > head else { return }
    head = position
    if waitingSince == nil { waitingSince = now }
  }

  /// The log was asked and reaches to `position`. What is new came after the last time that it was
  /// asked, and counts as waiting since then: no event waits longer than the policy says, also
  /// where nobody notices it.
  package mutating func looked(head position: Int64, at now: Instant) {
    noticed(head: position, at: lastLook ?? now)
    lastLook = now
  }

  /// Every event up to `position` is durable in the lake.
  package mutating func published(through position: Int64, at now: Instant) {
    published = max(published, position)
    failureCount = 0
    retryAt = nil
    // What came meanwhile has waited since some moment of the flush: its end is the latest.
    waitingSince = head > published ? now : nil
  }

  /// A flush failed; what is published is as before.
  package mutating func failed(at now: Instant) {
    let doublings = min(failureCount, 20)
    failureCount += 1
    let delay = min(policy.retryDelay * (1 << doublings), policy.retryDelayMax)
    retryAt = now.advanced(by: delay)
  }

  package func next(at now: Instant) -> Action {
    guard let waitingSince, head > published else {
      return .look(at: now.advanced(by: policy.delay))
    }
    if let retryAt, now < retryAt { return .wait(until: retryAt) }
    if retryAt != nil || head - published >= policy.eventCount { return .flush }
    let due = waitingSince.advanced(by: policy.delay)
    return now >= due ? .flush : .wait(until: due)
  }
}
