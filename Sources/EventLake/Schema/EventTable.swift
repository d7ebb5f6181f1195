import CArrow
import Domain
import JSON

/// The rows of one file being built: events of one kind and day.
struct EventTable {
  let kind: EventKind
  private(set) var rowCount = 0
  private var base: [ColumnBuffer]
  private var own: [ColumnBuffer]

  init(kind: EventKind) {
    self.kind = kind
    base = LakeSchema.base.map {
      ColumnBuffer(name: $0.name, type: $0.type, isNullable: $0.isNullable)
    }
    own = LakeSchema.own(kind).map {
      ColumnBuffer(name: $0.name, type: $0.type, isNullable: true)
    }
  }

  mutating func append(_ event: StoredEvent) {
    guard let reading = EventKind.readings[kind] else { return }
    let fields = event.payload.clearFields(reading.names)
    // A score of any kind of event is kept: reports look at `code.validated` only.
    let score = ValidationScore.of(fields)
    base[0].append(event.id.description)
    base[1].append(event.type)
    base[2].append(event.entityType)
    base[3].append(event.entityID.description)
    base[4].append(event.userID?.description)
    base[5].append(event.createdAt.microsecondsSinceEpoch)
    base[6].append(score)
    base[7].append(event.position)
    base[8].append(event.version)
    base[9].append(event.payload.sealedText)
    base[10].append(event.metadata.sealedText)
    base[11].append(event.schemaVersion)
    for (index, entry) in reading.columns.enumerated() {
      let value = entry.sources.lazy.compactMap { $0.value(in: fields) }.first { $0 != .null }
      EventTable.append(value, to: &own[index])
    }
    rowCount += 1
  }

  /// A value of another type than the column's is null: the payload still has it.
  private static func append(_ value: JSONFields.Value?, to column: inout ColumnBuffer) {
    switch (column.type, value) {
    case (.utf8, .string(let text)), (.utf8, .nested(let text)): column.append(text)
    case (.utf8, _): column.append(nil as String?)
    case (.int64, .number(let number)): column.append(number.integer)
    case (.int64, _), (.timestamp, _): column.append(nil as Int64?)
    case (.int32, .number(let number)):
      column.append(number.integer.flatMap { Int32(exactly: $0) })
    case (.int32, _): column.append(nil as Int32?)
    case (.double, .number(let number)): column.append(number.double)
    case (.double, _): column.append(nil as Double?)
    case (.bool, .bool(let flag)): column.append(flag)
    case (.bool, _): column.append(nil as Bool?)
    }
  }

  /// The bytes of the Parquet file. Blocks for as long as compression takes.
  func encoded(options: EncodingOptions) throws(LakeError) -> EncodedFile {
    var out: OpaquePointer?
    var error = carrow_error()
    let status = EventTable.withColumns(base + own, at: 0, lent: []) { columns in
      columns.withUnsafeBufferPointer { columns in
        var raw = options.raw
        return carrow_encode_take(
          columns.baseAddress, Int32(columns.count), Int64(rowCount), &raw, &out, &error)
      }
    }
    guard status == 0, let out else { throw LakeError(error, operation: "encode", path: "") }
    return EncodedFile(taking: out)
  }

  private static func withColumns<Result>(
    _ buffers: [ColumnBuffer], at index: Int, lent: [carrow_column],
    _ body: ([carrow_column]) -> Result
  ) -> Result {
    guard index < buffers.count else { return body(lent) }
    return buffers[index].withColumn { column in
      withColumns(buffers, at: index + 1, lent: lent + [column], body)
    }
  }
}

/// How files are compressed and cut.
package struct EncodingOptions: Sendable, Hashable {
  package var zstdLevel: Int32 = 1
  package var rowGroupRows: Int64 = 10_000

  package init() {}

  var raw: carrow_write_options {
    carrow_write_options(zstd_level: zstdLevel, row_group_rows: rowGroupRows)
  }
}

/// A finished file in memory; owns the C buffer. Stays on the thread that made it.
final class EncodedFile {
  private let buffer: OpaquePointer
  let byteCount: Int64
  let checksum: UInt32

  init(taking buffer: OpaquePointer) {
    self.buffer = buffer
    byteCount = carrow_buffer_count(buffer)
    checksum = carrow_crc32c(0, carrow_buffer_bytes(buffer), Int(byteCount))
  }

  deinit { carrow_buffer_free(buffer) }

  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: carrow_buffer_bytes(buffer), count: Int(byteCount)))
  }
}

extension LakeError {
  /// An error of the C side; `path` names the file that it was about.
  init(_ error: carrow_error, operation: String, path: String) {
    let detail = withUnsafeBytes(of: error.message) { raw in
      String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch error.kind {
    case CARROW_ERROR_IO: self = .io(operation: operation, path: path, code: error.os_error)
    case CARROW_ERROR_LIMIT: self = .tooLarge(detail: detail)
    case CARROW_ERROR_MEMORY: self = .tooLarge(detail: "out of memory")
    default: self = .encoding(detail: detail)
    }
  }
}
