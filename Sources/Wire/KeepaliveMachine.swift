/// Asks a silent peer for a sign of life, and gives it up when none comes (W10.3). Both sides use it.
///
///     listening --idle--> asked --timeout--> given up
///         ^                 |
///         +-- any bytes ----+
package struct KeepaliveMachine: Sendable, Hashable {
  private enum State: Hashable {
    case listening(since: Moment)
    case asked(at: Moment)
  }

  package enum Action: Sendable, Hashable {
    case nothing
    /// Send PING with this value.
    case ping(UInt64)
    /// Nothing was received in time.
    case giveUp
  }

  private var idle: Duration
  private let timeout: Duration
  private var state: State
  private var pingCount: UInt64 = 0
  private var awaitedPong: UInt64?

  package init(idle: Duration, timeout: Duration, now: Moment) {
    self.idle = idle
    self.timeout = timeout
    state = .listening(since: now)
  }

  /// The peer wants to be asked no more often than this.
  package mutating func asksNoMoreOften(than interval: Duration) {
    idle = max(idle, interval)
  }

  package mutating func bytesReceived(now: Moment) {
    state = .listening(since: now)
  }

  /// When `timerFired` wants to be called next.
  package var due: Moment {
    switch state {
    case .listening(let since): since + idle
    case .asked(let at): at + timeout
    }
  }

  /// Time passed; may be called at any time. Nobody is asked while nobody needs the peer.
  package mutating func timerFired(
    now: Moment, isPeerNeeded: Bool = true
  ) -> Action {
    guard due <= now else { return .nothing }
    if case .asked = state { return .giveUp }
    if isPeerNeeded { return .ping(ping(now: now)) }
    state = .listening(since: now)
    return .nothing
  }

  /// Begins a round trip: the value of the PING to send.
  package mutating func ping(now: Moment) -> UInt64 {
    pingCount += 1
    awaitedPong = pingCount
    state = .asked(at: now)
    return pingCount
  }

  /// A PONG; whether it answers the last PING, for the first time.
  package mutating func pongReceived(_ opaque: UInt64) -> Bool {
    guard opaque == awaitedPong else { return false }
    awaitedPong = nil
    return true
  }
}
