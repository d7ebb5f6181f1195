import Domain
import EventLake
import Foundation
import Testing

@Suite("Files as pyarrow sees them")
struct ForeignReaderTests {
  private static let describe = """
    import json, sys
    import pyarrow.dataset as ds, pyarrow.parquet as pq, pathlib
    dataset = ds.dataset("events", format="parquet", partitioning="hive")
    table = dataset.to_table()
    files = sorted(str(p) for p in pathlib.Path("events").rglob("*.parquet"))
    print(json.dumps({
      "schema": {f.name: str(f.type) for f in dataset.schema},
      "positions": sorted(table["position"].to_pylist()),
      "files": files,
      "schemas": {f: {c.name: [str(c.type), c.nullable] for c in pq.read_schema(f)} for f in files},
      "rows": table.select(["position", "event_id", "event_type", "user_id", "payload", "year",
        "month", "day"]).to_pylist(),
      "times": [str(t) for t in table["created_at"].to_pylist()],
      "checksums": [pq.ParquetFile(f, page_checksum_verification=True).read().num_rows for f in files],
      "codecs": sorted({pq.ParquetFile(f).metadata.row_group(0).column(i).compression
        for f in files for i in range(pq.ParquetFile(f).metadata.num_columns)}),
    }))
    """

  @Test("every event of every kind comes back once, in hive partitions, with its kind's schema")
  func readBack() async throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(state: 1)
    let events = Fixtures.random(2000, before: Fixtures.monday, using: &random)
    let lake = ParquetEventLake(directory: folder.path)
    try await lake.recover()
    try await lake.append(Array(events.prefix(700)))
    try await lake.append(events)
    #expect(lake.publishedPosition == 2000)

    let seen = try #require(
      Python.run(Self.describe, in: folder.path) as? [String: Any])
    #expect(seen["positions"] as? [Int64] == Array(1...2000))
    #expect(seen["codecs"] as? [String] == ["ZSTD"])
    let rows = try #require(seen["rows"] as? [[String: Any]])
    for row in rows {
      let position = try #require(row["position"] as? Int)
      let event = events[position - 1]
      #expect(row["event_id"] as? String == event.id.description)
      #expect(row["event_type"] as? String == event.type)
      #expect(row["user_id"] as? String == event.userID?.description)
      #expect(row["payload"] as? String == event.payload.sealedText)
      let civil = CivilTime(event.createdAt)
      #expect(row["year"] as? Int == civil.year)
      #expect(row["month"] as? Int == civil.month)
      #expect(row["day"] as? Int == civil.day)
    }
    try checkSchemas(seen)
  }

  private func checkSchemas(_ seen: [String: Any]) throws {
    let schemas = try #require(seen["schemas"] as? [String: [String: [Any]]])
    var kinds: Set<EventKind> = []
    for (file, columns) in schemas {
      let name = try #require(file.split(separator: "/").last)
      let kind = try #require(EventKind(rawValue: String(name.prefix { $0 != "_" })))
      kinds.insert(kind)
      let own = LakeSchema.own(kind)
      #expect(columns.count == LakeSchema.base.count + own.count, "\(file)")
      for column in LakeSchema.base {
        #expect(columns[column.name]?.first as? String == column.type.rawValue)
        #expect(columns[column.name]?.last as? Bool == column.isNullable)
      }
      for column in own { #expect(columns[column.name]?.first as? String == column.type.rawValue) }
    }
    #expect(kinds == Set(EventKind.allCases))
  }

  @Test("a column name has one type in all kinds and is not a partition's")
  func oneTypeAName() {
    var types: [String: ColumnType] = ["year": .int32, "month": .int32, "day": .int32]
    for column in LakeSchema.base {
      #expect(types.updateValue(column.type, forKey: column.name) == nil)
    }
    let base = Set(types.keys)
    for kind in EventKind.allCases {
      for column in LakeSchema.own(kind) {
        #expect(!base.contains(column.name), "\(kind) repeats \(column.name)")
        let old = types.updateValue(column.type, forKey: column.name)
        #expect(old == nil || old == column.type, "\(column.name) has two types")
      }
    }
  }
}
