import CArrow
package import Domain

/// The lake follows its log into another epoch: rows that the log has lost leave it, day by day.
///
/// A day is built anew beside the old one, and the two change places in one step, as in a compaction:
/// whoever reads the folder sees the day with the lost rows or without, never both. When no file reaches
/// beyond the cut, the new history is recorded together with the cursor. A crash in between leaves days
/// that are cut and days that are not, and the old history: the next start cuts again.
extension LakeWriter {
  /// What the lake is at while its log is read: whoever changed it since has done the work, or is at it.
  func require(_ history: LogHistory?, at published: Int64) throws(LakeError) {
    guard state.history == history, state.publishedPosition == published else {
      throw .historyChanged
    }
  }

  /// Replaces what of a day reaches beyond `position` by the rows up to it.
  ///
  /// - Parameter events: those of the day up to `position` that are in such files, of the log.
  mutating func cut(
    day: Int64, to position: Int64, from events: [StoredEvent]
  ) throws(LakeError) {
    try settle()
    let damaged = state.damaged(fromDay: day, throughDay: day).map(\.file)
      .filter { $0.lastPosition > position }
    let whole = state.files(ofDay: day).filter { $0.lastPosition > position }
    let replaced = whole + damaged
    guard !replaced.isEmpty else { return }
    let kept = events.filter { event in
      event.position <= position && replaced.contains { $0.holds(event) }
    }
    // What is left of a file must come back: the log may not have it any more.
    for file in whole where file.firstPosition <= position {
      let had = try eventIDs(of: file).count { $0.position <= position }
      guard kept.count(where: file.holds) == had else {
        throw .gap(expected: file.firstPosition, found: kept.first?.position ?? 0)
      }
    }
    let plan = kept.isEmpty ? nil : try BatchPlan(kept, options: options)
    let cursor = state.publishedPosition
    let intent = PublishIntent(
      firstPosition: cursor, lastPosition: cursor, files: plan?.intent.files ?? [],
      replaced: replaced, exchangedDay: day)
    try carryOut(intent) { (writer) throws(LakeError) in
      try writer.storage.makeFolder(writer.layout.dayFolder(day))
      try writer.buildDay(intent, plan?.encoded ?? [])
      try writer.storage.exchange(
        writer.layout.dayFolder(day), with: writer.layout.temporaryDayFolder(day))
      try writer.storage.syncFolder(writer.layout.monthFolder(day))
    }
  }

  /// Continues a history of the log, of which the lake has every event up to `position`.
  mutating func adopt(_ history: LogHistory, at position: Int64) throws(LakeError) {
    try settle()
    guard history != state.history || position != state.publishedPosition else { return }
    try record(.history(history, last: position))
    // The journal of a start has no such record: earlier builds read the lake on.
    try startJournal()
  }

  /// The days with files that reach beyond `position`, damaged ones included.
  func days(beyond position: Int64) -> [Int64] {
    let files = state.files + state.damaged.map(\.file)
    return Set(files.filter { $0.lastPosition > position }.map(\.dayNumber)).sorted()
  }

  /// The event that the lake has at a position; nil where it has none, or cannot read it.
  func eventID(at position: Int64) throws(LakeError) -> EntityID? {
    for file in state.files
    where file.firstPosition <= position && position <= file.lastPosition {
      let found = try eventIDs(of: file).first { $0.position == position }
      if let found { return found.id }
    }
    return nil
  }

  private func eventIDs(
    of file: LakeFile
  ) throws(LakeError) -> [(position: Int64, id: EntityID)] {
    var ids = carrow_ids()
    var error = carrow_error()
    let path = layout.path(of: file)
    guard carrow_ids_take(path, &ids, &error) == 0 else {
      throw LakeError(error, operation: "read", path: path)
    }
    defer { carrow_ids_free(&ids) }
    guard let positions = ids.positions, let texts = ids.texts else { return [] }
    var found: [(position: Int64, id: EntityID)] = []
    found.reserveCapacity(Int(ids.count))
    for index in 0..<Int(ids.count) {
      let text = UnsafeRawBufferPointer(start: texts + index * 36, count: 36)
      guard let id = EntityID(String(decoding: text, as: UTF8.self)) else {
        throw .encoding(detail: "\(path) has an event_id that is none")
      }
      found.append((positions[index], id))
    }
    return found
  }
}

extension ParquetEventLake {
  /// The log's history that the lake has; nil for one of a version that knew none, or a new one.
  package var history: LogHistory? { (try? openState())?.history }

  /// Publishes the events after `publishedPosition`, as `append`, where the lake still continues this
  /// history, of which they are.
  package func append(
    _ events: [StoredEvent], of history: LogHistory
  ) async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      guard writer.state.history == history else { throw .historyChanged }
      try writer.append(events)
    }
  }

  /// What the lake is at.
  package struct Stand: Sendable, Hashable {
    package let history: LogHistory?
    package let publishedPosition: Int64
  }

  package func stand() throws(LakeError) -> Stand {
    let state = try openState()
    return Stand(history: state.history, publishedPosition: state.publishedPosition)
  }

  /// Continues a history of the log, of which the lake has every event up to `position`.
  ///
  /// - Parameter stand: what it was at when that was found out.
  package func adopt(
    _ history: LogHistory, at position: Int64, since stand: Stand
  ) async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.require(stand.history, at: stand.publishedPosition)
      try writer.adopt(history, at: position)
    }
  }

  /// Takes the rows of a day after `position` away.
  ///
  /// - Parameters:
  ///   - events: the log's events up to `position` of those files that reach beyond it.
  ///   - stand: what the lake was at when that was found out.
  package func cut(
    day: Int64, to position: Int64, from events: [StoredEvent], since stand: Stand
  ) async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.require(stand.history, at: stand.publishedPosition)
      try writer.cut(day: day, to: position, from: events)
    }
  }

  /// The days with files that reach beyond `position`, and those of their files that begin before.
  package func straddling(_ position: Int64) async throws(LakeError) -> [Int64: [LakeFile]] {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      var days: [Int64: [LakeFile]] = [:]
      for day in writer.days(beyond: position) {
        let damaged = writer.state.damaged(fromDay: day, throughDay: day).map(\.file)
        days[day] = (writer.state.files(ofDay: day) + damaged).filter {
          $0.firstPosition <= position && $0.lastPosition > position
        }
      }
      return days
    }
  }

  /// The event that the lake has at a position; nil where it has none.
  package func eventID(at position: Int64) async throws(LakeError) -> EntityID? {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      return try writer.eventID(at: position)
    }
  }
}
