/// The block of the server's END (W7.2).
package struct EndTrailer: Sendable {
  package var status = StatusCode.ok
  package var message = ""
  package var details: [UInt8] = []
  package var resumeCursor: String?
  package var trailers: [(String, String)] = []
  package var binaryTrailers: [(String, [UInt8])] = []
  package var serverMicroseconds: UInt64?
  /// Whether the call was refused before its handler began.
  package var isNotStarted = false

  package init(status: StatusCode = .ok, message: String = "") {
    self.status = status
    self.message = message
  }

  /// Reads an END payload, for the client. Text that is not text is replaced (W3.4).
  package static func read(
    _ payload: UnsafeRawBufferPointer, minorVersion: UInt16 = WireLimit.minorVersion
  ) throws(WireFault) -> (trailer: EndTrailer, message: UnsafeRawBufferPointer) {
    var reader = try BlockReader(payload)
    var trailer = EndTrailer()
    var metadata = Metadata(minorVersion: minorVersion)
    while let field = try reader.next() {
      if Self.singleTags.contains(field.tag) { try reader.requireFirst(field) }
      switch field.tag {
      case 1: trailer.status = StatusCode(wireValue: try field.number16())
      case 2: trailer.message = Self.text(field, WireLimit.statusMessageByteCountMax)
      case 3: trailer.details = Array(field.value.prefix(WireLimit.detailsByteCountMax))
      case 4: trailer.resumeCursor = field.text(byteCountMax: WireLimit.resumeCursorByteCountMax)
      case 6: try Self.add(field.value, to: &metadata)
      case 7: trailer.serverMicroseconds = try field.number64()
      case 8:
        guard field.value.isEmpty else {
          throw WireFault(.protocolError, "field 8 of END carries bytes")
        }
        trailer.isNotStarted = true
      default: break
      }
    }
    trailer.trailers = metadata.entries
    trailer.binaryTrailers = metadata.binaryEntries
    return (trailer, reader.remainder)
  }

  /// Known, and not repeated. Unknown ones may be (W3.2).
  private static let singleTags: Set<UInt8> = [1, 2, 3, 4, 7, 8]

  /// An entry that is not allowed is left out: what is wrong in it never hides the status. One that runs past its
  /// field is no block (W3.3).
  private static func add(
    _ field: UnsafeRawBufferPointer, to metadata: inout Metadata
  ) throws(WireFault) {
    do throws(InputFault) {
      try metadata.add(field, byteCountMax: WireLimit.trailerByteCountMax)
    } catch {
      if case .connection(let fault) = error { throw fault }
    }
  }

  private static func text(_ field: BlockReader.Field, _ byteCountMax: Int) -> String {
    let repaired = String(decoding: field.value.prefix(byteCountMax), as: UTF8.self)
    return WireText.clip(repaired, byteCountMax: byteCountMax)
  }

  /// The block, within the limits of W7.2 whatever the handler said: text is clipped, details and
  /// trailers that are too large are left out, so that END always fits a frame.
  package func block(minorVersion: UInt16 = WireLimit.minorVersion) -> [UInt8] {
    var writer = BlockWriter()
    if status != .ok { writer.add(1, status.rawValue) }
    if !message.isEmpty {
      writer.add(2, WireText.clip(message, byteCountMax: WireLimit.statusMessageByteCountMax))
    }
    if !details.isEmpty, details.count <= WireLimit.detailsByteCountMax {
      writer.add(3, bytes: details)
    }
    if let resumeCursor, resumeCursor.utf8.count <= WireLimit.resumeCursorByteCountMax {
      writer.add(4, resumeCursor)
    }
    if !trailers.isEmpty || !binaryTrailers.isEmpty {
      Metadata.sendable(
        trailers, binaryTrailers, byteCountMax: WireLimit.trailerByteCountMax,
        minorVersion: minorVersion
      ).add(to: &writer)
    }
    if let serverMicroseconds { writer.add(7, serverMicroseconds) }
    if isNotStarted { writer.add(8, bytes: []) }
    return writer.bytes
  }
}

extension EndTrailer {
  /// The size of the block of a plain success.
  package static let plainBlockByteCount = 13

  /// Writes the block of a success that says nothing but the server's time: what `block` would give.
  package static func writePlainBlock(
    serverMicroseconds: UInt64, to bytes: UnsafeMutableRawBufferPointer
  ) {
    bytes.storeBigEndian(UInt16(11), at: 0)
    bytes[2] = 7
    bytes.storeBigEndian(UInt16(8), at: 3)
    bytes.storeBigEndian(serverMicroseconds, at: 5)
  }
}

/// The payload of GOAWAY (W11.1).
package struct GoAway: Sendable, Hashable {
  package var lastStream: UInt32
  package var reason: GoAwayReason
  package var text: String

  package init(lastStream: UInt32, reason: GoAwayReason, text: String = "") {
    self.lastStream = lastStream
    self.reason = reason
    self.text = text
  }

  package init(payload: UnsafeRawBufferPointer) throws(WireFault) {
    guard payload.count >= 6, payload.count <= 6 + WireLimit.goAwayTextByteCountMax else {
      throw WireFault(.protocolError, "a GOAWAY of a wrong size")
    }
    lastStream = payload.bigEndian32(at: 0)
    reason = GoAwayReason(wireValue: payload.bigEndian16(at: 4))
    text = String(decoding: payload[6...], as: UTF8.self)
  }

  package var payload: [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: lastStream.bigEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: reason.rawValue.bigEndian) { bytes.append(contentsOf: $0) }
    let clipped = WireText.clip(text, byteCountMax: WireLimit.goAwayTextByteCountMax)
    bytes.append(contentsOf: clipped.utf8)
    return bytes
  }
}
