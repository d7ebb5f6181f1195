package import Domain
package import Logging
internal import Logs
internal import Synchronization

/// Seals what has come to the log and to the audit's entries, again and again, beside everything else: no
/// call waits for it.
///
/// Any number of servers may run it: a seal has a number, and the second one of a number is refused. Who
/// finds that another server has sealed just now leaves it to that one.
package final class LogSealer: Sendable {
  package struct Configuration: Sendable {
    /// Between two seals while little comes. What is newer may be changed unseen.
    package var interval = Duration.seconds(10)
    /// Rows that one seal vouches for, of each kind.
    package var rowMax = 1000
    /// What the events of one seal take together; the last one may exceed it.
    package var byteCountMax = 8 << 20
    /// Between two seals while much waits: the first run over an old log takes no more than its part.
    package var pause = Duration.milliseconds(20)

    package init() {}
  }

  /// How far it is.
  package struct Status: Sendable, Hashable {
    package var position: Int64 = 0
    package var entry: Int64 = 0
    /// Nil while all is well.
    package var lastError: String?
  }

  private let log: any EventLog
  private let store: any AuditStore
  private let chain: SealChain
  private let time: any TimeSource
  private let configuration: Configuration
  private let outage: OutageLog
  private let state = Mutex(Status())

  /// - Parameter log: with its archive: events may have left the store before they were sealed first.
  package init(
    log: any EventLog, store: any AuditStore, key: [UInt8]? = nil, time: any TimeSource,
    configuration: Configuration = Configuration(), logger: Logger
  ) {
    self.log = log
    self.store = store
    self.time = time
    self.configuration = configuration
    chain = SealChain(key: key)
    outage = OutageLog(logger, "sealing the log")
  }

  package var status: Status { state.withLock { $0 } }

  /// Runs until the task is cancelled.
  package func run() async throws {
    while true {
      var hasMore = false
      do throws(StoreError) {
        hasMore = try await seal(unlessSealedWithin: configuration.interval / 2)
        outage.worked()
        state.withLock { $0.lastError = nil }
      } catch {
        try Task.checkCancellation()
        outage.failed("\(error)")
        state.withLock { $0.lastError = "\(error)" }
      }
      // Servers that started together part.
      let wait = configuration.interval * Double.random(in: 0.8...1.2)
      try await Task.sleep(for: hasMore ? configuration.pause : wait)
    }
  }

  /// Seals everything that is there now.
  package func sealAll() async throws(StoreError) {
    while try await seal(unlessSealedWithin: .zero) {}
  }

  /// Makes one seal, where there is something to seal.
  ///
  /// - Parameter age: what another server has sealed so lately is left to it, but for a backlog.
  /// - Returns: whether there may be more.
  private func seal(unlessSealedWithin age: Duration) async throws(StoreError) -> Bool {
    let last = try await store.lastSeal()
    let place: SealChain.Place
    if let last {
      place = SealChain.Place(last)
    } else {
      place = SealChain.Place(beginningOf: try await log.history().logID)
    }
    state.withLock { ($0.position, $0.entry) = (place.lastPosition, place.lastEntry) }
    let now = time.now()
    let events = try await log.page(
      after: place.lastPosition, limit: configuration.rowMax,
      byteCountMax: configuration.byteCountMax
    ).events
    let entries = try await store.entries(after: place.lastEntry, limit: configuration.rowMax)
    let isFull = events.count == configuration.rowMax || entries.count == configuration.rowMax
    if let last, !isFull, last.madeAt.advanced(by: age) > now { return false }
    guard let seal = chain.seal(after: place, events: events, entries: entries, at: now) else {
      return false
    }
    guard try await store.insert(seal) else { return false }
    state.withLock { ($0.position, $0.entry) = (seal.lastPosition, seal.lastEntry) }
    return isFull
  }
}
