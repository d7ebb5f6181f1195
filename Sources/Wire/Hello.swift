/// The first frame of each side (W4).
package struct Hello: Sendable, Hashable {
  package var minorVersion: UInt16 = 0
  /// How messages may be compressed that are sent to the side that says it.
  package var encodings = Encodings()
  package var agent: String?
  package var limits = ReceiveLimits()
  package var token: String?
  package var pingIntervalMilliseconds: UInt32 = 10000
  package var serverID: String?

  package init() {}

  /// Reads a HELLO payload. Everything wrong in it is a connection error.
  package init(payload: UnsafeRawBufferPointer) throws(WireFault) {
    var reader = try BlockReader(payload)
    guard reader.remainder.isEmpty else {
      throw WireFault(.protocolError, "HELLO continues after its block")
    }
    while let field = try reader.next() {
      // Unknown ones may repeat (W3.2).
      if field.tag <= 11 { try reader.requireFirst(field) }
      try read(field)
    }
    try checkLimits()
  }

  private mutating func read(_ field: BlockReader.Field) throws(WireFault) {
    switch field.tag {
    case 1: minorVersion = try field.number16()
    case 2: agent = try Self.text(field, WireLimit.agentByteCountMax)
    case 3: limits.framePayloadByteCountMax = Int(try field.number32())
    case 4: limits.messageByteCountMax = Int(try field.number32())
    case 5: limits.concurrentCallCountMax = Int(try field.number32())
    case 6: limits.streamCredit = Int(try field.number32())
    case 7: limits.connectionCredit = Int(try field.number32())
    case 8: token = try Self.text(field, WireLimit.tokenByteCountMax)
    case 9: pingIntervalMilliseconds = try field.number32()
    case 11: encodings = try Encodings(field)
    case 10: serverID = try Self.text(field, WireLimit.serverIDByteCountMax)
    default: break
    }
  }

  private static func text(
    _ field: BlockReader.Field, _ byteCountMax: Int
  ) throws(WireFault) -> String {
    guard let text = field.text(byteCountMax: byteCountMax) else {
      throw WireFault(.protocolError, "HELLO field \(field.tag) is not text within its limit")
    }
    return text
  }

  private func checkLimits() throws(WireFault) {
    guard
      (WireLimit.framePayloadByteCountMin...WireLimit.framePayloadByteCountMax)
        .contains(limits.framePayloadByteCountMax)
    else {
      throw WireFault(.protocolError, "a maximum frame payload outside 16384..1048576")
    }
    guard limits.messageByteCountMax >= WireLimit.messageByteCountMin else {
      throw WireFault(.protocolError, "a maximum message below 16384")
    }
    guard
      limits.streamCredit <= WireLimit.creditMax, limits.connectionCredit <= WireLimit.creditMax
    else {
      throw WireFault(.protocolError, "an initial credit above 2147483647")
    }
  }

  /// The client's HELLO payload.
  package func clientPayload() -> [UInt8] {
    var writer = BlockWriter()
    writeCommon(to: &writer)
    if let token {
      writer.add(8, WireText.clip(token, byteCountMax: WireLimit.tokenByteCountMax))
    }
    return writer.bytes
  }

  /// The server's HELLO payload.
  package func serverPayload() -> [UInt8] {
    var writer = BlockWriter()
    writeCommon(to: &writer)
    writer.add(5, UInt32(clamping: limits.concurrentCallCountMax))
    writer.add(9, pingIntervalMilliseconds)
    if let serverID {
      writer.add(10, WireText.clip(serverID, byteCountMax: WireLimit.serverIDByteCountMax))
    }
    return writer.bytes
  }

  private func writeCommon(to writer: inout BlockWriter) {
    writer.add(1, minorVersion)
    if let agent {
      writer.add(2, WireText.clip(agent, byteCountMax: WireLimit.agentByteCountMax))
    }
    writer.add(3, UInt32(clamping: limits.framePayloadByteCountMax))
    writer.add(4, UInt32(clamping: limits.messageByteCountMax))
    writer.add(6, UInt32(clamping: limits.streamCredit))
    writer.add(7, UInt32(clamping: limits.connectionCredit))
    if !encodings.isEmpty { writer.add(11, bytes: encodings.values) }
  }
}
