import Domain
import EventLog
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Pages of the log` {
  /// A log that counts its reads, and that tests can hold up and let fail.
  private final class CountedLog: EventLog {
    private struct State {
      var readCount = 0
      var history = LogHistory.unnamed
      var isHeld = false
      var failure: StoreError?
      var held: [CheckedContinuation<Void, Never>] = []
    }

    let events: [StoredEvent]
    private let state = Mutex(State())

    init(count: Int64, payloadByteCount: Int = 2) {
      events = (0..<count).map { index in
        let id = EntityID(high: 1, low: UInt64(index))
        return StoredEvent(
          id: id, seq: index + 1, position: index + 1, type: "goal.created", entityType: "goal",
          entityID: id, version: 1, userID: nil,
          payload: SealedJSON(sealedText: String(repeating: "x", count: payloadByteCount)),
          metadata: "",
          createdAt: Timestamp(microsecondsSinceEpoch: index))
      }
    }

    var readCount: Int { state.withLock { $0.readCount } }
    func hold() { state.withLock { $0.isHeld = true } }
    func fail(_ error: StoreError) { state.withLock { $0.failure = error } }

    func release() {
      let held = state.withLock { state in
        state.isHeld = false
        defer { state.held = [] }
        return state.held
      }
      for reader in held { reader.resume() }
    }

    func events(
      in window: EventWindow, limits: WindowLimits, scope: AccessScope
    ) async throws(StoreError) -> WindowPage {
      WindowPage(events: [], completeTo: window.through, lookedCount: 0)
    }

    func page(
      after position: Int64, limit: Int, byteCountMax: Int
    ) async throws(StoreError) -> LogPage {
      // Others wait for the page too: it is not read within the time of one of them.
      if CallDeadline.current != nil { throw .timedOut(maybeCommitted: false) }
      await withCheckedContinuation { continuation in
        let isNow = state.withLock { state in
          state.readCount += 1
          if state.isHeld { state.held.append(continuation) }
          return !state.isHeld
        }
        if isNow { continuation.resume() }
      }
      if Task.isCancelled { throw .cancelled }
      let failure = state.withLock { state in
        defer { state.failure = nil }
        return state.failure
      }
      if let failure { throw failure }
      var page: [StoredEvent] = []
      var byteCount = 0
      for event in events.dropFirst(Int(position)).prefix(limit) where byteCount < byteCountMax {
        byteCount += event.payload.byteCount
        page.append(event)
      }
      return LogPage(
        events: page, isEnd: position + Int64(page.count) >= Int64(events.count),
        epoch: state.withLock { $0.history.current.id })
    }

    func floor() async throws(StoreError) -> LogFloor { .none }
    func head() async throws(StoreError) -> Int64 { Int64(events.count) }
    func history() async throws(StoreError) -> LogHistory { state.withLock { $0.history } }
    func declare(_ loss: LogLoss) async throws(StoreError) -> LogHistory { try await history() }
    func contains(_ eventID: EntityID) async throws(StoreError) -> Bool { false }
    func begin(_ history: LogHistory) { state.withLock { $0.history = history } }
    func end(unsequencedMax: Int) async throws(StoreError) -> LogEnd? { nil }
    func position(of eventID: EntityID) async throws(StoreError) -> Int64? { nil }
    func newestUnsequenced() async throws(StoreError) -> EntityID? { nil }
    func position(at time: Timestamp) async throws(StoreError) -> Int64 { 0 }
    func tail(
      user: EntityID, from: Timestamp, to: Timestamp, after position: Int64, scope: AccessScope
    ) async throws(StoreError) -> [StoredEvent] { [] }
  }

  private func positions(_ page: EventPages.Page) -> [Int64] { page.events.map(\.event.position) }

  @Test func `are read once, and shared from any place in them`() async throws {
    let log = CountedLog(count: 20)
    let pages = EventPages(log, hub: EventHub())
    let first = try await pages.page(after: 0)
    #expect(positions(first) == Array(1...20) && first.isEnd)
    let again = try await pages.page(after: 7)
    #expect(positions(again) == Array(8...20))
    #expect(again.events.first === first.events[7])
    // The log may have grown since: only the log itself says where it ends.
    #expect(!again.isEnd)
    #expect(log.readCount == 1)
    let end = try await pages.page(after: 20)
    #expect(end.events.isEmpty && end.isEnd && log.readCount == 2)
  }

  @Test func `are bounded in events and in bytes, but hold one event of any size`() async throws {
    var limits = EventPages.Limits()
    limits.eventCount = 3
    limits.pageByteCount = 100
    #expect(
      positions(
        try await EventPages(CountedLog(count: 9), hub: EventHub(), limits: limits).page(after: 1))
        == [
          2, 3, 4,
        ])
    let large = EventPages(
      CountedLog(count: 9, payloadByteCount: 70), hub: EventHub(), limits: limits)
    #expect(positions(try await large.page(after: 1)) == [2, 3])
    let huge = EventPages(
      CountedLog(count: 9, payloadByteCount: 1000), hub: EventHub(), limits: limits)
    let page = try await huge.page(after: 1)
    #expect(positions(page) == [2] && !page.isEnd)
  }

  @Test func `are kept up to a number of bytes and of pages, those that were used last`()
    async throws
  {
    var limits = EventPages.Limits()
    limits.eventCount = 1
    limits.keptByteCount = 3 * 2512
    let log = CountedLog(count: 9, payloadByteCount: 1000)
    let pages = EventPages(log, hub: EventHub(), limits: limits)
    for position in 0..<3 as Range<Int64> { _ = try await pages.page(after: position) }
    #expect(log.readCount == 3)
    _ = try await pages.page(after: 0)
    #expect(log.readCount == 3)
    _ = try await pages.page(after: 3)
    #expect(pages.keptByteCount <= limits.keptByteCount)
    _ = try await pages.page(after: 0)
    #expect(log.readCount == 4)
    _ = try await pages.page(after: 1)
    #expect(log.readCount == 5)
    limits.keptPageCount = 0
    let forgetful = EventPages(log, hub: EventHub(), limits: limits)
    _ = try await forgetful.page(after: 0)
    #expect(forgetful.keptByteCount == 0)
  }

  /// Begins readers of one place, and waits until one of them reads and the others wait for it.
  private func readers(
    _ count: Int, of pages: EventPages, _ log: CountedLog
  ) async -> [Task<EventPages.Page, any Error>] {
    log.hold()
    var tasks: [Task<EventPages.Page, any Error>] = []
    for number in 1...count {
      tasks.append(Task { try await pages.page(after: 0) })
      while pages.readerCount < number { await Task.yield() }
    }
    return tasks
  }

  @Test func `are not read within the time of one reader`() async throws {
    let pages = EventPages(CountedLog(count: 5), hub: EventHub())
    let page = try await CallDeadline.$current.withValue(.now) { try await pages.page(after: 0) }
    #expect(positions(page) == Array(1...5))
  }

  @Test func `that many want at once are read once`() async throws {
    let log = CountedLog(count: 5)
    let pages = EventPages(log, hub: EventHub())
    let tasks = await readers(50, of: pages, log)
    log.release()
    for task in tasks { #expect(positions(try await task.value) == Array(1...5)) }
    #expect(log.readCount == 1 && pages.readerCount == 0)
  }

  @Test func `are read by another where their reader was cancelled`() async throws {
    let log = CountedLog(count: 5)
    let pages = EventPages(log, hub: EventHub())
    let tasks = await readers(3, of: pages, log)
    tasks[0].cancel()
    log.release()
    await #expect(throws: StoreError.cancelled) { try await tasks[0].value }
    for task in tasks.dropFirst() { #expect(positions(try await task.value).count == 5) }
  }

  @Test func `fail for all who wait, and for nobody after that`() async throws {
    let log = CountedLog(count: 5)
    let pages = EventPages(log, hub: EventHub())
    let tasks = await readers(3, of: pages, log)
    let error = StoreError.unavailable("gone", maybeCommitted: false)
    log.fail(error)
    log.release()
    for task in tasks { await #expect(throws: error) { try await task.value } }
    #expect(positions(try await pages.page(after: 0)).count == 5)
  }

  @Test func `of another epoch are not shared with those of this one, and tell of it`() async throws
  {
    let log = CountedLog(count: 20)
    let hub = EventHub()
    let pages = EventPages(log, hub: hub)
    _ = try await pages.page(after: 0)
    let history = LogHistory(
      logID: LogHistory.unnamed.logID,
      epochs: LogHistory.unnamed.epochs + [LogEpoch(id: 5, beganAfter: 3)])
    log.begin(try #require(history))
    // Kept pages are of the epoch that this server knows.
    _ = try await pages.page(after: 0)
    #expect(log.readCount == 1 && hub.history == .unnamed)
    _ = try await pages.page(after: 20)
    #expect(hub.history == history)
    let readCount = log.readCount
    _ = try await pages.page(after: 0)
    #expect(log.readCount == readCount + 1)
  }
}
