import RPC

/// A message whose encoding is its bytes; `!` in front does not decode.
struct Blob: WireMessage, Hashable {
  static let fullName = "fuzz.Blob"
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
  init(_ text: String) { bytes = Array(text.utf8) }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> Blob {
    guard bytes.first != UInt8(ascii: "!") else {
      throw DecodeError(.malformed, field: "blob.bytes")
    }
    return Blob(Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    let room = reserve(bytes.count)
    bytes.withUnsafeBytes { room.copyMemory(from: $0) }
  }
}
