/// Reads the fields of a block (W3). Knows nothing of what they mean.
package struct BlockReader {
  private var rest: UnsafeRawBufferPointer
  /// What follows the block in the frame's payload.
  package let remainder: UnsafeRawBufferPointer
  /// The tags below 64 that occurred, for the rule that a tag occurs once.
  private var seen: UInt64 = 0

  package struct Field {
    package let tag: UInt8
    package let value: UnsafeRawBufferPointer
  }

  /// `payload` is a frame's whole payload; it must outlive the reader.
  package init(_ payload: UnsafeRawBufferPointer) throws(WireFault) {
    guard payload.count >= 2 else {
      throw WireFault(.protocolError, "a frame without its block")
    }
    let blockByteCount = Int(payload.bigEndian16(at: 0))
    guard blockByteCount <= payload.count - 2 else {
      throw WireFault(.protocolError, "a block that is longer than its frame")
    }
    rest = UnsafeRawBufferPointer(rebasing: payload[2..<2 + blockByteCount])
    remainder = UnsafeRawBufferPointer(rebasing: payload[(2 + blockByteCount)...])
  }

  /// The next field, nil at the end of the block.
  package mutating func next() throws(WireFault) -> Field? {
    if rest.isEmpty { return nil }
    guard rest.count >= 3 else {
      throw WireFault(.protocolError, "a field that runs past its block")
    }
    let tag = rest[0]
    let end = 3 + Int(rest.bigEndian16(at: 1))
    guard end <= rest.count else {
      throw WireFault(.protocolError, "a field that runs past its block")
    }
    let value = UnsafeRawBufferPointer(rebasing: rest[3..<end])
    rest = UnsafeRawBufferPointer(rebasing: rest[end...])
    return Field(tag: tag, value: value)
  }

  /// Refuses the second occurrence of a tag. Tags from 64 on are unknown and may repeat.
  package mutating func requireFirst(_ field: Field) throws(WireFault) {
    guard field.tag < 64 else { return }
    let bit = UInt64(1) << UInt64(field.tag)
    guard seen & bit == 0 else {
      throw WireFault(.protocolError, "field \(field.tag) occurs twice")
    }
    seen |= bit
  }
}

extension BlockReader.Field {
  package func number16() throws(WireFault) -> UInt16 {
    try requireWidth(2)
    return value.bigEndian16(at: 0)
  }

  package func number32() throws(WireFault) -> UInt32 {
    try requireWidth(4)
    return value.bigEndian32(at: 0)
  }

  package func number64() throws(WireFault) -> UInt64 {
    try requireWidth(8)
    return value.bigEndian64(at: 0)
  }

  private func requireWidth(_ width: Int) throws(WireFault) {
    guard value.count == width else {
      throw WireFault(.protocolError, "field \(tag) is not \(width) bytes")
    }
  }

  /// The value as text; nil when it is too long, not UTF-8 or contains NUL (W3.4).
  package func text(byteCountMax: Int) -> String? {
    guard value.count <= byteCountMax else { return nil }
    return WireText.decode(value)
  }
}

/// Text as the wire allows it.
package enum WireText {
  /// The bytes as text, nil when they are not UTF-8 or contain NUL.
  package static func decode(_ bytes: UnsafeRawBufferPointer) -> String? {
    // Nearly all of it is ASCII, and the library's validation is generic: it took a twentieth of a call's time.
    var all: UInt8 = 0
    var hasNUL = false
    for byte in bytes {
      all |= byte
      hasNUL = hasNUL || byte == 0
    }
    guard !hasNUL else { return nil }
    return all < 0x80
      ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
  }

  /// The longest prefix of `text` that is at most `byteCountMax` bytes, without NUL.
  package static func clip(_ text: String, byteCountMax: Int) -> String {
    var clipped = text
    if clipped.utf8.contains(0) {
      clipped = String(clipped.filter { $0 != "\0" })
    }
    if clipped.utf8.count <= byteCountMax { return clipped }
    var end = clipped.utf8.index(clipped.startIndex, offsetBy: byteCountMax)
    // A cut inside a scalar moves back to its start.
    while end > clipped.startIndex, end.samePosition(in: clipped.unicodeScalars) == nil {
      end = clipped.utf8.index(before: end)
    }
    return String(clipped.unicodeScalars[..<end])
  }
}

/// Builds a block. The caller keeps values within the limits of the fields.
package struct BlockWriter {
  /// The block with its length in front.
  package private(set) var bytes: [UInt8]

  package init(reservingByteCount byteCount: Int = 64) {
    bytes = []
    bytes.reserveCapacity(byteCount)
    bytes.append(0)
    bytes.append(0)
  }

  package mutating func add(_ tag: UInt8, _ value: UInt16) {
    addHeader(tag, 2)
    append(value)
    patchLength()
  }

  package mutating func add(_ tag: UInt8, _ value: UInt32) {
    addHeader(tag, 4)
    append(value)
    patchLength()
  }

  package mutating func add(_ tag: UInt8, _ value: UInt64) {
    addHeader(tag, 8)
    append(value)
    patchLength()
  }

  package mutating func add(_ tag: UInt8, _ text: String) {
    add(tag, bytes: text.utf8)
  }

  package mutating func add(_ tag: UInt8, bytes value: some Collection<UInt8>) {
    addHeader(tag, value.count)
    bytes.append(contentsOf: value)
    patchLength()
  }

  /// A metadata entry: `u8 keyLength | key | value`.
  package mutating func add(_ tag: UInt8, key: String, value: some Collection<UInt8>) {
    addHeader(tag, 1 + key.utf8.count + value.count)
    bytes.append(UInt8(truncatingIfNeeded: key.utf8.count))
    bytes.append(contentsOf: key.utf8)
    bytes.append(contentsOf: value)
    patchLength()
  }

  private mutating func addHeader(_ tag: UInt8, _ byteCount: Int) {
    assert(byteCount <= Int(UInt16.max))
    bytes.append(tag)
    append(UInt16(truncatingIfNeeded: byteCount))
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func patchLength() {
    let byteCount = bytes.count - 2
    assert(byteCount <= Int(UInt16.max))
    bytes[0] = UInt8(truncatingIfNeeded: byteCount >> 8)
    bytes[1] = UInt8(truncatingIfNeeded: byteCount)
  }
}
