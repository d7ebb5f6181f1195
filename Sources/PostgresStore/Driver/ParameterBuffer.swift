/// The parameters of one execution in PostgreSQL's binary format, in one buffer.
///
/// Encoding happens in the caller's task, so that the poll thread only copies bytes.
package struct ParameterBuffer: Sendable {
  private(set) var bytes: [UInt8] = []
  /// The length of each parameter in `bytes`; -1 for NULL.
  private(set) var lengths: [Int32] = []

  init() {}

  /// An empty buffer with room for so much.
  init(byteCount: Int, parameterCount: Int) {
    bytes.reserveCapacity(byteCount)
    lengths.reserveCapacity(parameterCount)
  }

  mutating func append(_ value: some SQLValue) {
    let before = bytes.count
    let isThere = value.encode(to: &bytes)
    lengths.append(isThere ? Int32(clamping: bytes.count - before) : -1)
  }

  mutating func append(_ other: ParameterBuffer) {
    guard !lengths.isEmpty else {
      self = other
      return
    }
    bytes += other.bytes
    lengths += other.lengths
  }

  mutating func appendNull() { lengths.append(-1) }

  /// The number of numbers, an unused one (16 bits each), and the numbers.
  mutating func append(vector numbers: [Float]) {
    let header = 2 * MemoryLayout<UInt16>.size
    let size = MemoryLayout<UInt32>.size
    let bytes = [UInt8](unsafeUninitializedCapacity: header + numbers.count * size) {
      bytes, count in
      let bytes = UnsafeMutableRawBufferPointer(bytes)
      // More than the server holds in a vector are refused there.
      bytes.storeBytes(of: UInt16(clamping: numbers.count).bigEndian, as: UInt16.self)
      bytes.storeBytes(of: 0, toByteOffset: header / 2, as: UInt16.self)
      for (index, number) in numbers.enumerated() {
        bytes.storeBytes(
          of: number.bitPattern.bigEndian, toByteOffset: header + index * size, as: UInt32.self)
      }
      count = bytes.count
    }
    self.bytes += bytes
    lengths.append(Int32(clamping: bytes.count))
  }

  mutating func append(_ array: ArrayEncoder) {
    let before = bytes.count
    array.write(to: &bytes)
    lengths.append(Int32(clamping: bytes.count - before))
  }
}

/// An array of one dimension, element by element.
struct ArrayEncoder {
  private let type: SQLType
  private var elements: [UInt8] = []
  private var count: Int32 = 0
  private var hasNull = false

  /// - Parameter type: that of the array.
  init(_ type: SQLType, capacity: Int = 0) {
    self.type = type
    elements.reserveCapacity(capacity * 8)
  }

  /// Of many numbers at once: a vector has hundreds.
  init(_ numbers: [Float]) {
    type = .float4Array
    count = Int32(clamping: numbers.count)
    let size = 2 * MemoryLayout<UInt32>.size
    elements = [UInt8](unsafeUninitializedCapacity: numbers.count * size) { bytes, byteCount in
      let bytes = UnsafeMutableRawBufferPointer(bytes)
      for (index, number) in numbers.enumerated() {
        bytes.storeBytes(
          of: UInt32(size / 2).bigEndian, toByteOffset: index * size, as: UInt32.self)
        bytes.storeBytes(
          of: number.bitPattern.bigEndian, toByteOffset: index * size + size / 2, as: UInt32.self)
      }
      byteCount = numbers.count * size
    }
  }

  mutating func append(_ value: some SQLValue) {
    let lengthAt = elements.count
    elements.appendBigEndian(Int32(-1))
    if value.encodeElement(to: &elements) {
      elements.setBigEndian(Int32(clamping: elements.count - lengthAt - 4), at: lengthAt)
    } else {
      hasNull = true
    }
    count += 1
  }

  func write(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(Int32(count == 0 ? 0 : 1))
    bytes.appendBigEndian(Int32(hasNull ? 1 : 0))
    bytes.appendBigEndian(type.element.rawValue)
    guard count > 0 else { return }
    bytes.appendBigEndian(count)
    // The number of the first element.
    bytes.appendBigEndian(Int32(1))
    bytes += elements
  }
}

extension [UInt8] {
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  fileprivate mutating func setBigEndian(_ value: some FixedWidthInteger, at index: Int) {
    Swift.withUnsafeBytes(of: value.bigEndian) { source in
      for offset in 0..<source.count { self[index + offset] = source[offset] }
    }
  }
}
