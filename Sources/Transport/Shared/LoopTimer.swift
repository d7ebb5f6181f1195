internal import NIOCore
internal import Wire

/// One timer of a connection, set for the earliest of everything that is due. It is not moved when
/// something becomes due later: it fires, finds nothing and is set again.
struct LoopTimer {
  private var scheduled: Scheduled<Void>?
  private var due: Moment?

  /// Whether it must be set to fire at `due`.
  func isLater(than due: Moment) -> Bool {
    guard let current = self.due else { return true }
    return due < current
  }

  /// Replaces what it was set for. `body` calls `fired` first.
  mutating func set(
    for due: Moment, now: Moment, on loop: any EventLoop,
    _ body: @escaping @Sendable () -> Void
  ) {
    scheduled?.cancel()
    self.due = due
    // Rounded up: a timer that fires early would only be set again.
    let delay = TimeAmount(max(.zero, now.duration(to: due))) + .nanoseconds(1)
    scheduled = loop.scheduleTask(in: delay, body)
  }

  mutating func fired() {
    scheduled = nil
    due = nil
  }

  mutating func cancel() {
    scheduled?.cancel()
    fired()
  }
}
