internal import NIOCore
internal import RPC
internal import Wire

/// Plain bytes on their way out: grows, is written in place, and is emptied once per tick.
///
/// Raw memory and not a ByteBuffer, because a message is encoded straight into it through a pointer
/// that must stay valid while the message's encoder runs.
struct OutputBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private(set) var capacity = 0
  private(set) var count = 0

  init() {}

  deinit { base?.deallocate() }

  var isEmpty: Bool { count == 0 }

  /// Room for exactly `byteCount` bytes, counted as written; valid until the next call.
  mutating func extend(by byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if count + byteCount > capacity { grow(to: count + byteCount) }
    let start = base.map { $0 + count }
    count += byteCount
    return UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    extend(by: bytes.count).copyMemory(from: bytes)
  }

  mutating func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { append($0) }
  }

  /// Writes a frame: header and payload.
  mutating func appendFrame(
    _ kind: FrameKind, flags: FrameFlags = [], stream: UInt32, payload: [UInt8] = []
  ) {
    appendHeader(kind, flags: flags, stream: stream, payloadByteCount: payload.count)
    append(payload)
  }

  mutating func appendHeader(
    _ kind: FrameKind, flags: FrameFlags, stream: UInt32, payloadByteCount: Int
  ) {
    FrameHeader(kind, flags: flags, stream: stream, payloadByteCount: payloadByteCount)
      .write(to: extend(by: FrameHeader.byteCount))
  }

  mutating func appendCredit(stream: UInt32, byteCount: Int) {
    appendHeader(.credit, flags: [], stream: stream, payloadByteCount: 4)
    extend(by: 4).storeBigEndian(UInt32(clamping: byteCount), at: 0)
  }

  mutating func appendPing(_ kind: FrameKind, opaque: UInt64) {
    appendHeader(kind, flags: [], stream: 0, payloadByteCount: 8)
    extend(by: 8).storeBigEndian(opaque, at: 0)
  }

  /// Moves everything into a buffer for the channel.
  mutating func take(_ allocator: ByteBufferAllocator) -> ByteBuffer {
    var buffer = allocator.buffer(capacity: count)
    buffer.writeBytes(UnsafeRawBufferPointer(start: base, count: count))
    count = 0
    return buffer
  }

  /// Forgets what is left and gives the memory back, which a quiet connection does not need.
  mutating func shrink() {
    count = 0
    base?.deallocate()
    base = nil
    capacity = 0
  }

  private mutating func grow(to needed: Int) {
    var grown = max(capacity, 1024)
    while grown < needed { grown *= 2 }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
    if let base {
      memory.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    base = memory
    capacity = grown
  }
}
