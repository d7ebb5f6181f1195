import RPC

/// A message whose type is not known to the compiler: its bytes, as they are.
struct RawMessage: WireMessage, Hashable {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  static var fullName: String { "" }

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> RawMessage {
    guard bytes.count <= limits.memoryBudgetByteCount else { throw DecodeError(.tooLarge) }
    return RawMessage(Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    reserve(bytes.count).copyBytes(from: bytes)
  }
}
