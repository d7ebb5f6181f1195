import CLibPQ
package import Domain

/// The rows of one statement, in binary format.
///
/// Owns the `PGresult`. `@unchecked Sendable`: libpq never touches a result again once
/// `PQgetResult` has returned it, and this class only reads it until `deinit` frees it.
package final class ResultSet: @unchecked Sendable {
  private let pointer: OpaquePointer

  /// Takes over the result.
  init(taking pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQclear(pointer) }

  package var count: Int { Int(PQntuples(pointer)) }
  package var columnCount: Int { Int(PQnfields(pointer)) }

  package subscript(row: Int) -> Row { Row(result: self, index: Int32(row)) }

  package var first: Row? { count > 0 ? self[0] : nil }

  /// What `transform` makes of the first row; nil where there is none.
  package func first<T>(
    _ transform: (Row) throws(StoreError) -> T
  ) throws(StoreError) -> T? {
    guard count > 0 else { return nil }
    return try transform(self[0])
  }

  package func map<T>(_ transform: (Row) throws(StoreError) -> T) throws(StoreError) -> [T] {
    var output: [T] = []
    output.reserveCapacity(count)
    for index in 0..<count { output.append(try transform(self[index])) }
    return output
  }

  /// The bytes of a cell, valid during `body`; nil for NULL.
  fileprivate func withCell<T>(
    _ row: Int32, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws(StoreError) -> T
  ) throws(StoreError) -> T {
    guard row < PQntuples(pointer), column < Int(PQnfields(pointer)) else {
      throw .corrupt("there is no column \(column)")
    }
    if PQgetisnull(pointer, row, Int32(column)) == 1 { return try body(nil) }
    return try body(
      UnsafeRawBufferPointer(
        start: PQgetvalue(pointer, row, Int32(column)),
        count: Int(PQgetlength(pointer, row, Int32(column)))))
  }
}

/// One row of a result; its accessors throw `.corrupt` where a cell is not what they ask for.
package struct Row {
  fileprivate let result: ResultSet
  fileprivate let index: Int32

  private func optional<T>(
    _ column: Int, _ what: StaticString, _ read: (UnsafeRawBufferPointer) throws(StoreError) -> T?
  ) throws(StoreError) -> T? {
    try result.withCell(index, column) { (cell) throws(StoreError) -> T? in
      guard let cell else { return nil }
      guard let value = try read(cell) else { throw .corrupt("column \(column) is no \(what)") }
      return value
    }
  }

  private func required<T>(
    _ column: Int, _ what: StaticString, _ read: (UnsafeRawBufferPointer) throws(StoreError) -> T?
  ) throws(StoreError) -> T {
    guard let value = try optional(column, what, read) else {
      throw .corrupt("column \(column) is NULL")
    }
    return value
  }

  package func isNull(_ column: Int) throws(StoreError) -> Bool {
    try result.withCell(index, column) { (cell) throws(StoreError) in cell == nil }
  }

  package func bool(_ column: Int) throws(StoreError) -> Bool {
    try required(column, "bool") { $0.count == 1 ? $0[0] != 0 : nil }
  }

  package func int32(_ column: Int) throws(StoreError) -> Int32 {
    try required(column, "int4") { $0.bigEndian(Int32.self) }
  }

  package func int64(_ column: Int) throws(StoreError) -> Int64 {
    try required(column, "int8") { $0.bigEndian(Int64.self) }
  }

  package func optionalInt64(_ column: Int) throws(StoreError) -> Int64? {
    try optional(column, "int8") { $0.bigEndian(Int64.self) }
  }

  package func double(_ column: Int) throws(StoreError) -> Double {
    try required(column, "float8") { $0.bigEndian(UInt64.self).map(Double.init(bitPattern:)) }
  }

  package func optionalDouble(_ column: Int) throws(StoreError) -> Double? {
    try optional(column, "float8") { $0.bigEndian(UInt64.self).map(Double.init(bitPattern:)) }
  }

  package func uuid(_ column: Int) throws(StoreError) -> UUIDv7 {
    try required(column, "uuid") { $0.uuid }
  }

  package func optionalUUID(_ column: Int) throws(StoreError) -> UUIDv7? {
    try optional(column, "uuid") { $0.uuid }
  }

  package func timestamp(_ column: Int) throws(StoreError) -> Timestamp {
    try required(column, "timestamptz") { $0.timestamp }
  }

  package func optionalTimestamp(_ column: Int) throws(StoreError) -> Timestamp? {
    try optional(column, "timestamptz") { $0.timestamp }
  }

  package func text(_ column: Int) throws(StoreError) -> String {
    try required(column, "text") { String(decoding: $0, as: UTF8.self) }
  }

  package func optionalText(_ column: Int) throws(StoreError) -> String? {
    try optional(column, "text") { String(decoding: $0, as: UTF8.self) }
  }

  package func bytes(_ column: Int) throws(StoreError) -> [UInt8] {
    try required(column, "bytea") { Array($0) }
  }

  /// One dimension of texts without NULLs; a NULL array is an empty one.
  package func texts(_ column: Int) throws(StoreError) -> [String] {
    try optional(column, "text[]") { $0.textArray } ?? []
  }

  /// The text of a jsonb value.
  package func json(_ column: Int) throws(StoreError) -> String {
    try required(column, "jsonb") { cell in
      cell.first == 1 ? String(decoding: cell.dropFirst(), as: UTF8.self) : nil
    }
  }

  /// A column that holds the raw value of an enumeration.
  package func value<T: RawRepresentable>(
    _ column: Int, _ type: T.Type = T.self
  ) throws(StoreError) -> T where T.RawValue == String {
    let text = try text(column)
    guard let value = T(rawValue: text) else {
      throw .corrupt("column \(column) holds the unknown \(T.self) \(text)")
    }
    return value
  }
}

extension UnsafeRawBufferPointer {
  /// The integer that fills this buffer exactly.
  fileprivate func bigEndian<T: FixedWidthInteger>(_ type: T.Type) -> T? {
    count == MemoryLayout<T>.size ? T(bigEndian: loadUnaligned(as: T.self)) : nil
  }

  fileprivate var uuid: UUIDv7? {
    guard count == 16 else { return nil }
    return UUIDv7(
      high: UInt64(bigEndian: loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      low: UInt64(bigEndian: loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  fileprivate var timestamp: Timestamp? {
    guard let micros = bigEndian(Int64.self) else { return nil }
    let (shifted, overflow) = micros.addingReportingOverflow(ParameterBuffer.epochOffset)
    return Timestamp(microsecondsSinceEpoch: overflow ? .max : shifted)
  }

  fileprivate func int32(at offset: Int) -> Int32? {
    guard offset >= 0, offset <= count - 4 else { return nil }
    return Int32(bigEndian: loadUnaligned(fromByteOffset: offset, as: Int32.self))
  }

  fileprivate var textArray: [String]? {
    guard let dimensions = int32(at: 0) else { return nil }
    if dimensions == 0 { return [] }
    guard dimensions == 1, let size = int32(at: 12), size >= 0, Int(size) <= count / 4 else {
      return nil
    }
    var values: [String] = []
    values.reserveCapacity(Int(size))
    var offset = 20
    for _ in 0..<size {
      guard let length = int32(at: offset), length >= 0, offset + 4 + Int(length) <= count else {
        return nil
      }
      let start = offset + 4
      values.append(String(decoding: self[start..<start + Int(length)], as: UTF8.self))
      offset = start + Int(length)
    }
    return values
  }
}
