import Domain
import Synchronization

/// A log in memory that can be told to fail.
final class MemoryLog: EventLog {
  private struct State {
    var events: [StoredEvent] = []
    var failuresLeft = 0
    var readCount = 0
  }

  private let state = Mutex(State())

  init(_ events: [StoredEvent] = []) { state.withLock { $0.events = events } }

  func append(_ events: [StoredEvent]) { state.withLock { $0.events += events } }
  func failNext(_ count: Int) { state.withLock { $0.failuresLeft = count } }
  var readCount: Int { state.withLock { $0.readCount } }

  func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
    let result: [StoredEvent]? = state.withLock { state in
      state.readCount += 1
      if state.failuresLeft > 0 {
        state.failuresLeft -= 1
        return nil
      }
      return Array(state.events.filter { $0.position > position }.prefix(limit))
    }
    guard let result else { throw .unavailable("test", maybeCommitted: false) }
    return result
  }

  /// The lake reads all of the log.
  func events(
    in window: EventWindow, limit: Int
  ) async throws(StoreError) -> [StoredEvent] {
    Array(
      try await events(after: window.after, limit: limit).prefix { $0.position <= window.through })
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
