package import Domain
package import Logging
import Logs
import Synchronization

/// Carries the log into the lake: each event once, in order, never before it is committed.
///
/// Its cursor is the lake's own `publishedPosition`, so that no crash can part the two.
package final class LakeSink: Sendable {
  let lake: ParquetEventLake
  let log: any EventLog
  let blobs: (any PagedEventBlobs)?
  let areBlobsComplete = Mutex(false)
  let logger: Logger
  private let publishing: OutageLog
  private let repairing: OutageLog
  let pageSize: Int
  let reading: Reading
  private let time: (any TimeSource)?
  private let compactedDay = Mutex<Int64>(.min)
  private let machine: Mutex<FlushMachine>
  private let wake = WakeSignal()
  private let failure = Mutex<String?>(nil)
  private let compared = Mutex(false)
  private let publishObserver = Mutex<(@Sendable (Int64) -> Void)?>(nil)
  /// When files in the quarantine are looked at again.
  let nextReinstatement = Mutex<ContinuousClock.Instant?>(nil)

  /// How the log is read for one publication: events may be large, and as many as a publication
  /// may have must not be held at any size.
  package struct Reading: Sendable, Hashable {
    /// Events read at a time.
    package var portion = 1000
    /// No more is read once the events take this much.
    package var byteCountMax = 32 << 20

    package init() {}
  }

  /// - Parameters:
  ///   - log: without an archive: what has left it is in this lake.
  ///   - blobs: the contents that events name; nil: they stay where they are.
  ///   - time: where given, closed days are compacted when nothing else is to be done.
  package init(
    lake: ParquetEventLake, log: any EventLog, blobs: (any PagedEventBlobs)? = nil,
    policy: FlushMachine.Policy = .init(),
    reading: Reading = .init(), logger: Logger, time: (any TimeSource)? = nil
  ) {
    self.reading = reading
    self.lake = lake
    self.log = log
    self.blobs = blobs
    self.logger = logger
    publishing = OutageLog(logger, "publishing events to the lake", level: .error)
    repairing = OutageLog(logger, "restoring damaged files of the lake", level: .error)
    self.time = time
    pageSize = Int(clamping: max(1, policy.eventCount))
    machine = Mutex(FlushMachine(policy: policy, published: lake.publishedPosition))
  }

  /// Tells the sink how far the log reaches; cheap, from any task. Losing one costs only latency.
  package func noticed(head position: Int64) {
    machine.withLock { $0.noticed(head: position, at: .now) }
    wake.ring()
  }

  /// Has `observer` told up to where every event is durable in the lake, after each look and each
  /// publication. It must be quick. One observer.
  package func onPublish(_ observer: @escaping @Sendable (Int64) -> Void) {
    publishObserver.withLock { $0 = observer }
  }

  private func published() {
    publishObserver.withLock { $0 }?(lake.publishedPosition)
  }

  /// Why the last attempt failed; nil while all is well.
  package var lastFailure: String? { failure.withLock { $0 } }

  /// Publishes everything that is committed now and returns how far that is. What has no position
  /// yet is waited for, at most `timeout`: the relay may be away.
  ///
  /// May run beside `run()`: the lake passes over what the other one has published already.
  package func flush(timeout: Duration = .seconds(5)) async throws -> Int64 {
    try await awaitPositions(until: .now + timeout)
    let head = try await log.head()
    _ = try await agreeing { try await align() }
    while lake.publishedPosition < head {
      try Task.checkCancellation()
      guard try await agreeing({ try await publishPage() }) else { break }
    }
    machine.withLock { $0.published(through: lake.publishedPosition, at: .now) }
    published()
    return lake.publishedPosition
  }

  /// Whether what the lake has was compared with the log since the log may have lost something.
  var isCompared: Bool {
    get { compared.withLock { $0 } }
    set { compared.withLock { $0 = newValue } }
  }

  /// Every event up to `position` is in the lake, and none after it.
  func restart(at position: Int64) {
    machine.withLock { machine in
      guard lake.publishedPosition != machine.publishedPosition else { return }
      machine = FlushMachine(policy: machine.policy, published: position)
    }
  }

  private func awaitPositions(until deadline: ContinuousClock.Instant) async throws {
    guard let newest = try await log.newestUnsequenced() else { return }
    // Positions are given in the order of insertion, so that all before it have one as well.
    while try await log.position(of: newest) == nil, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Publishes as the policy says until the task is cancelled. Failures are logged and retried:
  /// the log keeps everything, nobody waits for the lake.
  package func run() async {
    await repairLogged()
    while !Task.isCancelled {
      switch machine.withLock({ $0.next(at: .now) }) {
      case .wait(let deadline): await rest(until: deadline)
      case .look(let deadline):
        await look()
        await repairLogged()
        await compactClosedDays()
        if isIdle { await rest(until: deadline) }
      case .flush: await step()
      }
    }
  }

  private func rest(until deadline: ContinuousClock.Instant) async {
    await wake.wait(
      upTo: max(.zero, ContinuousClock.now.duration(to: deadline)), clock: ContinuousClock())
  }

  /// Once a day; a day that cannot be compacted now is tried again the next day.
  private func compactClosedDays() async {
    guard let now = time?.now() else { return }
    let today = CivilTime(now).dayNumber
    guard compactedDay.withLock({ $0 < today }) else { return }
    do {
      let report = try await lake.compact(before: now)
      compactedDay.withLock { $0 = today }
      for (day, reason) in report.skipped.sorted(by: { $0.key < $1.key }) {
        logger.warning("a day was not compacted", metadata: ["day": "\(day)", "why": "\(reason)"])
      }
    } catch {
      if Task.isCancelled { return }
      compactedDay.withLock { $0 = today }
      logger.error("closed days were not compacted", metadata: ["error": "\(error)"])
    }
  }

  private var isIdle: Bool {
    if case .look = machine.withLock({ $0.next(at: .now) }) { true } else { false }
  }

  /// Asks the log itself how far it reaches.
  private func look() async {
    do {
      let head = try await log.head()
      if head < lake.publishedPosition { isCompared = false }
      _ = try await align()
      machine.withLock { $0.looked(head: head, at: .now) }
      published()
      failure.withLock { $0 = nil }
      publishing.worked()
    } catch is StoreError {
      // The database's troubles are told elsewhere.
    } catch {
      if Task.isCancelled { return }
      failure.withLock { $0 = "\(error)" }
      publishing.failed("\(error)")
    }
  }

  /// Tries again where another task published, or compared lake and log, in between.
  private func agreeing<Value>(_ body: () async throws -> Value) async throws -> Value {
    for _ in 0..<9 {
      do {
        return try await body()
      } catch LakeError.historyChanged {
        try Task.checkCancellation()
      }
    }
    return try await body()
  }

  private func step() async {
    do {
      _ = try await agreeing { try await publishPage() }
      machine.withLock { $0.published(through: lake.publishedPosition, at: .now) }
      published()
      failure.withLock { $0 = nil }
      publishing.worked()
      await repairLogged()
    } catch {
      if Task.isCancelled { return }
      machine.withLock { $0.failed(at: .now) }
      failure.withLock { $0 = "\(error)" }
      publishing.failed("\(error)")
    }
  }

  /// False where the log has nothing after what is published.
  private func publishPage() async throws -> Bool {
    let history = try await align()
    let published = lake.publishedPosition
    var events: [StoredEvent] = []
    var byteCount = 0
    while events.count < pageSize, byteCount < reading.byteCountMax {
      let portion = try await page(
        after: events.last?.position ?? published,
        limit: min(pageSize - events.count, reading.portion),
        byteCountMax: reading.byteCountMax - byteCount)
      try check(portion, history)
      byteCount += portion.events.reduce(0) {
        $0 + $1.payload.byteCount + $1.metadata.byteCount
      }
      events += portion.events
      if portion.isEnd { break }
    }
    guard !events.isEmpty else { return false }
    try await storeBlobs(of: events)
    try await lake.append(events, of: history)
    return true
  }

  /// Throws where the page is of a later history than the one that the lake continues.
  func check(_ page: LogPage, _ history: LogHistory) throws(LakeError) {
    guard page.epoch.map({ $0 == history.current.id }) ?? true else { throw .historyChanged }
  }

  /// A page of what the lake does not have yet. Where another server's lake had it, and it has left the
  /// log, this lake can never have it.
  private func page(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws -> LogPage {
    do throws(StoreError) {
      return try await log.page(after: position, limit: limit, byteCountMax: byteCountMax)
    } catch .archived {
      throw LakeError.behindFloor(
        published: position, floor: try await log.floor().position)
    }
  }

  private func repairLogged() async {
    guard !lake.damaged.isEmpty else { return }
    do {
      let count = try await agreeing { try await repair() }
      repairing.worked()
      logger.notice("restored damaged files of the lake", metadata: ["files": "\(count)"])
    } catch {
      if Task.isCancelled { return }
      failure.withLock { $0 = "\(error)" }
      repairing.failed("\(error)")
    }
  }
}
