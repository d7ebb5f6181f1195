import Domain
import Logging
import Logs
import Synchronization
import Threads

/// The publisher's thread: one connection at a time, made again with growing pauses, on which messages
/// are sent while others are being confirmed. It blocks nobody but itself.
final class PublisherDriver: Sendable {
  /// What waits for the thread, at most.
  static let waitingCountMax = 1000
  static let waitingByteCountMax = 8 << 20

  /// Sent between two looks at what came.
  private static let burst = 64
  /// A broker that takes nothing for so long is said to block.
  private static let stallMax = Duration.seconds(3)
  /// Queues that are gone are made again, but not for each message that none took.
  private static let redeclareInterval = Duration.seconds(30)
  private static let bodyByteCountFloor = 4096
  /// A queue without a leader confirms nothing and says nothing.
  private static let silenceMax = Duration.seconds(30)

  private let target: BrokerTarget
  private let topology: BrokerTopology
  private let limits: ConfirmWindow.Limits
  private let time: any TimeSource
  private let outage: OutageLog
  private let lines: MeteredLogger
  private let wake = Wake()
  private let shared: Mutex<PublisherShared>
  /// Rung when there is something for the task to look at.
  let changed = WakeSignal()

  init(
    target: BrokerTarget, topology: BrokerTopology, bodyByteCountMax: Int,
    limits: ConfirmWindow.Limits = .init(), time: any TimeSource, logger: Logger
  ) {
    self.target = target
    self.topology = topology
    self.limits = limits
    self.time = time
    outage = OutageLog(logger, "publishing to \(target.address.description)", level: .error)
    lines = MeteredLogger(logger)
    let state = BrokerConnectionState(condition: .away, since: time.now())
    shared = Mutex(PublisherShared(state: state, bodyByteCountMax: bodyByteCountMax))
  }

  // MARK: For the task

  /// What the task decides by.
  struct Progress: Sendable, Hashable {
    var session: UInt64
    var isOpen: Bool
    var confirmed: Int64
    /// Whether more may be offered.
    var hasRoom: Bool
    var bodyByteCountMax: Int
    var state: BrokerConnectionState
  }

  var progress: Progress {
    shared.withLock { shared in
      var state = shared.state
      if let since = shared.sendingSince, ContinuousClock.now - since > Self.stallMax {
        state.condition = .blocked
      }
      state.unsettledCount += shared.waiting.count
      return Progress(
        session: shared.session, isOpen: shared.isOpen, confirmed: shared.confirmed,
        hasRoom: shared.waiting.count < Self.waitingCountMax
          && shared.waitingByteCount < Self.waitingByteCountMax,
        bodyByteCountMax: shared.bodyByteCountMax, state: state)
    }
  }

  /// Has a connection made, and kept, from now on: what is offered comes after `position`.
  func begin(after position: Int64) {
    shared.withLock { shared in
      shared.lastRun += 1
      shared.run = shared.lastRun
      shared.confirmed = position
      shared.isOpen = false
      shared.forgetWaiting()
    }
    wake.ring()
  }

  /// Has it closed.
  func end() {
    shared.withLock { shared in
      shared.run = nil
      shared.isOpen = false
      shared.forgetWaiting()
    }
    wake.ring()
  }

  /// Adds what is to be sent; nothing where the session has ended.
  func offer(_ events: [OutgoingEvent], session: UInt64) {
    shared.withLock { shared in
      guard shared.isOpen, shared.session == session else { return }
      shared.waiting += events
      shared.waitingByteCount += events.reduce(0) { $0 + $1.byteCount }
    }
    wake.ring()
  }

  /// Starts the thread; false where the system has none left.
  func start() -> Bool { startThread { [self] in serve() } }

  /// Ends the thread, whatever it waits for.
  func stop() {
    shared.withLock { shared in
      shared.isStopped = true
      shared.run = nil
      if let descriptor = shared.descriptor { BrokerConnection.interrupt(descriptor) }
    }
    wake.ring()
  }

  // MARK: The thread

  private func serve() {
    var reconnect = ReconnectMachine()
    while true {
      let (run, isStopped) = shared.withLock { ($0.run, $0.isStopped) }
      if isStopped { return }
      guard let run else {
        wake.wait(upTo: .seconds(60))
        continue
      }
      do throws(BrokerError) {
        try publish(run: run) { reconnect.connected(at: .now) }
      } catch {
        ended(error)
        guard error != .stopped else { continue }
        let pause = reconnect.lost(at: .now, chance: .random(in: 0...1))
        waitUnlessStopped(upTo: pause)
      }
    }
  }

  /// A wake-up is for other things, mostly.
  private func waitUnlessStopped(upTo pause: Duration) {
    let end = ContinuousClock.now + pause
    while ContinuousClock.now < end, !shared.withLock({ $0.isStopped }) {
      wake.wait(upTo: max(.zero, end - .now))
    }
  }

  private func ended(_ error: BrokerError) {
    shared.withLock { shared in
      shared.isOpen = false
      shared.sendingSince = nil
      shared.forgetWaiting()
      shared.state.unsettledCount = 0
      guard error != .stopped else { return }
      shared.state.become(.away, at: time.now(), error: "\(error)")
    }
    if error != .stopped { outage.failed("\(error)") }
    changed.ring()
  }

  /// One session.
  private func publish(run: UInt64, connected: () -> Void) throws(BrokerError) {
    let connection = try BrokerConnection(target)
    let isWanted = shared.withLock { shared in
      shared.descriptor = connection.descriptor
      return shared.run == run
    }
    defer {
      shared.withLock { $0.descriptor = nil }
      // Its descriptor is closed, and may be another's, only once nobody interrupts it.
      withExtendedLifetime(connection) {}
    }
    guard isWanted else { throw .stopped }
    try topology.declare(on: connection)
    try connection.confirmAll()
    connected()
    opened()
    var session = Session(window: ConfirmWindow(limits: limits), declaredAt: .now)
    do throws(BrokerError) {
      while isRunning(run) { try turn(connection, &session) }
    } catch {
      if case .refused(let code, let text) = error { learn(code, text, from: session.window) }
      throw error
    }
    // What is under way is confirmed or comes again; nobody waits for a broker that takes nothing.
    if session.window.isEmpty, !session.isBlocked { connection.sayGoodbye() }
    throw .stopped
  }

  private func opened() {
    shared.withLock { shared in
      shared.session += 1
      shared.isOpen = true
      // What was wrong stays said until something is confirmed.
      shared.state.become(.connected, at: time.now(), error: shared.state.lastError)
    }
    changed.ring()
  }

  private func isRunning(_ run: UInt64) -> Bool {
    shared.withLock { $0.run == run && !$0.isStopped }
  }

  private struct Session {
    var window: ConfirmWindow
    var declaredAt: ContinuousClock.Instant
    var isBlocked = false
    /// When something was confirmed last, or there was nothing to confirm.
    var confirmedAt = ContinuousClock.now
    /// Taken from what waits, and not sent yet.
    var burst: ArraySlice<OutgoingEvent> = []
  }

  /// Sends what may be sent, takes what came, and waits where there was neither.
  private func turn(
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
      throw .lost("nothing was confirmed for \(Self.silenceMax): has every queue a leader?")
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
      session.burst = shared.withLock { $0.take(limit: Self.burst) }
      // There is room again.
      if !session.burst.isEmpty { changed.ring() }
    }
    guard !session.burst.isEmpty else { return 0 }
    shared.withLock { $0.sendingSince = .now }
    defer { shared.withLock { $0.sendingSince = nil } }
    var count = 0
    while session.window.hasRoom, let message = session.burst.first, connection.isWritable {
      try connection.publish(message, to: topology.exchange)
      session.window.published(position: message.position, byteCount: message.byteCount)
      session.burst.removeFirst()
      count += 1
    }
    return count
  }

  private func took(_ event: BrokerEvent, _ session: inout Session) throws(BrokerError) {
    switch event {
    case .confirmed(let tag, let isMultiple):
      switch session.window.confirmed(tag: tag, isMultiple: isMultiple) {
      case .advance(let position): shared.withLock { $0.confirmed = position }
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
      if hasConfirmed { $0.state.lastError = "" }
    }
    guard hasConfirmed else { return }
    outage.worked()
    changed.ring()
  }

  /// A broker closes the channel at a message that is larger than it takes, and says what it takes: what is
  /// larger is cut from now on, so that one event holds up no others.
  private func learn(_ code: Int, _ text: String, from window: ConfirmWindow) {
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
