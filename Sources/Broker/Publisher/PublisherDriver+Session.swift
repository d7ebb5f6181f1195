import Domain
import Logs

/// What is done on one connection.
extension PublisherDriver {
  struct Session {
    let run: UInt64
    var window: ConfirmWindow
    var declaredAt: ContinuousClock.Instant
    var isBlocked = false
    /// When something was confirmed last, or there was nothing to confirm.
    var confirmedAt = ContinuousClock.now
    /// Taken from what waits, and not sent yet.
    var burst: ArraySlice<OutgoingEvent> = []
  }

  /// Sends what may be sent, takes what came, and waits where there was neither.
  func turn(
    _ connection: BrokerConnection, _ session: inout Session
  ) throws(BrokerError) {
    let sentCount = try send(connection, &session)
    var receivedCount = 0
    let before = session.window.unsettledCount
    while receivedCount < 1024, let event = try connection.next() {
      receivedCount += 1
      try took(event, &session)
    }
    let hasConfirmed = session.window.unsettledCount < before
    if hasConfirmed || session.window.isEmpty || session.isBlocked { session.confirmedAt = .now }
    if sentCount > 0 || receivedCount > 0 { return note(session, hasConfirmed: hasConfirmed) }
    if ContinuousClock.now - session.confirmedAt > Self.silenceMax {
      throw .unconfirmed(for: Self.silenceMax)
    }
    // Where the socket is full, nobody tells us when it is not.
    let isHeldUp = !session.burst.isEmpty && !session.isBlocked && session.window.hasRoom
    if connection.wait(wake, upTo: isHeldUp ? .milliseconds(5) : target.heartbeat / 4) {
      wake.clear()
    }
  }

  private func send(
    _ connection: BrokerConnection, _ session: inout Session
  ) throws(BrokerError) -> Int {
    guard !session.isBlocked else { return 0 }
    if session.burst.isEmpty {
      session.burst = shared.withLock { $0.take(limit: Self.burst)[...] }
      // There is room again.
      if !session.burst.isEmpty { changed.ring() }
    }
    guard !session.burst.isEmpty else { return 0 }
    shared.withLock { $0.sendingSince = .now }
    defer { shared.withLock { $0.sendingSince = nil } }
    return try connection.together { () throws(BrokerError) in
      var count = 0
      // Asked before the first, and then not for each.
      var uncheckedByteCount = Self.checkedByteCount
      while session.window.hasRoom, let message = session.burst.first {
        if uncheckedByteCount >= Self.checkedByteCount {
          guard connection.isWritable else { break }
          uncheckedByteCount = 0
        }
        try connection.publish(message, to: topology.exchange)
        session.window.published(position: message.position, byteCount: message.byteCount)
        session.burst.removeFirst()
        uncheckedByteCount += message.byteCount
        count += 1
      }
      return count
    }
  }

  private func took(_ event: BrokerEvent, _ session: inout Session) throws(BrokerError) {
    switch event {
    case .confirmed(let tag, let isMultiple):
      switch session.window.confirmed(tag: tag, isMultiple: isMultiple) {
      case .advance(let position):
        // Of a lease that is over, it says nothing: positions may have been given again.
        let run = session.run
        shared.withLock { if $0.run == run { $0.confirmed = position } }
      case .misuse: throw .garbled("a confirm of what was never published")
      case .none, .resend: break
      }
    case .rejected(let tag, let isMultiple):
      switch session.window.rejected(tag: tag, isMultiple: isMultiple) {
      case .resend(let position): throw .rejected(position: position)
      case .misuse: throw .garbled("a refusal of what was never published")
      case .none, .advance: break
      }
    case .returned(let id):
      lines.write(
        .warning, "no queue took an event", kind: "returned", metadata: ["event": "\(id)"])
      // The queue for what nobody takes is gone: it is made again, and the event sent again.
      if ContinuousClock.now - session.declaredAt > Self.redeclareInterval { throw .unroutable(id) }
    case .blocked(let reason):
      session.isBlocked = true
      shared.withLock {
        $0.state.become(.blocked, at: time.now(), error: "the broker takes nothing: \(reason)")
      }
      lines.write(.warning, "the broker blocks", kind: "blocked", metadata: ["why": "\(reason)"])
      changed.ring()
    case .unblocked:
      session.isBlocked = false
      shared.withLock { $0.state.become(.connected, at: time.now()) }
      lines.write(.notice, "the broker takes messages again", kind: "unblocked")
      changed.ring()
    case .delivered: throw .garbled("a delivery that nobody asked for")
    }
  }

  private func note(_ session: Session, hasConfirmed: Bool) {
    shared.withLock {
      $0.state.unsettledCount = session.window.unsettledCount + session.burst.count
      guard hasConfirmed else { return }
      $0.awaitsConfirm = false
      if !session.isBlocked { $0.state.lastError = "" }
    }
    guard hasConfirmed else { return }
    outage.worked()
    changed.ring()
  }

  /// A broker closes the channel at a message that is larger than it takes, and says what it takes: what is
  /// larger is cut from now on, so that one event holds up no others.
  func learn(_ code: Int, _ text: String, from window: ConfirmWindow) {
    let largest = window.largestByteCount
    guard code == 406, text.contains("size"), largest > Self.bodyByteCountFloor else { return }
    let last = text.split { !$0.isNumber }.last.flatMap { Int($0) } ?? 0
    let limit = last > 0 && last < largest ? last : largest / 2
    shared.withLock { $0.bodyByteCountMax = max(Self.bodyByteCountFloor, limit) }
    lines.write(
      .error, "the broker takes smaller messages than `broker-message-bytes` says", kind: "size",
      metadata: ["bytes": "\(limit)"])
  }
}
