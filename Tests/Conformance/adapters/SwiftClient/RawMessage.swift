import HitoClient

/// A request as the bytes that the runner gave.
struct RawMessage: WireMessage {
  static let fullName = "raw"

  let bytes: [UInt8]

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> RawMessage {
    RawMessage(bytes: Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    reserve(bytes.count).copyBytes(from: bytes)
  }
}
