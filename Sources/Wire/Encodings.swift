/// How a message may be compressed (W6.9).
package enum MessageEncoding: UInt8, Sendable, Hashable, CaseIterable {
  /// The zlib format, RFC 1950.
  case deflate = 1
}

/// Which encodings a side reads. Numbers that this code does not know are left out.
package struct Encodings: Sendable, Hashable {
  private let known: [MessageEncoding]

  package init(_ encodings: [MessageEncoding] = []) {
    known = encodings
  }

  /// Reads a list: a byte each.
  init(_ field: BlockReader.Field) throws(WireFault) {
    guard field.value.count <= WireLimit.encodingCountMax else {
      throw WireFault(.protocolError, "more than 16 encodings")
    }
    known = field.value.compactMap(MessageEncoding.init(rawValue:))
  }

  package var isEmpty: Bool { known.isEmpty }

  package func contains(_ encoding: MessageEncoding) -> Bool { known.contains(encoding) }

  package var values: [UInt8] { known.map(\.rawValue) }
}

/// What stands before the data of a compressed message: `u8 encoding | u32 size` (W6.9).
package struct CompressedHead: Sendable, Hashable {
  package static let byteCount = 5

  package var encoding: MessageEncoding
  /// Of the message that the data is of.
  package var messageByteCount: Int

  package init(_ encoding: MessageEncoding, messageByteCount: Int) {
    self.encoding = encoding
    self.messageByteCount = messageByteCount
  }

  /// Reads and judges the beginning of `message`, which is whole.
  ///
  /// - Throws: what refuses the message: it says too much, or more than its data can be worth.
  package init(_ message: UnsafeRawBufferPointer, byteCountMax: Int) throws(CallFault) {
    guard message.count > Self.byteCount, let encoding = MessageEncoding(rawValue: message[0])
    else { throw CallFault(.invalidArgument, "a compressed message of no known encoding") }
    self.encoding = encoding
    messageByteCount = Int(message.bigEndian32(at: 1))
    guard messageByteCount > 0 else {
      throw CallFault(.invalidArgument, "a compressed message of no bytes")
    }
    guard messageByteCount <= byteCountMax else {
      throw CallFault(.resourceExhausted, "a message larger than \(byteCountMax) bytes")
    }
    guard messageByteCount <= Self.messageByteCountMax(of: message.count - Self.byteCount) else {
      throw CallFault(
        .resourceExhausted, "a message that is more than 64 times what it is compressed to")
    }
  }

  /// The largest message that `byteCount` bytes of data may be of: what grows more is sent as it is, and whoever
  /// receives it knows what data can cost before any of it is read.
  package static func messageByteCountMax(of byteCount: Int) -> Int { 65536 + 64 * byteCount }

  package var bytes: [UInt8] {
    var bytes = [encoding.rawValue]
    withUnsafeBytes(of: UInt32(clamping: messageByteCount).bigEndian) {
      bytes.append(contentsOf: $0)
    }
    return bytes
  }
}
