import CArrow
package import Domain

/// Which rows a scan wants.
package struct LakeQuery: Sendable, Hashable {
  package var userID: EntityID
  package var period: ReportPeriod
  /// Rows after this position are left out: they come from the log's tail.
  package var positionMax: Int64

  package init(userID: EntityID, period: ReportPeriod, positionMax: Int64 = .max) {
    self.userID = userID
    self.period = period
    self.positionMax = positionMax
  }
}

/// What a scan read.
package struct LakeScan: Sendable, Hashable {
  /// In the order of positions, each once.
  package var rows: [ArchivedEvent]
  /// Every event up to here was looked at: the tail begins after it.
  package var throughPosition: Int64
  package var fileCount: Int
  package var rowGroupCount: Int
  package var rowGroupsRead: Int
}

/// Reads rows of published files; holds no state, so any number run at once.
enum LakeScanner {
  /// A learner's rows in one report; a year of a busy learner is under 100,000.
  static let rowCountMax: Int64 = 5_000_000

  /// A file that could not be read, beside the error.
  struct Failure: Error, Sendable {
    var error: LakeError
    var file: LakeFile?
    var reason: DamagedFile.Reason?
  }

  static func scan(
    _ query: LakeQuery, of state: ManifestState, layout: LakeLayout,
    isCancelled: () -> Bool
  ) throws(Failure) -> LakeScan {
    var result = LakeScan(
      rows: [], throughPosition: min(state.publishedPosition, query.positionMax), fileCount: 0,
      rowGroupCount: 0, rowGroupsRead: 0)
    for file in files(for: query, of: state) {
      if isCancelled() { throw Failure(error: .cancelled, file: file, reason: nil) }
      try scan(query, file, layout: layout, into: &result)
    }
    if !zip(result.rows, result.rows.dropFirst()).allSatisfy({ $0.position < $1.position }) {
      result.rows.sort { $0.position < $1.position }
      removeRepeated(&result.rows)
    }
    return result
  }

  static func files(for query: LakeQuery, of state: ManifestState) -> [LakeFile] {
    let days = days(of: query)
    return state.files(fromDay: days.first, throughDay: days.last).filter {
      $0.firstPosition <= query.positionMax
    }
  }

  /// The days that the period touches.
  static func days(of query: LakeQuery) -> (first: Int64, last: Int64) {
    let first = CivilTime(query.period.from).dayNumber
    guard let to = query.period.to else { return (first, .max) }
    return (first, CivilTime(to.advanced(by: .microseconds(-1))).dayNumber)
  }

  private static func scan(
    _ query: LakeQuery, _ file: LakeFile, layout: LakeLayout, into result: inout LakeScan
  ) throws(Failure) {
    var rows = carrow_rows()
    var error = carrow_error()
    let path = layout.path(of: file)
    let status = query.userID.description.withCString { user in
      var raw = carrow_query(
        user_id: user, from_us: query.period.from.microsecondsSinceEpoch,
        to_us: query.period.to?.microsecondsSinceEpoch ?? .max,
        position_max: query.positionMax,
        row_count_max: rowCountMax - Int64(result.rows.count))
      return carrow_scan_take(path, &raw, &rows, &error)
    }
    guard status == 0 else {
      throw Failure(error, operation: "read", file: file, path: path)
    }
    defer { carrow_rows_free(&rows) }
    result.fileCount += 1
    result.rowGroupCount += Int(rows.row_groups)
    result.rowGroupsRead += Int(rows.row_groups_read)
    append(rows, to: &result.rows)
  }

  private static func append(_ rows: carrow_rows, to output: inout [ArchivedEvent]) {
    guard rows.count > 0, let positions = rows.positions, let created = rows.created_us,
      let scores = rows.scores, let hasScore = rows.has_score, let types = rows.types,
      let names = rows.type_names
    else { return }
    let typeNames = (0..<Int(rows.type_count)).map { index in
      names[index].map { String(cString: $0) } ?? ""
    }
    output.reserveCapacity(output.count + Int(rows.count))
    for index in 0..<Int(rows.count) {
      output.append(
        ArchivedEvent(
          position: positions[index], type: typeNames[Int(types[index])],
          createdAt: Timestamp(microsecondsSinceEpoch: created[index]),
          validationScore: hasScore[index] != 0 ? scores[index] : nil))
    }
  }

  private static func removeRepeated(_ rows: inout [ArchivedEvent]) {
    var last: Int64?
    rows.removeAll { row in
      defer { last = row.position }
      return row.position == last
    }
  }
}

let missingFile: Int32 = 2  // ENOENT on every system that Hito is built for
