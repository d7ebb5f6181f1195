import Wire

@testable import Transport

/// `which | minor version | payload`: what a block says, and that it says the same when it is written
/// again.
enum BlockEntry {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let which = input.byte() % 6
    let minorVersion = UInt16(input.byte() & 1)
    let payload = input.remainder()
    payload.withUnsafeBytes { raw in
      switch which {
      case 0: hello(raw)
      case 1: call(raw, minorVersion)
      case 2: end(raw, minorVersion)
      case 3: head(raw)
      case 4: goAway(raw)
      default: compressed(raw)
      }
    }
  }

  private static func hello(_ payload: UnsafeRawBufferPointer) {
    guard let hello = try? Hello(payload: payload) else { return }
    var server = hello
    server.token = nil
    require(read(hello.serverPayload()) == server, "the server's HELLO")
    var client = hello
    client.serverID = nil
    client.pingIntervalMilliseconds = 10000
    client.limits.concurrentCallCountMax = WireLimit.concurrentCallCountDefault
    require(read(hello.clientPayload()) == client, "the client's HELLO")
  }

  private static func read(_ payload: [UInt8]) -> Hello? {
    payload.withUnsafeBytes { try? Hello(payload: $0) }
  }

  private static func call(_ payload: UnsafeRawBufferPointer, _ minorVersion: UInt16) {
    guard let parts = try? CallHead.read(payload, minorVersion: minorVersion) else { return }
    require(parts.headByteCount + parts.message.count == payload.count, "all of CALL is somewhere")
    let head = parts.head
    guard parts.fault == nil, let path = WireText.decode(head.pathBytes) else { return }
    let block = CallHead.block(
      path: path, timeoutMicroseconds: head.timeoutMicroseconds,
      idempotencyKey: head.idempotencyKey, traceparent: head.traceparent, token: head.token,
      metadata: Metadata.sendable(
        head.metadata.entries, head.metadata.binaryEntries,
        byteCountMax: WireLimit.metadataByteCountMax, minorVersion: minorVersion),
      replyEncodings: head.replyEncodings)
    block.withUnsafeBytes { raw in
      guard let again = try? CallHead.read(raw, minorVersion: minorVersion) else {
        return require(false, "our own CALL is not read")
      }
      require(again.fault == nil, "our own CALL is refused")
      require(again.head.pathBytes.elementsEqual(head.pathBytes), "the path")
      require(again.head.timeoutMicroseconds == head.timeoutMicroseconds, "the timeout")
      require(again.head.idempotencyKey == head.idempotencyKey, "the key")
      require(again.head.token == head.token, "the token")
      require(again.head.replyEncodings == head.replyEncodings, "the encodings")
      same(again.head.metadata, head.metadata)
    }
  }

  private static func same(_ left: Metadata, _ right: Metadata) {
    require(left.entries.elementsEqual(right.entries, by: { $0 == $1 }), "text metadata")
    require(
      left.binaryEntries.elementsEqual(right.binaryEntries, by: { $0 == $1 }), "binary metadata")
  }

  private static func end(_ payload: UnsafeRawBufferPointer, _ minorVersion: UInt16) {
    guard let (trailer, _) = try? EndTrailer.read(payload, minorVersion: minorVersion) else {
      return
    }
    let block = trailer.block(minorVersion: minorVersion)
    require(block.count <= WireLimit.framePayloadByteCountMin, "END does not fit a frame")
    block.withUnsafeBytes { raw in
      guard let (again, rest) = try? EndTrailer.read(raw, minorVersion: minorVersion) else {
        return require(false, "our own END is not read")
      }
      require(rest.isEmpty, "our own END has a message")
      require(again.status == trailer.status && again.message == trailer.message, "the status")
      require(again.details == trailer.details, "the details")
      require(again.resumeCursor == trailer.resumeCursor, "the cursor")
      require(again.isNotStarted == trailer.isNotStarted, "whether it was started")
      require(again.trailers.elementsEqual(trailer.trailers, by: { $0 == $1 }), "the trailers")
      require(
        again.binaryTrailers.elementsEqual(trailer.binaryTrailers, by: { $0 == $1 }), "of bytes")
    }
  }

  private static func head(_ payload: UnsafeRawBufferPointer) {
    guard let metadata = try? ResponseHead.read(payload) else { return }
    ResponseHead.block(metadata.entries, metadata.binaryEntries).withUnsafeBytes { raw in
      guard let again = try? ResponseHead.read(raw) else {
        return require(false, "our own HEAD is not read")
      }
      same(again, metadata)
    }
  }

  private static func goAway(_ payload: UnsafeRawBufferPointer) {
    guard let goAway = try? GoAway(payload: payload) else { return }
    let again = goAway.payload.withUnsafeBytes { try? GoAway(payload: $0) }
    require(again?.reason == goAway.reason, "the reason")
    require(again?.lastStream == goAway.lastStream, "the last stream")
  }

  private static func compressed(_ message: UnsafeRawBufferPointer) {
    let byteCountMax = 1 << 20
    guard let bytes = try? CompressedMessage.unpacked(message, byteCountMax: byteCountMax) else {
      return
    }
    require(bytes.count <= byteCountMax, "more than was allowed")
    require(bytes.count <= 65536 + 64 * message.count, "a bomb")
    guard let packed = CompressedMessage.packed(bytes) else { return }
    let again = packed.withUnsafeBytes {
      try? CompressedMessage.unpacked($0, byteCountMax: byteCountMax)
    }
    require(again == bytes, "what we compress is not the same afterwards")
  }
}
