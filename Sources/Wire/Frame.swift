/// The kinds of frame (W2.3).
package enum FrameKind: UInt8, Sendable, Hashable, CaseIterable {
  case hello = 1
  case call = 2
  case message = 3
  case end = 4
  case cancel = 5
  case credit = 6
  case ping = 7
  case pong = 8
  case goAway = 9
  /// Since minor version 1.
  case head = 10
}

/// The flags of a frame (W2.4).
package struct FrameFlags: OptionSet, Sendable, Hashable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The sender half-closes with this frame.
  package static let end = FrameFlags(rawValue: 0x01)
  /// The message continues in the next MESSAGE frame of the stream.
  package static let more = FrameFlags(rawValue: 0x02)
  /// Message bytes follow the block.
  package static let hasMessage = FrameFlags(rawValue: 0x04)
  /// The message that begins in this frame is compressed (W6.9). Since minor version 1.
  package static let compressed = FrameFlags(rawValue: 0x08)
}

/// A frame's header as it came, before anything about it was checked.
package struct FrameHeader: Sendable, Hashable {
  package static let byteCount = 10

  package var payloadByteCount: UInt32
  package var kindValue: UInt8
  package var flags: FrameFlags
  package var stream: UInt32

  @inlinable
  package init(_ kind: FrameKind, flags: FrameFlags = [], stream: UInt32, payloadByteCount: Int) {
    self.payloadByteCount = UInt32(truncatingIfNeeded: payloadByteCount)
    self.kindValue = kind.rawValue
    self.flags = flags
    self.stream = stream
  }

  /// Reads a header; nil while fewer than ten bytes are there.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.byteCount else { return nil }
    payloadByteCount = bytes.bigEndian32(at: 0)
    kindValue = bytes[4]
    flags = FrameFlags(rawValue: bytes[5])
    stream = bytes.bigEndian32(at: 6)
  }

  /// The kind, nil for one that this version does not know.
  package var kind: FrameKind? { FrameKind(rawValue: kindValue) }

  /// Writes ten bytes; `bytes` must have room for them.
  package func write(to bytes: UnsafeMutableRawBufferPointer) {
    bytes.storeBigEndian(payloadByteCount, at: 0)
    bytes[4] = kindValue
    bytes[5] = flags.rawValue
    bytes.storeBigEndian(stream, at: 6)
  }
}

extension UnsafeRawBufferPointer {
  /// Bounds are checked by the caller against `count`, and again here in debug builds.
  package func bigEndian16(at offset: Int) -> UInt16 {
    UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  package func bigEndian32(at offset: Int) -> UInt32 {
    UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  package func bigEndian64(at offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

extension UnsafeMutableRawBufferPointer {
  package func storeBigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, at offset: Int
  ) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
  }
}
