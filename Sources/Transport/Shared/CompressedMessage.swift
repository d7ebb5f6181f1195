internal import Deflate
internal import RPC
package import Wire

/// Messages as they go over the wire compressed (W6.9): `u8 encoding | u32 size | data`.
package enum CompressedMessage {
  /// Below this a message is sent as it is: what is gained is a packet at most.
  package static let byteCountMin = 4096

  /// `bytes` compressed, with the head; nil where that is not worth it, or the receiver would refuse it.
  package static func packed(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= byteCountMin, let data = bytes.withUnsafeBytes(Deflate.compressed),
      bytes.count <= CompressedHead.messageByteCountMax(of: data.count)
    else { return nil }
    return CompressedHead(.deflate, messageByteCount: bytes.count).bytes + data
  }

  /// What `message` is of.
  ///
  /// - Parameter byteCountMax: the largest message that is taken; no more memory than that is used.
  package static func unpacked(
    _ message: UnsafeRawBufferPointer, byteCountMax: Int
  ) throws(CallFault) -> [UInt8] {
    let head = try CompressedHead(message, byteCountMax: byteCountMax)
    let data = UnsafeRawBufferPointer(rebasing: message[CompressedHead.byteCount...])
    guard let bytes = Deflate.expanded(data, byteCount: head.messageByteCount) else {
      throw CallFault(.invalidArgument, "a compressed message that does not expand to its size")
    }
    return bytes
  }
}

/// A message that is bytes already.
struct EncodedMessage: WireMessage {
  static let fullName = ""
  let bytes: [UInt8]

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> EncodedMessage {
    EncodedMessage(bytes: Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }
  var sharedBytes: [UInt8]? { bytes }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    bytes.withUnsafeBytes { reserve(bytes.count).copyMemory(from: $0) }
  }
}
