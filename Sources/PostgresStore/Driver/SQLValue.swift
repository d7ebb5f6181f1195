import Domain

/// A Swift type whose values one parameter or one cell holds, in PostgreSQL's binary format.
protocol SQLValue: SQLParameters {
  static var sqlType: SQLType { get }
  /// The type of a parameter that holds many.
  static var arrayType: SQLType { get }
  /// What makes an element of such an array a value of the column's type; mostly nothing.
  static var elementCast: String { get }
  /// What NULL is read as; nil where it must not be NULL.
  static var null: Self? { get }

  /// Appends the value; nothing, and the answer is false, for NULL.
  func encode(to bytes: inout [UInt8]) -> Bool
  /// As `encode`, in an array.
  func encodeElement(to bytes: inout [UInt8]) -> Bool
  /// Nil where the cell is not of this type.
  init?(cell: UnsafeRawBufferPointer)
}

extension SQLValue {
  static var elementCast: String { "" }
  static var null: Self? { nil }
  static var types: [SQLType] { [sqlType] }

  func encodeElement(to bytes: inout [UInt8]) -> Bool { encode(to: &bytes) }
  func append(to buffer: inout ParameterBuffer) { buffer.append(self) }
}

extension Bool: SQLValue {
  static var sqlType: SQLType { .bool }
  static var arrayType: SQLType { .boolArray }

  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.append(self ? 1 : 0)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard cell.count == 1 else { return nil }
    self = cell[0] != 0
  }
}

extension Int32: SQLValue {
  static var sqlType: SQLType { .int4 }
  static var arrayType: SQLType { .int4Array }
}

extension Int64: SQLValue {
  static var sqlType: SQLType { .int8 }
  static var arrayType: SQLType { .int8Array }
}

extension SQLValue where Self: FixedWidthInteger {
  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.appendBigEndian(self)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard let value = cell.bigEndian(Self.self) else { return nil }
    self = value
  }
}

extension Float: SQLValue {
  static var sqlType: SQLType { .float4 }
  static var arrayType: SQLType { .float4Array }

  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.appendBigEndian(bitPattern)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard let pattern = cell.bigEndian(UInt32.self) else { return nil }
    self.init(bitPattern: pattern)
  }
}

extension Double: SQLValue {
  static var sqlType: SQLType { .float8 }
  static var arrayType: SQLType { .float8Array }

  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.appendBigEndian(bitPattern)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard let pattern = cell.bigEndian(UInt64.self) else { return nil }
    self.init(bitPattern: pattern)
  }
}

extension String: SQLValue {
  static var sqlType: SQLType { .text }
  static var arrayType: SQLType { .textArray }

  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.append(contentsOf: utf8)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) { self.init(decoding: cell, as: UTF8.self) }
}

/// A column that holds the raw value of an enumeration.
extension SQLValue where Self: RawRepresentable, RawValue == String {
  static var sqlType: SQLType { .text }
  static var arrayType: SQLType { .textArray }

  func encode(to bytes: inout [UInt8]) -> Bool { rawValue.encode(to: &bytes) }

  init?(cell: UnsafeRawBufferPointer) {
    self.init(rawValue: String(decoding: cell, as: UTF8.self))
  }
}

extension EntityID: SQLValue {
  static var sqlType: SQLType { .uuid }
  static var arrayType: SQLType { .uuidArray }

  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.appendBigEndian(high)
    bytes.appendBigEndian(low)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard cell.count == 16 else { return nil }
    self.init(
      high: UInt64(bigEndian: cell.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      low: UInt64(bigEndian: cell.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}

extension Timestamp: SQLValue {
  /// Microseconds from 1970 to 2000, where PostgreSQL's timestamps start.
  private static let epochOffset: Int64 = 946_684_800_000_000
  /// The first moment that PostgreSQL's timestamps hold (4714 BC), counted from 2000.
  private static let minimum: Int64 = -211_813_488_000_000_000

  static var sqlType: SQLType { .timestamptz }
  static var arrayType: SQLType { .timestamptzArray }

  /// A moment before PostgreSQL's range becomes -infinity; the last one that we hold is infinity.
  func encode(to bytes: inout [UInt8]) -> Bool {
    let micros = microsecondsSinceEpoch
    let shifted = micros.subtractingReportingOverflow(Timestamp.epochOffset)
    let isBefore = shifted.overflow || shifted.partialValue < Timestamp.minimum
    bytes.appendBigEndian(micros == .max ? Int64.max : isBefore ? Int64.min : shifted.partialValue)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard let micros = cell.bigEndian(Int64.self) else { return nil }
    let (shifted, overflow) = micros.addingReportingOverflow(Timestamp.epochOffset)
    self.init(microsecondsSinceEpoch: overflow ? .max : shifted)
  }
}

extension Optional: SQLValue where Wrapped: SQLValue {
  static var sqlType: SQLType { Wrapped.sqlType }
  static var arrayType: SQLType { Wrapped.arrayType }
  static var elementCast: String { Wrapped.elementCast }
  static var null: Self? { .some(nil) }

  func encode(to bytes: inout [UInt8]) -> Bool {
    switch self {
    case .some(let value): value.encode(to: &bytes)
    case nil: false
    }
  }

  func encodeElement(to bytes: inout [UInt8]) -> Bool {
    switch self {
    case .some(let value): value.encodeElement(to: &bytes)
    case nil: false
    }
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard let value = Wrapped(cell: cell) else { return nil }
    self = .some(value)
  }
}

extension UnsafeRawBufferPointer {
  /// The integer that fills this buffer exactly.
  func bigEndian<T: FixedWidthInteger>(_ type: T.Type) -> T? {
    count == MemoryLayout<T>.size ? T(bigEndian: loadUnaligned(as: T.self)) : nil
  }
}
