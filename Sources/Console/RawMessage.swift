package import RPC

/// A message whose type is not known to the compiler: its bytes, as they are.
package struct RawMessage: WireMessage, Hashable {
  package var bytes: [UInt8]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  package static var fullName: String { "" }

  package static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> RawMessage {
    guard bytes.count <= limits.memoryBudgetByteCount else { throw DecodeError(.tooLarge) }
    return RawMessage(Array(bytes))
  }

  package var encodedByteCount: Int { bytes.count }

  package func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    reserve(bytes.count).copyBytes(from: bytes)
  }
}
