import CArrow
import Domain

/// Reads whole rows of published files by position; holds no state, so any number run at once.
enum LakeRows {
  /// What a read did, beside its events.
  struct Cost: Sendable, Hashable {
    var files: Set<LakeFile> = []
    var rowGroupCount = 0
    var rowGroupsRead = 0
  }

  /// The events at `places`, in order, until they take `byteCountMax`; the last one may exceed it.
  ///
  /// Day and kind of an event, and the files' bounds, lead to the file; in it position and user lead to
  /// the row groups. No more than about twice `byteCountMax` is held.
  static func events(
    at places: [EventPlace], byteCountMax: Int, of state: ManifestState, layout: LakeLayout,
    cost: inout Cost
  ) throws(LakeScanner.Failure) -> [StoredEvent] {
    var found = Found(places, byteCountMax: byteCountMax)
    for (file, wanted) in files(of: places, state) {
      let wanted = wanted.filter { $0.position <= found.lastWanted }
      guard !wanted.isEmpty else { continue }
      try read(wanted, of: file, layout: layout, into: &found, cost: &cost)
    }
    // In order, and up to where they take what they may: whatever is missing before that is lost.
    let missing = places.first {
      $0.position <= found.lastWanted && found.events[$0.position] == nil
    }
    if let missing { throw failure(missing, state) }
    return found.events.values.sorted { $0.position < $1.position }
  }

  /// The files that may have some of the places, and those.
  private static func files(
    of places: [EventPlace], _ state: ManifestState
  ) -> [(LakeFile, [EventPlace])] {
    struct Day: Hashable {
      var number: Int64
      var kind: EventKind
    }
    let days = Dictionary(grouping: places) {
      Day(number: CivilTime($0.createdAt).dayNumber, kind: EventKind(eventType: $0.type))
    }
    return days.flatMap { day, places in
      state.files(ofDay: day.number).filter { $0.kind == day.kind }.compactMap { file in
        let wanted = places[
          places.index(from: file.firstPosition)..<places.index(from: file.lastPosition + 1)]
        return wanted.isEmpty ? nil : (file, Array(wanted))
      }
    }.sorted { ($0.0.firstPosition, $0.0.path) < ($1.0.firstPosition, $1.0.path) }
  }

  private static func failure(
    _ place: EventPlace, _ state: ManifestState
  ) -> LakeScanner.Failure {
    let day = CivilTime(place.createdAt).dayNumber
    let damaged = state.damaged(fromDay: day, throughDay: day).filter {
      $0.file.covers(place.position)
    }
    return LakeScanner.Failure(
      error: damaged.isEmpty
        ? .gap(expected: place.position, found: 0) : .damaged(damaged),
      file: nil, reason: nil)
  }

  /// What was found so far: the first of the places, as many as take the bytes that there are.
  private struct Found {
    var events: [Int64: StoredEvent] = [:]
    /// Nothing after this is wanted any more.
    var lastWanted: Int64 = .max
    let seqs: [Int64: Int64]
    let byteCountMax: Int

    init(_ places: [EventPlace], byteCountMax: Int) {
      seqs = Dictionary(places.map { ($0.position, $0.seq) }) { first, _ in first }
      self.byteCountMax = byteCountMax
    }

    mutating func add(_ more: [StoredEvent]) {
      for event in more where event.position <= lastWanted { events[event.position] = event }
      var byteCount = 0
      for event in events.values.sorted(by: { $0.position < $1.position }) {
        if byteCount >= byteCountMax {
          events[event.position] = nil
        } else {
          byteCount += event.payload.byteCount + event.metadata.byteCount
          if byteCount >= byteCountMax { lastWanted = event.position }
        }
      }
    }
  }

  private static func read(
    _ places: [EventPlace], of file: LakeFile, layout: LakeLayout, into found: inout Found,
    cost: inout Cost
  ) throws(LakeScanner.Failure) {
    let positions = places.map(\.position)
    var users: [CChar] = []
    users.reserveCapacity(places.count * 36)
    for place in places {
      users +=
        place.userID.map { $0.description.utf8.map(CChar.init(bitPattern:)) }
        ?? [CChar](repeating: 0, count: 36)
    }
    var list = carrow_row_list()
    var error = carrow_error()
    let path = layout.path(of: file)
    let status = positions.withUnsafeBufferPointer { positions in
      users.withUnsafeBufferPointer { users in
        var query = carrow_row_query(
          positions: positions.baseAddress, users: users.baseAddress,
          count: Int64(positions.count), byte_count_max: Int64(found.byteCountMax))
        return carrow_rows_at_take(path, &query, &list, &error)
      }
    }
    guard status == 0 else {
      throw LakeScanner.Failure(error, operation: "read", file: file, path: path)
    }
    defer { carrow_row_list_free(&list) }
    cost.files.insert(file)
    cost.rowGroupCount += Int(list.row_groups)
    cost.rowGroupsRead += Int(list.row_groups_read)
    var events: [StoredEvent] = []
    events.reserveCapacity(Int(list.count))
    for index in 0..<Int(list.count) {
      guard let row = list.rows?[index],
        let event = StoredEvent(row, seq: found.seqs[row.position] ?? 0)
      else {
        throw LakeScanner.Failure(
          error: .encoding(detail: "\(path) has a row that is no event"), file: file,
          reason: .unreadable)
      }
      events.append(event)
    }
    // What a file leaves out at its bound is after what it has: so it is for all of them.
    found.add(events)
  }

  /// The position of an event; nil where no file of the days around its id's time has it.
  static func position(
    of id: EntityID, state: ManifestState, layout: LakeLayout
  ) throws(LakeScanner.Failure) -> Int64? {
    guard let time = id.creationTime else { return nil }
    let day = CivilTime(time).dayNumber
    // An event of another system may have happened on any day before.
    let earlier = state.files(fromDay: .min, throughDay: day - 2).filter { $0.kind == .external }
    for file in state.files(fromDay: day - 1, throughDay: day + 1) + earlier {
      var position: Int64 = 0
      var error = carrow_error()
      let path = layout.path(of: file)
      guard carrow_find_id(path, id.description, &position, &error) == 0 else {
        throw LakeScanner.Failure(error, operation: "read", file: file, path: path)
      }
      if position > 0 { return position }
    }
    let damaged = state.damaged(fromDay: day - 1, throughDay: day + 1)
    if !damaged.isEmpty {
      throw LakeScanner.Failure(error: .damaged(damaged), file: nil, reason: nil)
    }
    return nil
  }

  /// The events of a file up to a position, in order.
  static func events(
    of file: LakeFile, upTo last: Int64, layout: LakeLayout
  ) throws(LakeScanner.Failure) -> [StoredEvent] {
    var ids = carrow_ids()
    var error = carrow_error()
    let path = layout.path(of: file)
    guard carrow_ids_take(path, &ids, &error) == 0 else {
      throw LakeScanner.Failure(error, operation: "read", file: file, path: path)
    }
    let positions = (0..<Int(ids.count)).compactMap { ids.positions?[$0] }.filter { $0 <= last }
    carrow_ids_free(&ids)
    let places = positions.sorted().map(EventPlace.init(unknownAt:))
    var found = Found(places, byteCountMax: .max)
    var cost = Cost()
    if !places.isEmpty { try read(places, of: file, layout: layout, into: &found, cost: &cost) }
    return found.events.values.sorted { $0.position < $1.position }
  }

  /// The event at a position of which nothing else is known; nil where no file has it.
  static func event(
    at position: Int64, of state: ManifestState, layout: LakeLayout
  ) throws(LakeScanner.Failure) -> StoredEvent? {
    let place = EventPlace(unknownAt: position)
    var found = Found([place], byteCountMax: .max)
    var cost = Cost()
    for file in state.files where file.covers(position) {
      try read([place], of: file, layout: layout, into: &found, cost: &cost)
      if let event = found.events[position] { return event }
    }
    return nil
  }
}

extension EventPlace {
  /// One of which nothing but the position is known.
  fileprivate init(unknownAt position: Int64) {
    self.init(
      position: position, seq: 0, type: "", userID: nil,
      createdAt: Timestamp(microsecondsSinceEpoch: 0))
  }
}

extension [EventPlace] {
  /// Of the first place at `position` or after it.
  fileprivate func index(from position: Int64) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if self[middle].position < position { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension LakeFile {
  func covers(_ position: Int64) -> Bool {
    firstPosition <= position && position <= lastPosition
  }
}

extension LakeScanner.Failure {
  /// An error of the C side, with what it says about the file.
  init(_ raw: carrow_error, operation: String, file: LakeFile, path: String) {
    let isDamaged = raw.kind == CARROW_ERROR_CORRUPT || raw.kind == CARROW_ERROR_INVALID
    self.init(
      error: LakeError(raw, operation: operation, path: path), file: file,
      reason: isDamaged ? .unreadable : raw.os_error == missingFile ? .missing : nil)
  }
}

extension StoredEvent {
  /// Nil where the ids are none.
  init?(_ row: carrow_row, seq: Int64) {
    guard let id = EntityID(row.event_id.string), let entityID = EntityID(row.entity_id.string)
    else { return nil }
    let userID = row.has_user ? EntityID(row.user_id.string) : nil
    guard !row.has_user || userID != nil else { return nil }
    self.init(
      id: id, seq: seq, position: row.position, type: row.event_type.string,
      entityType: row.entity_type.string, entityID: entityID, version: row.version,
      userID: userID, payload: SealedJSON(sealedText: row.payload.string),
      metadata: SealedJSON(sealedText: row.metadata.string), schemaVersion: row.schema_version,
      createdAt: Timestamp(microsecondsSinceEpoch: row.created_us))
  }
}

extension carrow_text {
  fileprivate var string: String {
    String(decoding: UnsafeRawBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
  }
}
