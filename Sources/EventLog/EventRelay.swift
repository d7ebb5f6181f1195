package import Domain
package import Logging
internal import Logs
internal import Synchronization

/// Moves committed events to the live end: gives them positions and hands them to the hub.
///
///   follow ── the sequencer has the lock ──▶ lead ── it lost the lock or the database ──▶ follow
///
/// One process of a deployment leads: it holds the sequencer's lock. The others read the
/// log. Both hand the hub dense positions in order; whatever fails is tried again, and what a
/// failure hid is read from the log, so that an outage costs time, never an event.
package final class EventRelay: Sendable {
  package struct Configuration: Sendable {
    /// Most events sequenced or read at a time.
    package var batchLimit = 1000
    /// What the events take together that are read at a time.
    package var pageByteCountMax = 8 << 20
    /// Between two batches under load: what is committed meanwhile is taken together.
    package var busyInterval = Duration.milliseconds(5)
    /// How many batches may follow each other at once after a quiet time.
    package var burst = 3
    /// Between two looks while none come; `wake` cuts it short.
    package var idleInterval = Duration.milliseconds(250)
    /// How long a follower only reads before it tries to lead.
    package var electionInterval = Duration.seconds(1)
    package var backoffMin = Duration.milliseconds(50)
    package var backoffMax = Duration.seconds(2)

    package init() {}
  }

  /// How the relay is doing, for health and introspection.
  package struct Status: Sendable, Hashable {
    package var isLeading = false
    package var position: Int64 = 0
    /// What went wrong last; nil once something went well again. For the log and admins.
    package var lastError: String?
  }

  private let log: any EventLog
  private let hub: EventHub
  private let sequencer: any EventSequencer
  private let announce: (@Sendable () async -> Void)?
  private let advanced: (@Sendable (Int64) -> Void)?
  private let configuration: Configuration
  private let clock: any Clock<Duration>
  private let outage: OutageLog
  private let signal = WakeSignal()
  /// Rung where other servers are to be woken: any number of times while they are being woken is
  /// one time more.
  private let announcement = WakeSignal()
  private let state = Mutex(Status())
  private let isCommitWaiting = Atomic(false)

  /// - Parameter announce: wakes the relays of other servers; nil where there are none. Losing one
  ///   announcement costs them latency, never data.
  /// - Parameter advanced: told how far the log reaches after each batch; must be quick.
  package init(
    log: any EventLog, hub: EventHub, sequencer: any EventSequencer,
    configuration: Configuration = Configuration(), clock: any Clock<Duration> = ContinuousClock(),
    announce: (@Sendable () async -> Void)? = nil,
    advanced: (@Sendable (Int64) -> Void)? = nil, logger: Logger
  ) {
    self.log = log
    self.hub = hub
    self.sequencer = sequencer
    self.configuration = configuration
    self.clock = clock
    self.announce = announce
    self.advanced = advanced
    outage = OutageLog(logger, "the relay of events")
  }

  package var status: Status { state.withLock { $0 } }

  /// Something was committed here. Cheap; losing one costs at most the idle interval.
  package func wake() {
    isCommitWaiting.store(true, ordering: .relaxed)
    signal.ring()
  }

  /// Runs until the task is cancelled. `wakeups` are those of other processes.
  package func run(wakeups: AsyncStream<Void>? = nil) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let wakeups {
        group.addTask { for await _ in wakeups { self.signal.ring() } }
      }
      if let announce {
        group.addTask { try await self.announceAgain(announce) }
      }
      group.addTask { try await self.relay() }
      // The stream of wake-ups may end; the relay continues without it.
      while try await group.next() != nil {}
    }
  }

  /// Beside the relay: our own subscribers do not wait for other servers.
  private func announceAgain(_ announce: @Sendable () async -> Void) async throws {
    while true {
      await announcement.wait()
      try Task.checkCancellation()
      await announce()
    }
  }

  private func relay() async throws {
    var backoff = configuration.backoffMin
    while !Task.isCancelled {
      do throws(StoreError) {
        // Another database may answer now than before.
        try await hub.compare(with: log)
        if hub.head == nil { hub.begin(at: try await log.head()) }
        try await lead { backoff = self.configuration.backoffMin }
        try await follow { backoff = self.configuration.backoffMin }
      } catch {
        if Task.isCancelled { break }
        failed(error)
        try? await clock.sleep(for: backoff * Double.random(in: 0.5...1))
        backoff = min(backoff * 2, configuration.backoffMax)
      }
    }
    throw CancellationError()
  }

  /// Gives positions until another process turns out to hold the lock.
  private func lead(_ worked: () -> Void) async throws(StoreError) {
    defer { note { $0.isLeading = false } }
    var nextLook: ContinuousClock.Instant?
    var pace = BatchPace(interval: configuration.busyInterval, burst: configuration.burst)
    while !Task.isCancelled {
      guard let events = try await sequencer.sequence(limit: configuration.batchLimit) else {
        return
      }
      worked()
      note { $0.isLeading = true }
      // First the epoch that began with our leading, and positions that we did not see: of the leader
      // before us, or of a batch whose answer was lost.
      if nextLook == nil { nextLook = try await lookAround() }
      publish(events)
      isCommitWaiting.store(false, ordering: .relaxed)
      if !events.isEmpty { announcement.ring() }
      // An epoch that another server has begun.
      if let next = nextLook, ContinuousClock.now >= next { nextLook = try await lookAround() }
      // After the last of what was waiting, those committed in the next moment are taken together:
      // under load that saves most of the transactions.
      let pause = events.isEmpty ? Duration.zero : pace.worked(now: .now)
      if events.count >= configuration.batchLimit { continue }
      if pause > .zero { try? await clock.sleep(for: pause) }
      // Looked at once more soon: it may have been cut short, and not everybody who commits rings.
      await signal.wait(
        upTo: events.isEmpty ? configuration.idleInterval : configuration.busyInterval,
        clock: clock)
    }
  }

  /// Learns of the log's epoch and hands over what the hub does not have; when to do it again.
  private func lookAround() async throws(StoreError) -> ContinuousClock.Instant {
    try await hub.follow(log)
    try await readOn()
    return .now.advanced(by: configuration.electionInterval)
  }

  private func follow(_ worked: () -> Void) async throws(StoreError) {
    let end = ContinuousClock.now.advanced(by: configuration.electionInterval)
    var pace = BatchPace(interval: configuration.busyInterval, burst: configuration.burst)
    while !Task.isCancelled, ContinuousClock.now < end {
      // What was committed here waits for the leader to sequence it.
      if isCommitWaiting.exchange(false, ordering: .relaxed) { announcement.ring() }
      let page = try await readPage()
      worked()
      let pause = pace.worked(now: .now)
      if !page.isEnd { continue }
      if pause > .zero { try? await clock.sleep(for: pause) }
      await signal.wait(upTo: configuration.idleInterval, clock: clock)
    }
  }

  /// Hands over what the log has after the hub's head.
  private func readOn() async throws(StoreError) {
    while !Task.isCancelled, try await !readPage().isEnd {}
  }

  private func readPage() async throws(StoreError) -> LogPage {
    let page = try await log.page(
      after: hub.head ?? 0, limit: configuration.batchLimit,
      byteCountMax: configuration.pageByteCountMax)
    try await hub.follow(page, of: log)
    publish(page.events)
    return page
  }

  private func publish(_ events: [StoredEvent]) {
    if !events.isEmpty {
      hub.publish(events)
      advanced?(hub.head ?? 0)
    }
    outage.worked()
    note { status in
      status.position = hub.head ?? 0
      status.lastError = nil
    }
  }

  private func failed(_ error: StoreError) {
    outage.failed("\(error)")
    note { $0.lastError = "\(error)" }
  }

  private func note(_ change: (inout Status) -> Void) { state.withLock { change(&$0) } }
}
