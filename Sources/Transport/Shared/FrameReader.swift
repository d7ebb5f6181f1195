internal import NIOCore
internal import Wire

/// Takes complete frames off the front of received bytes, and says how far it came.
struct FrameReader {
  /// One frame. Its payload lies in the received bytes.
  struct Frame {
    let kind: FrameKind
    let header: FrameHeader
    let payload: UnsafeRawBufferPointer
  }

  private let bytes: UnsafeRawBufferPointer
  /// What was taken so far.
  private(set) var byteCount = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// The next frame, nil when it is not complete; `check` sees its header before its payload is
  /// waited for (W2).
  mutating func next(
    _ check: (FrameHeader) throws(WireFault) -> FrameKind
  ) throws(WireFault) -> Frame? {
    let rest = UnsafeRawBufferPointer(rebasing: bytes[byteCount...])
    guard let header = FrameHeader(rest) else { return nil }
    let kind = try check(header)
    let end = FrameHeader.byteCount + Int(header.payloadByteCount)
    guard end <= rest.count else { return nil }
    byteCount += end
    return Frame(
      kind: kind, header: header,
      payload: UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount..<end]))
  }
}

/// The beginning of a frame that is not complete yet.
struct FrameCarry {
  private var kept = ByteBuffer()
  /// What is kept now.
  var byteCount: Int { kept.readableBytes }

  /// The bytes of this read are in a buffer of ours.
  private var isJoined = false

  /// Puts what was kept before `bytes`.
  mutating func join(_ bytes: inout ByteBuffer) {
    isJoined = kept.readableBytes > 0
    guard isJoined else { return }
    swap(&kept, &bytes)
    bytes.writeBuffer(&kept)
    kept = ByteBuffer()
  }

  /// Keeps what is left of the bytes that were joined.
  mutating func keep(_ bytes: inout ByteBuffer, _ allocator: ByteBufferAllocator) {
    guard bytes.readableBytes > 0 else { return }
    if isJoined, bytes.capacity <= 2 * bytes.readableBytes {
      bytes.discardReadBytes()
      swap(&kept, &bytes)
    } else {
      // A copy: the buffer belongs to all connections of this loop, or is much larger than what is
      // left of it.
      kept = allocator.buffer(capacity: bytes.readableBytes)
      kept.writeBuffer(&bytes)
    }
  }

  mutating func clear() {
    kept = ByteBuffer()
  }
}
