import Domain
import Synchronization

/// What the publisher's thread and its task share.
///
/// A *run* begins when the task has the lease, and ends with it. Within a run each connection is a
/// *session*: what was sent in one and not confirmed is lost to us when it ends, and is read from the log
/// again. So whatever is offered says for which session it is.
struct PublisherShared: Sendable {
  /// Nil: nobody wants a connection.
  var run: UInt64?
  var lastRun: UInt64 = 0
  var session: UInt64 = 0
  /// Whether messages may be offered for the session.
  var isOpen = false
  /// Everything up to here was confirmed in this run, or before it.
  var confirmed: Int64 = 0
  /// Those before `taken` are gone.
  private var waiting: [OutgoingEvent] = []
  private var taken = 0
  private(set) var waitingByteCount = 0
  var state: BrokerConnectionState
  /// Of the largest body that the broker takes, as far as it has said.
  var bodyByteCountMax: Int
  /// Since when the broker takes nothing of what is being sent to it.
  var sendingSince: ContinuousClock.Instant?
  /// Whether only a confirm shows that what was wrong is right again.
  var awaitsConfirm = false
  var isStopped = false
  /// The socket's, as long as a connection is there.
  var descriptor: Int32?

  init(state: BrokerConnectionState, bodyByteCountMax: Int) {
    self.state = state
    self.bodyByteCountMax = bodyByteCountMax
  }

  /// Takes what may be sent now.
  mutating func take(limit: Int) -> [OutgoingEvent] {
    let end = min(waiting.count, taken + limit)
    guard taken < end else { return [] }
    let burst = Array(waiting[taken..<end])
    taken = end
    waitingByteCount -= burst.reduce(0) { $0 + $1.byteCount }
    // At once and not one burst after the other: all that stay would be moved each time.
    if taken == waiting.count || taken >= PublisherDriver.waitingCountMax {
      waiting.removeFirst(taken)
      taken = 0
    }
    return burst
  }

  var waitingCount: Int { waiting.count - taken }

  /// Adds what is to be sent.
  mutating func add(_ events: [OutgoingEvent]) {
    waiting += events
    waitingByteCount += events.reduce(0) { $0 + $1.byteCount }
  }

  mutating func forgetWaiting() {
    waiting = []
    taken = 0
    waitingByteCount = 0
  }
}
