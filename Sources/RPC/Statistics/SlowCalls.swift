internal import Synchronization
package import Wire

/// A call that took longer than it should. Nothing of what it said.
package struct SlowCallRecord: Sendable, Hashable {
  package var method: String
  /// Empty where nobody is known.
  package var userID: String
  package var duration: Duration
  package var status: StatusCode
  /// Of its W3C trace context; empty where it has none.
  package var traceID: String
  package var endedAt: ContinuousClock.Instant

  package init(
    method: String, userID: String, duration: Duration, status: StatusCode, traceID: String,
    endedAt: ContinuousClock.Instant
  ) {
    self.method = method
    self.userID = userID
    self.duration = duration
    self.status = status
    self.traceID = traceID
    self.endedAt = endedAt
  }
}

/// The last slow calls: a ring.
package final class SlowCalls: Sendable {
  package static let countMax = 100

  private struct Ring {
    var calls: [SlowCallRecord] = []
    /// Where the next one goes once the ring is full.
    var next = 0
  }

  private let ring = Mutex(Ring())

  package init() {}

  package func add(_ call: SlowCallRecord) {
    ring.withLock { ring in
      guard ring.calls.count == Self.countMax else { return ring.calls.append(call) }
      ring.calls[ring.next] = call
      ring.next = (ring.next + 1) % Self.countMax
    }
  }

  /// Newest first.
  package var all: [SlowCallRecord] {
    let (calls, next) = ring.withLock { ($0.calls, $0.next) }
    return Array((calls[next...] + calls[..<next]).reversed())
  }
}
