import CArrow

/// The values of one column while a file is being built.
struct ColumnBuffer {
  enum Storage {
    case utf8(bytes: [UInt8], offsets: [Int32])
    case int64([Int64])
    case int32([Int32])
    case double([Double])
    case bool([UInt8])
  }

  let name: String
  let type: ColumnType
  let isNullable: Bool
  private(set) var rowCount = 0
  private var storage: Storage
  private var validity: [UInt8] = []

  init(name: String, type: ColumnType, isNullable: Bool) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    switch type {
    case .utf8: storage = .utf8(bytes: [], offsets: [0])
    case .int64, .timestamp: storage = .int64([])
    case .int32: storage = .int32([])
    case .double: storage = .double([])
    case .bool: storage = .bool([])
    }
  }

  mutating func append(_ value: String?) {
    guard case .utf8(var bytes, var offsets) = storage else { return mismatch() }
    storage = .bool([])  // gives up the second reference, so that appending does not copy
    if var value { value.withUTF8 { bytes.append(contentsOf: $0) } }
    // The planner keeps a file's text far below 2 GiB.
    offsets.append(Int32(truncatingIfNeeded: bytes.count))
    storage = .utf8(bytes: bytes, offsets: offsets)
    mark(value != nil)
  }

  mutating func append(_ value: Int64?) {
    guard case .int64(var values) = storage else { return mismatch() }
    storage = .bool([])
    values.append(value ?? 0)
    storage = .int64(values)
    mark(value != nil)
  }

  mutating func append(_ value: Int32?) {
    guard case .int32(var values) = storage else { return mismatch() }
    storage = .bool([])
    values.append(value ?? 0)
    storage = .int32(values)
    mark(value != nil)
  }

  mutating func append(_ value: Double?) {
    guard case .double(var values) = storage else { return mismatch() }
    storage = .bool([])
    values.append(value ?? 0)
    storage = .double(values)
    mark(value != nil)
  }

  mutating func append(_ value: Bool?) {
    guard case .bool(var bits) = storage else { return mismatch() }
    storage = .bool([])
    if rowCount & 7 == 0 { bits.append(0) }
    if value == true { bits[rowCount >> 3] |= 1 << UInt8(rowCount & 7) }
    storage = .bool(bits)
    mark(value != nil)
  }

  /// The column's type and the call disagree: the row gets a null, and the encoder refuses the
  /// file for its length rather than shifting the values of other rows.
  private func mismatch() { assertionFailure("column \(name) has another type") }

  private mutating func mark(_ isPresent: Bool) {
    if rowCount & 7 == 0 { validity.append(0) }
    if isPresent { validity[rowCount >> 3] |= 1 << UInt8(rowCount & 7) }
    rowCount += 1
  }

  /// Lends the column to C for the time of `body`.
  func withColumn<Result>(_ body: (carrow_column) -> Result) -> Result {
    name.withCString { name in
      validity.withUnsafeBufferPointer { validity in
        var column = carrow_column()
        column.name = name
        column.nullable = isNullable
        column.validity = isNullable ? validity.baseAddress : nil
        switch storage {
        case .utf8(let bytes, let offsets):
          column.type = CARROW_UTF8
          return offsets.withUnsafeBufferPointer { offsets in
            column.offsets = offsets.baseAddress
            return lend(bytes, column, body)
          }
        case .int64(let values):
          column.type = type == .timestamp ? CARROW_TIMESTAMP_US : CARROW_INT64
          return lend(values, column, body)
        case .int32(let values):
          column.type = CARROW_INT32
          return lend(values, column, body)
        case .double(let values):
          column.type = CARROW_DOUBLE
          return lend(values, column, body)
        case .bool(let bits):
          column.type = CARROW_BOOL
          return lend(bits, column, body)
        }
      }
    }
  }

  private func lend<Element, Result>(
    _ values: [Element], _ column: carrow_column, _ body: (carrow_column) -> Result
  ) -> Result {
    var column = column
    return values.withUnsafeBytes { raw in
      column.values = raw.baseAddress
      column.value_byte_count = Int64(raw.count)
      return body(column)
    }
  }
}
