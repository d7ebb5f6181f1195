import Domain
import Synchronization

/// A log in memory that can be told to fail.
final class MemoryLog: EventLog {
  private struct State {
    var events: [StoredEvent] = []
    var failuresLeft = 0
    var readCount = 0
    var history = LogHistory.unnamed
    var refusesDeclarations = false
  }

  private let state = Mutex(State())

  init(_ events: [StoredEvent] = []) { state.withLock { $0.events = events } }

  func append(_ events: [StoredEvent]) { state.withLock { $0.events += events } }
  func failNext(_ count: Int) { state.withLock { $0.failuresLeft = count } }
  var readCount: Int { state.withLock { $0.readCount } }

  /// What a failover that lost events does: those after `position` are gone, and others come.
  func lose(after position: Int64, then events: [StoredEvent] = []) {
    state.withLock { state in
      state.events.removeAll { $0.position > position }
      state.events += events
    }
  }

  /// As a database that is only behind another one.
  func refuseDeclarations() { state.withLock { $0.refusesDeclarations = true } }

  func begin(_ history: LogHistory) { state.withLock { $0.history = history } }

  func history() async throws(StoreError) -> LogHistory { state.withLock { $0.history } }

  func declare(_ loss: LogLoss) async throws(StoreError) -> LogHistory {
    state.withLock { state in
      if !state.refusesDeclarations {
        state.history = state.history.losing(loss, last: state.events.last?.position ?? 0)
      }
      return state.history
    }
  }

  func contains(_ eventID: EntityID) async throws(StoreError) -> Bool {
    state.withLock { $0.events.contains { $0.id == eventID } }
  }

  func page(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws(StoreError) -> LogPage {
    let result: LogPage? = state.withLock { state in
      state.readCount += 1
      if state.failuresLeft > 0 {
        state.failuresLeft -= 1
        return nil
      }
      let left = state.events.filter { $0.position > position }
      var events: [StoredEvent] = []
      var byteCount = 0
      for event in left.prefix(limit) where byteCount < byteCountMax {
        byteCount += event.payload.byteCount + event.metadata.byteCount
        events.append(event)
      }
      return LogPage(
        events: events, isEnd: events.count == left.count, epoch: state.history.current.id)
    }
    guard let result else { throw .unavailable("test", maybeCommitted: false) }
    return result
  }

  /// The lake reads all of the log.
  func events(
    in window: EventWindow, limits: WindowLimits, scope: AccessScope
  ) async throws(StoreError) -> WindowPage {
    throw .unavailable("the lake reads no windows", maybeCommitted: false)
  }

  func end(unsequencedMax: Int) async throws(StoreError) -> LogEnd? {
    LogEnd(position: try await head())
  }

  func head() async throws(StoreError) -> Int64 {
    state.withLock { $0.events.last?.position ?? 0 }
  }

  func newestUnsequenced() async throws(StoreError) -> EntityID? { nil }

  func position(of eventID: EntityID) async throws(StoreError) -> Int64? {
    state.withLock { $0.events.first { $0.id == eventID }?.position }
  }

  func position(at time: Timestamp) async throws(StoreError) -> Int64 {
    state.withLock { $0.events.last { $0.createdAt <= time }?.position ?? 0 }
  }

  func tail(
    user: EntityID, from: Timestamp, to: Timestamp, after position: Int64, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    state.withLock { state in
      state.events.filter {
        $0.userID == user && $0.position > position && $0.createdAt >= from && $0.createdAt < to
      }
    }
  }
}
