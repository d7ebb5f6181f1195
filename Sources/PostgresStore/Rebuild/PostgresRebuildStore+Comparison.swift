package import Domain

/// Comparing with the live tables, in one snapshot of a database that others write to.
extension PostgresRebuildStore {
  package func beginComparison(locking: Bool) async throws(StoreError) -> Int64 {
    try await run("BEGIN ISOLATION LEVEL REPEATABLE READ")
    // The snapshot is taken after the lock, so that everything that was written is in it.
    if locking { try await run(RebuildScripts.lock) }
    return try await number(RebuildScripts.head)
  }

  package func endComparison(committing: Bool) async throws(StoreError) {
    try await run(committing ? "COMMIT" : "ROLLBACK")
  }

  package func unsequenced() async throws(StoreError) -> [StoredEvent] {
    let rows = try await run(RebuildScripts.unsequenced)
    guard rows.count <= RebuildScripts.unsequencedMax else {
      throw .unavailable(
        "more than \(RebuildScripts.unsequencedMax) events wait for their positions: compare again once "
          + "a server has given them", maybeCommitted: false)
    }
    return try rows.map { (row) throws(StoreError) in try RebuildCells(row).event() }
  }

  package func compare(limit: Int) async throws(StoreError) -> [TableComparison] {
    let settled = try await run(scripts.settle)
    var comparisons: [TableComparison] = []
    for table in RebuildScripts.likeLive where table != "embeddings" {
      let columns = try await compared(table)
      comparisons.append(
        try await comparison(
          table, scripts.differences(table, columns: columns, limit: limit)))
    }
    comparisons.append(try await comparison("embeddings", scripts.vectorDifferences(limit: limit)))
    if try await number("SELECT with_events::int FROM \(scripts.schema).replay_state") == 1 {
      comparisons.append(try await comparison("events", scripts.eventDifferences(limit: limit)))
    }
    let waiting = try await run(RebuildScripts.waiting)
    remark(
      settled, 0, "goals",
      "rows whose revision no event says (\(UnknownField.goalRevision.rawValue))",
      &comparisons)
    remark(
      settled, 1, "snapshot_files", "snapshots whose other files no event names", &comparisons)
    remark(waiting, 0, "embeddings", "passages that wait for their vectors", &comparisons)
    remark(waiting, 1, "embeddings", "courses whose copies are being made", &comparisons)
    return comparisons
  }

  private func remark(
    _ rows: [[String?]], _ column: Int, _ table: String, _ text: String,
    _ comparisons: inout [TableComparison]
  ) {
    guard let cell = rows.first?[column], let count = Int(cell), count > 0,
      let index = comparisons.firstIndex(where: { $0.table == table })
    else { return }
    comparisons[index].remarks.append("\(count) \(text)")
  }

  /// The columns that say whether two rows are the same.
  private func compared(_ table: String) async throws(StoreError) -> [String] {
    if table == "passages" { return RebuildScripts.passageColumns }
    return try await columns(of: table)
  }

  private func columns(of table: String) async throws(StoreError) -> [String] {
    try await run(RebuildScripts.columns(of: table)).compactMap { $0.first ?? nil }
  }

  private func comparison(
    _ table: String, _ script: String
  ) async throws(StoreError) -> TableComparison {
    let rows = try await run(script)
    let total = rows.first?[3].flatMap { Int($0) } ?? 0
    let count = try await number(
      scripts.count(table == "embeddings" ? "passages" : table))
    return TableComparison(
      table: table, rowCount: Int(count), differenceCount: total,
      differences: rows.map { row in
        let columns = (row[2] ?? "").split(separator: ",").map(String.init)
        let kind: TableComparison.Difference.Kind =
          switch row[1] {
          case "live": .onlyLive
          case "rebuilt": .onlyRebuilt
          default: .differs
          }
        return .init(key: row[0] ?? "", kind: kind, columns: kind == .differs ? columns : [])
      })
  }

  private func number(_ sql: String) async throws(StoreError) -> Int64 {
    guard let text = try await run(sql).first?.first ?? nil, let number = Int64(text) else {
      throw .corrupt("a count of a rebuild is not a number")
    }
    return number
  }

  /// From what refers to others, back to them; then what is missing or differs, the other way around.
  package func swap() async throws(StoreError) -> Int {
    var count: Int64 = 0
    for table in RebuildScripts.likeLive.reversed() {
      count += try await number(scripts.removeOthers(table))
    }
    for table in RebuildScripts.likeLive {
      let columns = try await columns(of: table)
      let compared =
        switch table {
        case "passages": RebuildScripts.passageColumns
        case "embeddings": ["content_hash", "model", "content"]
        default: columns
        }
      count += try await number(
        scripts.putInPlace(table, columns: columns, compared: compared))
    }
    count += try await number(RebuildScripts.awaitVectors)
    if count > 0 { try await run(RebuildScripts.requestCopies) }
    return Int(count)
  }
}

extension RebuildCells {
  /// As `RebuildScripts.unsequenced` gives it.
  func event() throws(StoreError) -> StoredEvent {
    let created: Int64 = try value(10) { Int64($0) }
    return StoredEvent(
      id: try id(0), seq: try value(1) { Int64($0) }, position: 0, type: try text(2),
      entityType: try text(3), entityID: try id(4), version: try value(5) { Int64($0) },
      userID: try optionalID(6), payload: SealedJSON(stored: try text(7)),
      metadata: SealedJSON(stored: try text(8)),
      schemaVersion: try value(9) { Int32($0) },
      createdAt: Timestamp(microsecondsSinceEpoch: created))
  }
}
