// Drain and time.
extension ServerConnectionMachine {
  package enum Action: Sendable, Hashable {
    case nothing
    case fail(WireFault)
    case ping(UInt64)
    /// Begin a drain: send the first GOAWAY with this reason, and this PING.
    case announceDrain(GoAwayReason, ping: UInt64)
    /// Send the second GOAWAY, and end the subscriptions, which would not end by themselves.
    case finishDrain(lastStream: UInt32)
    /// The grace is over: end every call with UNAVAILABLE.
    case endCalls
    /// Close with this GOAWAY: no call was taken yet.
    case refuse(GoAway)
    /// Close; there is nothing to wait for.
    case close
  }

  /// Begins a drain. One that has begun before ends no later than this one would.
  package mutating func drain(
    reason: GoAwayReason, grace: Duration? = nil, now: Moment
  ) -> Action {
    let grace = grace ?? configuration.drainGrace
    switch state {
    case .handshaking: return .close
    case .awaitingHello: return .refuse(GoAway(lastStream: 0, reason: reason, text: "draining"))
    case .announced(let since, let earlier):
      self.grace = min(self.grace, grace)
      state = .announced(since: since, grace: min(earlier, since.duration(to: now) + grace))
      return .nothing
    case .finishing(let lastStream, let graceEnd?):
      self.grace = min(self.grace, grace)
      state = .finishing(lastStream: lastStream, graceEnd: min(graceEnd, now + grace))
      return .nothing
    case .finishing, .closed: return .nothing
    case .open:
      self.grace = grace
      state = .announced(since: now, grace: grace)
      return .announceDrain(reason, ping: keepalive.ping(now: now))
    }
  }

  /// When `timerFired` wants to be called next.
  package var nextWakeUp: Moment? {
    switch state {
    case .handshaking, .closed: return nil
    case .awaitingHello: return readyAt + configuration.helloTimeout
    case .announced(let since, _): return since + configuration.drainRoundTripMax
    case .finishing(_, let graceEnd): return graceEnd
    case .open:
      return [ageEnd, idle.due].lazy.compactMap { $0 }.reduce(keepalive.due, min)
    }
  }

  private var ageEnd: Moment? { configuration.ageMax.map { readyAt + $0 } }

  /// Time passed. May be called at any time.
  package mutating func timerFired(now: Moment) -> Action {
    guard let due = nextWakeUp, due <= now else { return .nothing }
    switch state {
    case .handshaking, .closed: return .nothing
    case .awaitingHello: return .fail(WireFault(.helloTimeout, "no HELLO in time"))
    case .announced: return finishDrain()
    case .finishing(let lastStream, _):
      // Once: the owner closes as soon as the calls have ended.
      state = .finishing(lastStream: lastStream, graceEnd: nil)
      return .endCalls
    case .open:
      if let ageEnd, ageEnd <= now { return drain(reason: .maxAge, now: now) }
      let isIdle = idle.look(
        now: now, highestStream: streams.highestStream, openCallCount: streams.openCallCount)
      if isIdle { return drain(reason: .idle, now: now) }
      switch keepalive.timerFired(now: now) {
      case .nothing: return .nothing
      case .ping(let opaque): return .ping(opaque)
      case .giveUp: return .fail(WireFault(.keepaliveTimeout, "nothing received in time"))
      }
    }
  }

  /// The second half of a drain that was announced.
  mutating func finishDrain() -> Action {
    guard case .announced(let since, let grace) = state else { return .nothing }
    state = .finishing(lastStream: streams.highestStream, graceEnd: since + grace)
    return .finishDrain(lastStream: streams.highestStream)
  }
}
