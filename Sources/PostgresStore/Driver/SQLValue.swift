package import Domain
package import JSON

/// The types of parameters that our statements use; the raw value is PostgreSQL's OID.
package enum SQLType: UInt32, Sendable {
  case bool = 16
  case bytea = 17
  case int8 = 20
  case int4 = 23
  case text = 25
  case float4 = 700
  case float8 = 701
  case timestamptz = 1184
  case uuid = 2950
  case jsonb = 3802
  case byteaArray = 1001
  case int4Array = 1007
  case textArray = 1009
  case int8Array = 1016
  case float4Array = 1021
  case timestamptzArray = 1185
  case uuidArray = 2951
  case jsonbArray = 3807
}

/// The parameters of one execution in PostgreSQL's binary format, in one buffer.
///
/// Encoding happens in the caller's task, so that the poll thread only copies bytes.
package struct ParameterBuffer: Sendable {
  /// Microseconds from 1970 to 2000, where PostgreSQL's timestamps start.
  static let epochOffset: Int64 = 946_684_800_000_000
  /// The first moment that PostgreSQL's timestamps hold (4714 BC), counted from 2000.
  static let timestampMinimum: Int64 = -211_813_488_000_000_000

  private(set) var bytes: [UInt8] = []
  /// The length of each parameter in `bytes`; -1 for NULL.
  private(set) var lengths: [Int32] = []

  package init() {}

  package mutating func appendNull() { lengths.append(-1) }

  package mutating func append(_ value: Bool) {
    bytes.append(value ? 1 : 0)
    lengths.append(1)
  }

  package mutating func append(_ value: Int32) {
    bytes.appendBigEndian(value)
    lengths.append(4)
  }

  package mutating func append(_ value: Int64) {
    bytes.appendBigEndian(value)
    lengths.append(8)
  }

  package mutating func append(_ value: Double) {
    bytes.appendBigEndian(value.bitPattern)
    lengths.append(8)
  }

  package mutating func append(_ value: String) { appendBlob(value.utf8) }

  package mutating func append(_ value: String?) {
    if let value { appendBlob(value.utf8) } else { appendNull() }
  }

  package mutating func append(bytes value: [UInt8]) { appendBlob(value) }

  package mutating func append(_ value: UUIDv7) {
    bytes.append(value)
    lengths.append(16)
  }

  package mutating func append(_ value: UUIDv7?) {
    if let value { append(value) } else { appendNull() }
  }

  package mutating func append(_ value: Timestamp) {
    bytes.append(value)
    lengths.append(8)
  }

  package mutating func append(_ value: Timestamp?) {
    if let value { append(value) } else { appendNull() }
  }

  /// A jsonb value; its binary form is a version byte and the text.
  package mutating func append(json value: JSONValue) {
    let text = value.text
    bytes.append(1)
    bytes.append(contentsOf: text.utf8)
    lengths.append(Int32(clamping: text.utf8.count + 1))
  }

  private mutating func appendBlob(_ value: some Collection<UInt8>) {
    let before = bytes.count
    bytes.append(contentsOf: value)
    lengths.append(Int32(clamping: bytes.count - before))
  }

  /// One dimension of `values`; `write` appends an element and returns false for NULL.
  private mutating func appendArray<Element>(
    _ values: some Collection<Element>, of type: SQLType,
    _ write: (Element, inout [UInt8]) -> Bool
  ) {
    let start = bytes.count
    bytes.appendBigEndian(Int32(values.isEmpty ? 0 : 1))
    let flagAt = bytes.count
    bytes.appendBigEndian(Int32(0))
    bytes.appendBigEndian(type.rawValue)
    if !values.isEmpty {
      bytes.appendBigEndian(Int32(clamping: values.count))
      bytes.appendBigEndian(Int32(1))
    }
    for value in values {
      let lengthAt = bytes.count
      bytes.appendBigEndian(Int32(-1))
      if write(value, &bytes) {
        bytes.setBigEndian(Int32(clamping: bytes.count - lengthAt - 4), at: lengthAt)
      } else {
        bytes.setBigEndian(Int32(1), at: flagAt)
      }
    }
    lengths.append(Int32(clamping: bytes.count - start))
  }

  package mutating func append(_ values: [Int32]) {
    appendArray(values, of: .int4) { value, bytes in
      bytes.appendBigEndian(value)
      return true
    }
  }

  package mutating func append(_ values: [Int64]) {
    appendArray(values, of: .int8) { value, bytes in
      bytes.appendBigEndian(value)
      return true
    }
  }

  /// Also what a vector is made from: `$n::vector`.
  package mutating func append(_ values: [Float]) {
    bytes.reserveCapacity(bytes.count + 20 + values.count * 8)
    appendArray(values, of: .float4) { value, bytes in
      bytes.appendBigEndian(value.bitPattern)
      return true
    }
  }

  package mutating func append(blobs values: [[UInt8]]) {
    appendArray(values, of: .bytea) { value, bytes in
      bytes.append(contentsOf: value)
      return true
    }
  }

  package mutating func append(_ values: [String]) {
    appendArray(values, of: .text) { value, bytes in
      bytes.append(contentsOf: value.utf8)
      return true
    }
  }

  package mutating func append(_ values: [UUIDv7?]) {
    appendArray(values, of: .uuid) { value, bytes in
      guard let value else { return false }
      bytes.append(value)
      return true
    }
  }

  package mutating func append(_ values: [Timestamp?]) {
    appendArray(values, of: .timestamptz) { value, bytes in
      guard let value else { return false }
      bytes.append(value)
      return true
    }
  }

  package mutating func append(jsons values: [JSONValue]) {
    appendArray(values, of: .jsonb) { value, bytes in
      bytes.append(1)
      bytes.append(contentsOf: value.text.utf8)
      return true
    }
  }
}

extension [UInt8] {
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  mutating func setBigEndian(_ value: some FixedWidthInteger, at index: Int) {
    Swift.withUnsafeBytes(of: value.bigEndian) { source in
      for offset in 0..<source.count { self[index + offset] = source[offset] }
    }
  }

  mutating func append(_ value: UUIDv7) {
    appendBigEndian(value.high)
    appendBigEndian(value.low)
  }

  /// A moment before PostgreSQL's range becomes -infinity; the last one that we hold is infinity.
  mutating func append(_ value: Timestamp) {
    let micros = value.microsecondsSinceEpoch
    let shifted = micros.subtractingReportingOverflow(ParameterBuffer.epochOffset)
    let isBefore = shifted.overflow || shifted.partialValue < ParameterBuffer.timestampMinimum
    appendBigEndian(micros == .max ? Int64.max : isBefore ? Int64.min : shifted.partialValue)
  }
}

/// The text form of a PostgreSQL array of texts, for arrays in arrays (which must not be ragged in
/// the binary form).
func arrayLiteral(_ values: [String]) -> String {
  var output = "{"
  for (index, value) in values.enumerated() {
    if index > 0 { output += "," }
    output += "\""
    for scalar in value.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { output += "\\" }
      output.unicodeScalars.append(scalar)
    }
    output += "\""
  }
  return output + "}"
}
