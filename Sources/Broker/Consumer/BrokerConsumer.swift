package import Domain
package import Logging
import Logs
import Synchronization
import Threads

/// Has a sink told of events by a queue of the broker, and acknowledges what the sink has.
///
/// Messages wake, and carry nothing into the sink: it reads the log, which has every event once, in order,
/// with everything. So what is delivered twice, late, in another order or never does no harm, and what is
/// missing in the queue is made up for at the sink's next look. A message is acknowledged once the sink
/// has everything up to its position; one that dies before that leaves it to the next.
package final class BrokerConsumer: Sendable {
  package struct Configuration: Sendable {
    package var target: BrokerTarget
    package var topology: BrokerTopology
    package var queue: BrokerQueue
    /// Messages that may be delivered and not acknowledged.
    package var prefetch = 1000

    package init(target: BrokerTarget, topology: BrokerTopology, queue: BrokerQueue) {
      self.target = target
      self.topology = topology
      self.queue = queue
    }
  }

  private struct State: Sendable {
    var isStopped = false
    var descriptor: Int32?
    var connection: BrokerConnectionState
    /// Up to where the sink has everything.
    var settled: Int64 = 0
    /// The highest position that was delivered.
    var delivered: Int64?
  }

  private let configuration: Configuration
  private let logID: EntityID
  private let time: any TimeSource
  private let outage: OutageLog
  private let lines: MeteredLogger
  private let wake = Wake()
  private let state: Mutex<State>
  private let observer = Mutex<(@Sendable (Int64) -> Void)?>(nil)

  /// - Parameter logID: messages of other logs are refused.
  package init(
    _ configuration: Configuration, logID: EntityID, time: any TimeSource, logger: Logger
  ) {
    self.configuration = configuration
    self.logID = logID
    self.time = time
    outage = OutageLog(
      logger, "consuming \(configuration.queue.name) of \(configuration.target.address.description)"
    )
    lines = MeteredLogger(logger)
    state = Mutex(
      State(connection: BrokerConnectionState(condition: .away, since: time.now())))
  }

  package var connection: BrokerConnectionState { state.withLock { $0.connection } }

  /// The highest position that was delivered; nil before the first.
  package var delivered: Int64? { state.withLock { $0.delivered } }

  /// Has `observer` told of each position that is delivered, on the consumer's thread: it must be quick.
  /// One observer.
  package func onDelivery(_ observer: @escaping @Sendable (Int64) -> Void) {
    self.observer.withLock { $0 = observer }
  }

  /// The sink has everything up to `position`.
  package func settled(through position: Int64) {
    let isNew = state.withLock { state in
      defer { state.settled = position }
      return state.settled != position
    }
    if isNew { wake.ring() }
  }

  /// Runs until the task is cancelled.
  package func run() async throws {
    let wasServed = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isStarted = startThread { [self] in
          serve()
          continuation.resume(returning: true)
        }
        if !isStarted { continuation.resume(returning: false) }
      }
    } onCancel: {
      state.withLock { state in
        state.isStopped = true
        if let descriptor = state.descriptor { BrokerConnection.interrupt(descriptor) }
      }
      wake.ring()
    }
    try Task.checkCancellation()
    if !wasServed { throw BrokerError.unreachable("the system has no thread left for the broker") }
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  private func serve() {
    var reconnect = ReconnectMachine()
    while !isStopped {
      do throws(BrokerError) {
        try consume { reconnect.connected(at: .now) }
      } catch {
        guard !isStopped else { return }
        state.withLock {
          $0.connection.unsettledCount = 0
          $0.connection.become(.away, at: time.now(), error: "\(error)")
        }
        outage.failed("\(error)")
        let end = ContinuousClock.now + reconnect.lost(at: .now, chance: .random(in: 0...1))
        while ContinuousClock.now < end, !isStopped { wake.wait(upTo: max(.zero, end - .now)) }
      }
    }
  }

  private func consume(connected: () -> Void) throws(BrokerError) {
    let connection = try BrokerConnection(configuration.target)
    state.withLock { $0.descriptor = connection.descriptor }
    defer {
      state.withLock { $0.descriptor = nil }
      withExtendedLifetime(connection) {}
    }
    try configuration.topology.declare(configuration.queue, on: connection)
    try connection.consume(configuration.queue.name, prefetch: configuration.prefetch)
    connected()
    state.withLock { $0.connection.become(.connected, at: time.now()) }
    outage.worked()
    var ledger = DeliveryLedger()
    while !isStopped { try turn(connection, &ledger) }
    connection.sayGoodbye()
  }

  private func turn(
    _ connection: BrokerConnection, _ ledger: inout DeliveryLedger
  ) throws(BrokerError) {
    var receivedCount = 0
    var highest: Int64?
    while receivedCount < 1024, let event = try connection.next() {
      receivedCount += 1
      guard case .delivered(let tag, let body) = event else { continue }
      if let position = try position(of: body, tag, connection) {
        ledger.delivered(tag: tag, position: position)
        highest = max(highest ?? 0, position)
      }
    }
    if let highest { noticed(highest) }
    let settled = state.withLock { $0.settled }
    for one in ledger.settled(through: settled) {
      try connection.acknowledge(one.tag, isMultiple: one.isMultiple)
    }
    state.withLock { $0.connection.unsettledCount = ledger.count }
    guard receivedCount == 0 else { return }
    if connection.wait(wake, upTo: configuration.target.heartbeat / 4) { wake.clear() }
  }

  /// Nil where the message is none of this log's: it is refused.
  private func position(
    of body: String, _ tag: UInt64, _ connection: BrokerConnection
  ) throws(BrokerError) -> Int64? {
    let notice = EventNotice(body: body)
    if let notice, notice.logID == logID { return notice.position }
    try connection.reject(tag)
    lines.write(
      .warning,
      "refused a message that is no event of this log: does another deployment use the exchange?",
      kind: "foreign", metadata: ["queue": "\(configuration.queue.name)"])
    return nil
  }

  private func noticed(_ position: Int64) {
    state.withLock { $0.delivered = max($0.delivered ?? 0, position) }
    observer.withLock { $0 }?(position)
  }
}
