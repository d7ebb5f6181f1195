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
  var waiting: [OutgoingEvent] = []
  var waitingByteCount = 0
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

  /// Takes what may be sent now.
  mutating func take(limit: Int) -> ArraySlice<OutgoingEvent> {
    guard !waiting.isEmpty else { return [] }
    let taken = waiting.prefix(limit)
    waiting.removeFirst(taken.count)
    waitingByteCount -= taken.reduce(0) { $0 + $1.byteCount }
    return taken
  }

  mutating func forgetWaiting() {
    waiting = []
    waitingByteCount = 0
  }
}
