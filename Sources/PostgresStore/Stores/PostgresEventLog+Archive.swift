package import Domain
import Synchronization

/// What of the log is below the floor: the database says where it is, and the archive what it is.
extension PostgresEventLog {
  package func floor() async throws(StoreError) -> LogFloor {
    guard
      let floor = try await database.rows(EventStatements.floor(), as: .nobody).first({
        (row) throws(StoreError) in try EventStatements.floor(of: row, from: 0)
      })
    else { throw .corrupt("the log has no floor") }
    knownFloor.found(floor.position)
    return floor
  }

  /// The events at places of the log, none above the floor.
  func archived(
    _ places: [EventPlace], _ floor: LogFloor, byteCountMax: Int, for caller: EntityID?
  ) async throws(StoreError) -> [StoredEvent] {
    guard !places.isEmpty else { return [] }
    guard let archive else { throw .archived(.notHere) }
    return try await archive.events(
      at: places, below: floor, byteCountMax: max(1, byteCountMax), for: caller)
  }

  /// A page that begins below the floor, and ends there at the latest.
  func archivedPage(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws(StoreError) -> LogPage {
    let rows = try await database.rows(
      EventStatements.places(position, Int64(limit)), as: .system(.log))
    guard let first = rows.first else {
      throw .corrupt("events.places: the server gave no result")
    }
    let width = EventStatements.floorWidth
    let floor = try EventStatements.floor(of: first, from: 0)
    let last: Int64 = try first.value(width)
    let epoch: Int64 = try first.value(width + 1)
    knownFloor.found(floor.position)
    let places = try rows.places(from: width + 2)
    // A database that was put back has another floor than was known.
    guard !places.isEmpty else { return LogPage(events: [], isEnd: position >= last, epoch: nil) }
    let events = try await archived(places, floor, byteCountMax: byteCountMax, for: nil)
    return LogPage(
      events: events, isEnd: (events.last?.position ?? position) >= last,
      epoch: UInt32(truncatingIfNeeded: epoch))
  }

  /// What is wanted of a window up to the floor; nil where there is too much to look by.
  func archivedPage(
    _ window: EventWindow, _ limits: WindowLimits, _ interest: EventInterest,
    by lead: EventInterest.Lead, _ scope: AccessScope
  ) async throws(StoreError) -> WindowPage? {
    var window = window
    window.through = min(window.through, knownFloor.position)
    let rows = try await rows(
      EventStatements.windowOfPlaces(by: lead), window, limits, interest, scope)
    let extra = EventStatements.placeWidth
    let first = rows[0]
    let floor = try EventStatements.floor(of: first, from: extra + 5)
    knownFloor.found(floor.position)
    if try first.value(extra + 3, as: Bool.self) { return nil }
    guard window.through <= floor.position else {
      throw .unavailable("the floor of the log has moved back", maybeCommitted: false)
    }
    let places = try rows.places(from: 0)
    let lookedCount: Int64 = try first.value(extra + 1)
    let epoch: Int64 = try first.value(extra + 4)
    let events = try await archived(
      places, floor, byteCountMax: limits.byteCount, for: scope.callerID)
    var page = WindowPage(
      events: events, completeTo: try first.value(extra), lookedCount: Int(lookedCount),
      epoch: UInt32(truncatingIfNeeded: epoch))
    let isCut = events.count < places.count
    if isCut || places.count == min(limits.eventCount, PostgresEventLog.pageMax) {
      page.completeTo = events.last?.position ?? window.after
    }
    return page
  }

  /// Whether the event is in the log, and its position where it has one; nil where it is not.
  func find(_ eventID: EntityID) async throws(StoreError) -> (position: Int64?, Void)? {
    let rows = try await database.rows(
      EventStatements.positionOfEvent(eventID), as: .system(.log))
    guard let row = rows.first else {
      throw .corrupt("events.position_of: the server gave no result")
    }
    if try row.value(0, as: Bool.self) { return (try row.value(1), ()) }
    let floor = try EventStatements.floor(of: row, from: 2)
    guard floor.mayHave(eventID) else { return nil }
    guard let archive else { throw .archived(.notHere) }
    return try await archive.position(of: eventID, below: floor).map { ($0, ()) }
  }
}

extension ResultSet {
  /// The places of all rows; none where the one row has none.
  func places(from column: Int) throws(StoreError) -> [EventPlace] {
    guard try first?.value(column, as: Int64?.self) != nil else { return [] }
    return try map { (row) throws(StoreError) in
      guard let place = try EventStatements.place(of: row, from: column) else {
        throw .corrupt("a place without a position")
      }
      return place
    }
  }
}

/// Where the floor was when it was seen last: which of two statements is asked first, and no more.
final class KnownFloor: Sendable {
  private let value = Atomic<Int64>(0)

  var position: Int64 { value.load(ordering: .relaxed) }
  func found(_ position: Int64) { value.store(position, ordering: .relaxed) }
}
