package import Domain
package import Logging
import Logs
import Synchronization

/// Publishes the log to a broker: every event in order, at least once, by one server of a deployment at a
/// time.
///
///   standby ── has the lease ──▶ publishing ── lost it, or the log is of another epoch ──▶ standby
///                                           ── the broker is away for long: gives it back ──▶
///
/// How far it is stands in the database, and is moved only over what the broker has confirmed. Nobody
/// waits for it: what the broker does not take stays in the log, and is read from there when it does.
package final class BrokerPublisher: Sendable {
  package struct Configuration: Sendable {
    package var target: BrokerTarget
    package var topology: BrokerTopology
    /// Of an event's message; what is larger goes without payload and metadata.
    package var bodyByteCountMax = 16 << 20
    package var leaseLifetime = Duration.seconds(10)
    /// How often the cursor is written while it moves.
    package var cursorInterval = Duration.milliseconds(100)
    /// How often the lease is renewed while it does not.
    package var renewalInterval = Duration.seconds(2)
    /// How often a lease is asked for.
    package var standbyInterval = Duration.seconds(1)
    /// After so long without the broker another server may try: it may be nearer to it.
    package var awayMax = Duration.seconds(20)
    /// Between two looks at the log while nothing is heard of it.
    package var idleInterval = Duration.milliseconds(500)

    package init(target: BrokerTarget, topology: BrokerTopology) {
      self.target = target
      self.topology = topology
    }
  }

  private static let pageLimit = 500
  private static let pageByteCountMax = 4 << 20

  private let configuration: Configuration
  private let store: any PublicationStore
  private let log: any EventLog
  private let live: any LiveLog
  private let owner: EntityID
  private let clock: any Clock<Duration>
  private let driver: PublisherDriver
  private let outage: OutageLog
  private let lines: MeteredLogger
  private let liveEpoch: @Sendable () -> UInt32
  private let current = Mutex<PublicationLease?>(nil)

  /// - Parameters:
  ///   - log: with the archive where there is one: what has left the store is published from there.
  ///   - liveEpoch: the one that the live end is of; asked after what it gives.
  ///   - owner: tells this publisher from others.
  package init(
    _ configuration: Configuration, store: any PublicationStore, log: any EventLog,
    live: any LiveLog, liveEpoch: @escaping @Sendable () -> UInt32, owner: EntityID,
    time: any TimeSource,
    clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.configuration = configuration
    self.store = store
    self.log = log
    self.live = live
    self.owner = owner
    self.liveEpoch = liveEpoch
    self.clock = clock
    driver = PublisherDriver(
      target: configuration.target, topology: configuration.topology,
      bodyByteCountMax: configuration.bodyByteCountMax, time: time, logger: logger)
    outage = OutageLog(logger, "reading the log for the broker")
    lines = MeteredLogger(logger)
  }

  /// Runs until the task is cancelled; whatever fails is tried again. `handOver` is to follow.
  package func run() async throws {
    guard driver.start() else {
      throw BrokerError.unreachable("the system has no thread left for the broker")
    }
    defer { driver.stop() }
    while true {
      try Task.checkCancellation()
      do throws(StoreError) {
        let lease = try await store.acquire(
          configuration.topology.exchange, owner: owner, for: configuration.leaseLifetime)
        if let lease {
          current.withLock { $0 = lease }
          try await publish(lease)
        }
        outage.worked()
      } catch {
        try Task.checkCancellation()
        outage.failed("\(error)")
      }
      try Task.checkCancellation()
      await handOver()
      try await clock.sleep(for: configuration.standbyInterval)
    }
  }

  /// Writes how far it is and lets another one continue at once, where it still has the lease.
  package func handOver() async {
    guard let lease = current.withLock({ $0.take() }) else { return }
    do throws(StoreError) {
      let progress = driver.progress
      _ = try await store.advance(
        lease, to: progress.confirmed, status: progress.status, for: configuration.leaseLifetime)
      try await store.release(lease)
    } catch {
      // It ends by itself, and what is not written is published once more.
    }
  }

  /// How far this server, or another, is; nil before the first.
  package func publication() async throws(StoreError) -> Publication? {
    try await store.publication(configuration.topology.exchange)
  }

  private func publish(_ lease: PublicationLease) async throws(StoreError) {
    let history = try await log.history()
    // Another epoch has begun since.
    guard history.current.id == lease.epoch else { return }
    driver.begin(after: lease.position)
    defer { driver.end() }
    let result = await withTaskGroup(of: Void.self) { group in
      group.addTask { [live, driver] in await Self.ring(driver.changed, for: live) }
      defer { group.cancelAll() }
      return await follow(lease, of: history)
    }
    try result.get()
  }

  /// Rings where the log may have more.
  private static func ring(_ signal: WakeSignal, for live: any LiveLog) async {
    while !Task.isCancelled {
      let head = live.head ?? 0
      await live.wait(after: head)
      signal.ring()
      // While it drains, it waits for nothing.
      if (live.head ?? 0) <= head { try? await Task.sleep(for: .milliseconds(100)) }
    }
  }

  private struct Position {
    var session: UInt64 = 0
    var read: Int64
    /// When the log was last found to end there.
    var endedAt: ContinuousClock.Instant?
    var written: Int64
    var writtenAt = ContinuousClock.now
    var awaySince: ContinuousClock.Instant?
  }

  /// Returns when the lease is lost or given back.
  private func follow(
    _ lease: PublicationLease, of history: LogHistory
  ) async -> Result<Void, StoreError> {
    var position = Position(read: lease.position, written: lease.position)
    do throws(StoreError) {
      while !Task.isCancelled {
        let progress = driver.progress
        guard try await keep(lease, &position, progress) else { return .success(()) }
        if isAwayForLong(&position, progress) { return .success(()) }
        if progress.session != position.session {
          position.session = progress.session
          // What was sent and not confirmed is sent again.
          position.read = progress.confirmed
        }
        if progress.isOpen, progress.hasRoom {
          guard let count = try await offer(history, &position, progress) else {
            return .success(())
          }
          if count > 0 { continue }
        }
        await driver.changed.wait(
          upTo: progress.confirmed > position.written
            ? configuration.cursorInterval : configuration.idleInterval, clock: clock)
      }
      return .success(())
    } catch {
      return .failure(error)
    }
  }

  /// Writes the cursor or renews the lease, where one of both is due; false where the lease is lost.
  private func keep(
    _ lease: PublicationLease, _ position: inout Position, _ progress: PublisherDriver.Progress
  ) async throws(StoreError) -> Bool {
    let hasMoved = progress.confirmed > position.written
    let interval = hasMoved ? configuration.cursorInterval : configuration.renewalInterval
    guard ContinuousClock.now - position.writtenAt >= interval else { return true }
    position.writtenAt = .now
    guard
      try await store.advance(
        lease, to: progress.confirmed, status: progress.status, for: configuration.leaseLifetime)
    else { return false }
    position.written = progress.confirmed
    return true
  }

  private func isAwayForLong(
    _ position: inout Position, _ progress: PublisherDriver.Progress
  ) -> Bool {
    guard !progress.isOpen else {
      position.awaySince = nil
      return false
    }
    let since = position.awaySince ?? .now
    position.awaySince = since
    return ContinuousClock.now - since > configuration.awayMax
  }

  /// Gives the driver what comes next; how much that was, nil where the log is of another epoch.
  private func offer(
    _ history: LogHistory, _ position: inout Position, _ progress: PublisherDriver.Progress
  ) async throws(StoreError) -> Int? {
    guard let events = try await events(history.current.id, &position) else { return nil }
    guard let last = events.last else { return 0 }
    let messages = events.map { event in
      // That of the position, so that an event that comes again says the same.
      OutgoingEvent(
        event, logID: history.logID, epoch: history.epoch(of: event.position).id,
        bodyByteCountMax: progress.bodyByteCountMax)
    }
    for message in messages where message.isCut {
      lines.write(
        .warning, "an event is too large for the broker: published without its payload",
        kind: "cut", metadata: ["event": "\(message.id)", "position": "\(message.position)"])
    }
    driver.offer(messages, session: position.session)
    position.read = last.position
    return messages.count
  }

  /// What comes next: of the live end where that has it, else of the log itself.
  private func events(
    _ epoch: UInt32, _ position: inout Position
  ) async throws(StoreError) -> [StoredEvent]? {
    if case .events(let events) = live.events(after: position.read, limit: Self.pageLimit),
      !events.isEmpty, liveEpoch() == epoch
    {
      return events
    }
    if let endedAt = position.endedAt, let head = live.head, head <= position.read,
      ContinuousClock.now - endedAt < configuration.idleInterval
    {
      return []
    }
    let page = try await log.page(
      after: position.read, limit: Self.pageLimit, byteCountMax: Self.pageByteCountMax)
    guard page.epoch ?? epoch == epoch else { return nil }
    position.endedAt = page.isEnd ? .now : nil
    return page.events
  }
}

extension PublisherDriver.Progress {
  fileprivate var status: PublicationStatus {
    PublicationStatus(
      condition: state.condition, since: state.since,
      unconfirmedCount: Int64(state.unsettledCount), lastError: state.lastError)
  }
}
