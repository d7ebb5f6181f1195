import Domain
import Synchronization

/// A log in memory that can be told to fail.
final class MemoryLog: EventLog {
  fileprivate struct State {
    var events: [StoredEvent] = []
    var failuresLeft = 0
    var readCount = 0
    var history = LogHistory.unnamed
    var refusesDeclarations = false
    var floor = LogFloor.none
  }

  fileprivate let state = Mutex(State())

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
    let result: Result<LogPage, StoreError> = state.withLock { state in
      state.readCount += 1
      if state.failuresLeft > 0 {
        state.failuresLeft -= 1
        return .failure(.unavailable("test", maybeCommitted: false))
      }
      if position < state.floor.position { return .failure(.archived(.notHere)) }
      let left = state.events.filter { $0.position > position }
      var events: [StoredEvent] = []
      var byteCount = 0
      for event in left.prefix(limit) where byteCount < byteCountMax {
        byteCount += event.payload.byteCount + event.metadata.byteCount
        events.append(event)
      }
      return .success(
        LogPage(
          events: events, isEnd: events.count == left.count, epoch: state.history.current.id))
    }
    return try result.get()
  }

  /// The lake reads all of the log.
  func events(
    in window: EventWindow, limits: WindowLimits, scope: AccessScope
  ) async throws(StoreError) -> WindowPage {
    throw .unavailable("the lake reads no windows", maybeCommitted: false)
  }

  func floor() async throws(StoreError) -> LogFloor { state.withLock { $0.floor } }

  func end(unsequencedMax: Int) async throws(StoreError) -> LogEnd? {
    LogEnd(position: try await head())
  }

  func head() async throws(StoreError) -> Int64 {
    state.withLock { $0.events.last?.position ?? $0.floor.position }
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

/// The rules of the database's own function.
extension MemoryLog: EventRemoval {
  func remove(_ batch: RemovalBatch) async throws(StoreError) -> Int {
    let result: Result<Int, StoreError> = state.withLock { state in
      guard state.floor.archiveID.map({ $0 == batch.archiveID }) ?? true,
        batch.epoch == state.history.current.id
      else { return .failure(.corrupt("another lake, or another epoch")) }
      guard batch.firstPosition == state.floor.position + 1 else { return .success(0) }
      let there = state.events.prefix(batch.eventIDs.count)
      guard there.map(\.id) == batch.eventIDs else { return .failure(.corrupt("others")) }
      let due = there.prefix { $0.createdAt < batch.before }
      guard let last = due.last else { return .success(0) }
      state.events.removeFirst(due.count)
      state.floor = LogFloor(
        position: last.position, eventID: last.id, createdUntil: due.map(\.createdAt).max(),
        highestID: due.map(\.id).max(), archiveID: batch.archiveID)
      return .success(due.count)
    }
    return try result.get()
  }
}
