import Digits
package import Domain
import JSON

/// A rebuild in a schema of its own, as the owner of the tables, over one connection.
///
/// Nobody but the owner has any right in the schema.
package struct PostgresRebuildStore: RebuildStore {
  let session: ScriptSession
  let scripts: RebuildScripts

  /// - Throws: `.corrupt` where the schema's name is not one of lower-case letters, digits and
  ///   underscores that begins with a letter, or is `public`.
  package init(
    _ settings: ConnectionSettings, schema: String
  ) async throws {
    let isPlain = schema.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isPlain, schema.first?.isLetter == true, schema.utf8.count <= 48, schema != "public",
      !schema.hasPrefix("pg_")
    else { throw StoreError.corrupt("'\(schema)' cannot be the name of a rebuilt schema") }
    // A word of SQL is a name like any other.
    scripts = RebuildScripts(schema: "\"\(schema)\"")
    var settings = settings
    settings.limits = .bulk(lock: .seconds(10))
    session = try await ScriptSession(settings)
    try await run(RebuildScripts.session)
  }

  @discardableResult
  func run(_ sql: String) async throws(StoreError) -> [[String?]] {
    do throws(ServerError) {
      return try await session.run(sql)
    } catch {
      throw error.storeError
    }
  }

  package func begin(continuing: Bool, withEvents: Bool) async throws(StoreError) -> Int64 {
    guard continuing else {
      try await run(scripts.create)
      try await run(scripts.begin(withEvents: withEvents))
      return 0
    }
    let rows = try await run(scripts.state(withEvents: withEvents))
    guard let position = rows.first?.first.flatMap({ $0.flatMap { Int64($0) } }) else {
      throw .corrupt(
        "the schema \(scripts.schema) is of another log or another source: leave --continue out")
    }
    return position
  }

  package func drop() async throws(StoreError) { try await run(scripts.drop) }

  package func takeOverVectors() async throws(StoreError) { try await run(scripts.takeOverVectors) }

  // MARK: Pages

  /// About how much text of rows one script has.
  private static let scriptByteCountMax = 16 << 20

  package func apply(_ batch: RebuiltBatch) async throws(StoreError) {
    var script = Script(scripts)
    for table in RebuiltTable.allCases {
      let rows = batch.rows.filter { $0.table == table }
      guard let columns = rows.first?.columnNames else { continue }
      var list = JSONList()
      for row in rows {
        list.append(row.json(batch.contents))
        if list.byteCount >= Self.scriptByteCountMax {
          script.append(scripts.upsert(table, columns: columns, rows: list.takeLiteral()))
          try await run(script.take())
        }
      }
      if !list.isEmpty {
        script.append(scripts.upsert(table, columns: columns, rows: list.takeLiteral()))
      }
    }
    script.append(files: batch)
    script.append(documents: batch.documents)
    script.append(revisions: batch.revisions)
    script.append(events: batch.events)
    script.append(work: batch.rows)
    if let position = batch.position { script.append(scripts.reached(position)) }
    guard !script.isEmpty else { return }
    try await run(script.take())
  }

  // MARK: Passages

  package func passageWork(limit: Int) async throws(StoreError) -> [PassageWork] {
    let documents = try await run(scripts.documentWork(limit: limit))
    if !documents.isEmpty {
      return try documents.map { (row) throws(StoreError) in
        .document(try RebuildCells(row).document())
      }
    }
    return try await run(scripts.entityWork(limit: limit)).map { (row) throws(StoreError) in
      try RebuildCells(row).entity()
    }
  }

  package func chunks(
    ofCourse course: EntityID, _ numbers: Range<Int32>
  ) async throws(StoreError) -> [StoredChunk] {
    try await run(scripts.chunks(ofCourse: course, numbers)).map { (row) throws(StoreError) in
      try RebuildCells(row).chunk()
    }
  }

  package func finish(
    _ work: [PassageWork], _ updates: [PassageUpdate]
  ) async throws(StoreError) {
    var script = Script(scripts)
    script.append(passages: updates)
    script.append(done: work)
    guard !script.isEmpty else { return }
    try await run(script.take())
  }
}

/// A list of JSON objects, as a literal.
struct JSONList {
  private var text = ""

  var isEmpty: Bool { text.isEmpty }
  var byteCount: Int { text.utf8.count }

  mutating func append(_ json: String) {
    text += text.isEmpty ? "[" : ","
    text += json
  }

  mutating func append(_ members: [(key: String, value: JSONValue)]) {
    append(JSONValue.object(members).text)
  }

  mutating func takeLiteral() -> String {
    defer { text = "" }
    return RebuildScripts.literal(text + "]")
  }
}

extension RebuiltRow {
  /// The same for all rows of a table.
  var columnNames: [String] { (Array(columns.keys) + contents.keys).sorted() }

  func json(_ found: [BlobReference: String]) -> String {
    var members = columns.map { (key: $0.key, value: $0.value) }
    for (name, reference) in contents {
      members.append((name, .string(found[reference] ?? "")))
    }
    return JSONValue.object(members).text
  }
}
