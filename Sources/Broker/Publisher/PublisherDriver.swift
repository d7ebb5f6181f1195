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
  static let burst = 64
  /// Sent between two looks at whether the socket takes more.
  static let checkedByteCount = 16 << 10
  /// A broker that takes nothing for so long is said to block.
  private static let stallMax = Duration.seconds(3)
  /// Queues that are gone are made again, but not for each message that none took.
  static let redeclareInterval = Duration.seconds(30)
  static let bodyByteCountFloor = 4096
  /// A queue without a leader confirms nothing and says nothing.
  static let silenceMax = Duration.seconds(30)

  let target: BrokerTarget
  let topology: BrokerTopology
  private let limits: ConfirmWindow.Limits
  let time: any TimeSource
  let outage: OutageLog
  let lines: MeteredLogger
  let wake = Wake()
  let shared: Mutex<PublisherShared>
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
      state.unsettledCount += shared.waitingCount
      return Progress(
        session: shared.session, isOpen: shared.isOpen, confirmed: shared.confirmed,
        hasRoom: shared.waitingCount < Self.waitingCountMax
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
      shared.add(events)
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
      shared.awaitsConfirm = error.isOfConfirming
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
    var session = Session(
      run: run, window: ConfirmWindow(limits: limits), declaredAt: .now)
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
    let isWell = shared.withLock { shared in
      shared.session += 1
      shared.isOpen = true
      // A connection alone says nothing of a broker that did not confirm.
      let error = shared.awaitsConfirm ? shared.state.lastError : ""
      shared.state.become(.connected, at: time.now(), error: error)
      return !shared.awaitsConfirm
    }
    if isWell { outage.worked() }
    changed.ring()
  }

  private func isRunning(_ run: UInt64) -> Bool {
    shared.withLock { $0.run == run && !$0.isStopped }
  }
}
