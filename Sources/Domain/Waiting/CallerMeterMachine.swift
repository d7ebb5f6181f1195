/// What one caller may do in a time. Nil is: without a limit.
package struct CallerLimits: Sendable, Hashable {
  package var callsPerSecond: Double?
  /// How many calls may begin at once after a rest; at least 1.
  package var burst: Int
  /// Calls with streams at a time.
  package var streamMax: Int?

  package init(callsPerSecond: Double? = nil, burst: Int = 1, streamMax: Int? = nil) {
    self.callsPerSecond = callsPerSecond
    self.burst = burst
    self.streamMax = streamMax
  }
}

/// The rate of each caller's calls (a bucket of tokens that fills with time) and how many streams it
/// has open. Pure: time is an argument.
///
/// `began` answers whether a call may; a stream that began ends with `streamEnded`.
package struct CallerMeterMachine<Caller: Hashable & Sendable>: Sendable {
  package enum Refusal: Sendable, Hashable {
    case rate(retryAfter: Duration)
    case streams(openCount: Int)
    case tooManyCallers
  }

  private struct Account: Sendable {
    /// Calls that may begin now.
    var level: Double
    var levelAt: ContinuousClock.Instant
    /// When the bucket is full again: what is said of the caller then, a new account says too.
    var isFullAt: ContinuousClock.Instant
    var streamCount = 0
  }

  /// Between two looks for accounts that can be forgotten, which look at all of them.
  private static var sweepInterval: Duration { .seconds(1) }

  private let callerCountMax: Int
  private var accounts: [Caller: Account] = [:]
  private var sweptAt: ContinuousClock.Instant?

  package init(callerCountMax: Int = 100_000) { self.callerCountMax = callerCountMax }

  package var callerCount: Int { accounts.count }

  package func streamCount(of caller: Caller) -> Int { accounts[caller]?.streamCount ?? 0 }

  /// A call begins. Nil: it may.
  package mutating func began(
    _ caller: Caller, _ limits: CallerLimits, isStream: Bool, at now: ContinuousClock.Instant
  ) -> Refusal? {
    if limits.callsPerSecond == nil, !isStream { return nil }
    if accounts[caller] == nil, accounts.count >= callerCountMax {
      sweep(at: now)
      guard accounts.count < callerCountMax else { return .tooManyCallers }
    }
    var account =
      accounts[caller] ?? Account(level: Double(limits.burst), levelAt: now, isFullAt: now)
    if isStream, let maximum = limits.streamMax, account.streamCount >= maximum {
      return .streams(openCount: account.streamCount)
    }
    if let rate = limits.callsPerSecond {
      let gained = (now - account.levelAt) / .seconds(1) * rate
      account.level = min(account.level + max(0, gained), Double(limits.burst))
      account.levelAt = now
      guard account.level >= 1 else {
        accounts[caller] = account
        return .rate(retryAfter: .seconds((1 - account.level) / rate))
      }
      account.level -= 1
      account.isFullAt = now + .seconds((Double(limits.burst) - account.level) / rate)
    }
    if isStream { account.streamCount += 1 }
    accounts[caller] = account
    return nil
  }

  package mutating func streamEnded(_ caller: Caller) {
    guard let count = accounts[caller]?.streamCount, count > 0 else {
      assertionFailure("a stream ended that did not begin")
      return
    }
    accounts[caller]?.streamCount -= 1
  }

  /// Forgets those of whom a new account would say the same.
  private mutating func sweep(at now: ContinuousClock.Instant) {
    if let sweptAt, now - sweptAt < Self.sweepInterval { return }
    sweptAt = now
    accounts = accounts.filter { $0.value.streamCount > 0 || $0.value.isFullAt > now }
  }
}
