/// The rule on a client's PINGs (W10.2).
package struct PingGuard: Sendable, Hashable {
  package static let strikeCountMax = 5

  private let interval: Duration
  private var last: Moment?
  private var strikes = 0

  /// `interval` is what clients are told; a tenth of it is forgiven, because clocks and networks
  /// jitter and a client that pings at the limit means no harm.
  package init(interval: Duration) {
    self.interval = interval - interval / 10
  }

  /// Counts one PING; false when it is one strike too many.
  package mutating func admit(now: Moment) -> Bool {
    defer { last = now }
    guard let last, last.duration(to: now) < interval else {
      strikes = 0
      return true
    }
    strikes += 1
    return strikes <= Self.strikeCountMax
  }
}

/// What a client may do too often: PING, CANCEL, frames without effect, tokens that stand for nobody,
/// credit in crumbs, and calls that expire at once (W10.2, W8.3, W5.9, W13.4, W9.7, W12.4).
package struct AbuseGuard: Sendable, Hashable {
  private var pings: PingGuard
  private var cancels = RateMeter(burst: 1000, perSecond: 200)
  private var noise = RateMeter(burst: 1000, perSecond: 100)
  private var refusedTokens = RateMeter(burst: 50, perSecond: 5)
  private var smallCredits = RateMeter(burst: 1000, perSecond: 200)
  private var hastyCalls = RateMeter(burst: 1000, perSecond: 200)

  package init(pingInterval: Duration) {
    pings = PingGuard(interval: pingInterval)
  }

  package mutating func pingReceived(now: Moment) throws(WireFault) {
    guard pings.admit(now: now) else { throw WireFault(.abuse, "too many PINGs") }
  }

  package mutating func cancelReceived(now: Moment) throws(WireFault) {
    guard cancels.admit(now: now) else { throw WireFault(.abuse, "too many CANCELs") }
  }

  /// A token was looked up in vain. Those that were refused a moment ago are not looked up again, so
  /// that a client with one bad token never comes near the limit.
  package mutating func tokenLookUpRefused(now: Moment) throws(WireFault) {
    guard refusedTokens.admit(now: now) else {
      throw WireFault(.abuse, "too many tokens that stand for nobody")
    }
  }

  package mutating func creditReceived(
    _ byteCount: UInt32, now: Moment
  ) throws(WireFault) {
    guard byteCount < UInt32(WireLimit.fragmentByteCountMin) else { return }
    guard smallCredits.admit(now: now) else { throw WireFault(.abuse, "too many small CREDITs") }
  }

  /// A call ended by the timeout that its client gave it.
  package mutating func callExpired(
    timeout: Duration, now: Moment
  ) throws(WireFault) {
    guard timeout < WireLimit.hastyTimeout else { return }
    guard hastyCalls.admit(now: now) else {
      throw WireFault(.abuse, "too many calls that expire at once")
    }
  }

  /// A frame arrived that is allowed and changes nothing.
  package mutating func noiseReceived(now: Moment) throws(WireFault) {
    guard noise.admit(now: now) else {
      throw WireFault(.abuse, "too many frames without effect")
    }
  }
}
