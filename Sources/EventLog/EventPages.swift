package import Domain
internal import Synchronization

/// The log as subscribers read it: in pages that all who read the same part share.
///
/// - A page is bounded in events and in bytes; one event may be larger than that.
/// - What was read last is kept, up to a number of bytes: hundreds who read the same past read the
///   database once, and hold the same events.
/// - One read at a time for a position: those who come meanwhile wait for its page.
///
/// Whoever waits for a client is to hold no page meanwhile, and to ask again afterwards.
package final class EventPages: Sendable {
  package struct Page: Sendable {
    /// What comes after the position that was asked for.
    package let events: ArraySlice<SharedEvent>
    /// Whether the log ended there when it was asked just now.
    package let isEnd: Bool
    /// The log's epoch when it was read; nil where nothing was.
    fileprivate let epoch: UInt32?
  }

  package struct Limits: Sendable, Hashable {
    package var eventCount = SubscriptionMachine.pageLimit
    /// What the events of a page take, as the log counts it.
    package var pageByteCount = 256 << 10
    /// What the kept pages take together.
    package var keptByteCount = 16 << 20
    package var keptPageCount = 256

    package init() {}
  }

  private struct Kept {
    let events: [SharedEvent]
    let byteCount: Int
    let epoch: UInt32?

    init(_ page: Page) {
      events = Array(page.events)
      epoch = page.epoch
      byteCount = events.reduce(0) { $0 + $1.byteCount }
    }

    /// Whether it has what comes next after `position`.
    func continues(after position: Int64) -> Bool {
      guard let first = events.first, let last = events.last else { return false }
      return first.event.position - 1 <= position && position < last.event.position
    }

    func events(after position: Int64) -> ArraySlice<SharedEvent> {
      events.drop { $0.event.position <= position }
    }
  }

  private struct State {
    /// The one that was used last is the last.
    var kept: [Kept] = []
    var keptByteCount = 0
    /// Who waits for the read of a position; the key is there as long as it runs.
    var waiters: [Int64: [CheckedContinuation<Turn, Never>]] = [:]

    /// What was read in another epoch may be of another history.
    mutating func page(after position: Int64, _ epoch: UInt32) -> Page? {
      guard
        let index = kept.lastIndex(where: { $0.epoch == epoch && $0.continues(after: position) })
      else { return nil }
      let page = kept.remove(at: index)
      kept.append(page)
      // The log may have grown since.
      return Page(events: page.events(after: position), isEnd: false, epoch: page.epoch)
    }

    mutating func keep(_ read: Page, _ limits: Limits) {
      guard !read.events.isEmpty else { return }
      let page = Kept(read)
      kept.append(page)
      keptByteCount += page.byteCount
      while keptByteCount > limits.keptByteCount || kept.count > limits.keptPageCount {
        keptByteCount -= kept.removeFirst().byteCount
      }
    }
  }

  /// What a reader does next.
  private enum Turn: Sendable {
    case take(Result<Page, StoreError>)
    case read
    /// Whoever read was cancelled.
    case askAgain
  }

  private let log: any EventLog
  private let hub: EventHub
  private let limits: Limits
  private let state = Mutex(State())

  /// - Parameter hub: of the same log; it is told of a new epoch that a read finds.
  package init(_ log: any EventLog, hub: EventHub, limits: Limits = Limits()) {
    self.log = log
    self.hub = hub
    self.limits = limits
  }

  /// How many readers wait for the log.
  package var readerCount: Int {
    state.withLock { state in state.waiters.values.reduce(state.waiters.count) { $0 + $1.count } }
  }

  /// What the kept pages take.
  package var keptByteCount: Int { state.withLock { $0.keptByteCount } }

  /// The next events after `position`; none where the log has none.
  package func page(after position: Int64) async throws(StoreError) -> Page {
    while true {
      switch await turn(position) {
      case .take(let result): return try result.get()
      case .read: return try await read(position)
      case .askAgain: continue
      }
    }
  }

  private func turn(_ position: Int64) async -> Turn {
    let epoch = hub.history.current.id
    if let page = state.withLock({ $0.page(after: position, epoch) }) {
      return .take(.success(page))
    }
    return await withCheckedContinuation { continuation in
      let turn: Turn? = state.withLock { state in
        if let page = state.page(after: position, epoch) { return .take(.success(page)) }
        guard state.waiters[position] == nil else {
          state.waiters[position]?.append(continuation)
          return nil
        }
        state.waiters[position] = []
        return .read
      }
      if let turn { continuation.resume(returning: turn) }
    }
  }

  /// Off the event loop of whoever asks: a page is up to 256 KiB of JSON, and others wait there. And not
  /// within the deadline of whoever asks, since others wait for the page.
  private func load(_ position: Int64) async -> Result<Page, StoreError> {
    await CallDeadline.$current.withValue(nil) {
      await withTaskExecutorPreference(globalConcurrentExecutor) {
        do throws(StoreError) {
          let page = try await log.page(
            after: position, limit: limits.eventCount, byteCountMax: limits.pageByteCount)
          try await hub.follow(page, of: log)
          return .success(
            Page(
              events: page.events.map(SharedEvent.init)[...], isEnd: page.isEnd,
              epoch: page.epoch))
        } catch {
          return .failure(error)
        }
      }
    }
  }

  private func read(_ position: Int64) async throws(StoreError) -> Page {
    let result = await load(position)
    // What ended this reader alone is not an answer to the others.
    var forOthers = Turn.take(result)
    if case .failure = result, Task.isCancelled { forOthers = .askAgain }
    let waiters = state.withLock { state in
      if case .success(let page) = result { state.keep(page, limits) }
      return state.waiters.removeValue(forKey: position) ?? []
    }
    for waiter in waiters { waiter.resume(returning: forOthers) }
    return try result.get()
  }
}
