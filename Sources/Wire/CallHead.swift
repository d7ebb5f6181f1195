/// The block of a CALL (W5.2).
package struct CallHead {
  /// The method path as it came; valid as long as the payload.
  package var pathBytes = UnsafeRawBufferPointer(start: nil, count: 0)
  package var timeoutMicroseconds: UInt64?
  package var idempotencyKey: String?
  package var traceparent: String?
  package var token: String?
  package var metadata: Metadata
  /// How the replies may be compressed, instead of what HELLO says.
  package var replyEncodings: Encodings?

  init(minorVersion: UInt16) {
    metadata = Metadata(minorVersion: minorVersion)
  }

  /// A CALL payload, taken apart.
  package struct Parts {
    package var head: CallHead
    /// What follows the block; valid as long as the payload.
    package var message: UnsafeRawBufferPointer
    /// The size of the block.
    package var headByteCount: Int
    /// What refuses this call alone; its message bytes count all the same.
    package var fault: CallFault?
  }

  /// - Parameter minorVersion: what both sides speak.
  package static func read(
    _ payload: UnsafeRawBufferPointer, minorVersion: UInt16 = WireLimit.minorVersion
  ) throws(WireFault) -> Parts {
    var reader = try BlockReader(payload)
    var head = CallHead(minorVersion: minorVersion)
    var fault: CallFault?
    while let field = try reader.next() {
      do throws(InputFault) {
        try head.read(field, &reader)
      } catch {
        switch error {
        case .connection(let wireFault): throw wireFault
        case .call(let callFault): fault = fault ?? callFault
        }
      }
    }
    guard !head.pathBytes.isEmpty else {
      throw WireFault(.protocolError, "a CALL without a method")
    }
    return Parts(
      head: head, message: reader.remainder,
      headByteCount: payload.count - reader.remainder.count, fault: fault)
  }

  private mutating func read(
    _ field: BlockReader.Field, _ reader: inout BlockReader
  ) throws(InputFault) {
    // Unknown ones may repeat (W3.2).
    if field.tag <= 7, field.tag != 6 {
      do throws(WireFault) { try reader.requireFirst(field) } catch { throw .connection(error) }
    }
    switch field.tag {
    case 1:
      pathBytes = field.value
      guard field.value.count <= WireLimit.pathByteCountMax else {
        throw .call(CallFault(.invalidArgument, "a method path longer than 256 bytes"))
      }
    case 2:
      do throws(WireFault) {
        timeoutMicroseconds = try field.number64()
      } catch { throw .connection(error) }
    case 3:
      idempotencyKey = try Self.text(field, WireLimit.idempotencyKeyByteCountMax)
      guard !field.value.isEmpty else {
        throw .call(CallFault(.invalidArgument, "an empty idempotency key"))
      }
    case 4: traceparent = try Self.text(field, WireLimit.traceparentByteCountMax)
    case 5: token = try Self.text(field, WireLimit.tokenByteCountMax)
    case 6: try metadata.add(field.value, byteCountMax: WireLimit.metadataByteCountMax)
    case 7:
      do throws(WireFault) {
        replyEncodings = try Encodings(field)
      } catch { throw .connection(error) }
    default: break
    }
  }

  private static func text(
    _ field: BlockReader.Field, _ byteCountMax: Int
  ) throws(InputFault) -> String {
    guard let text = field.text(byteCountMax: byteCountMax) else {
      throw .call(
        CallFault(.invalidArgument, "CALL field \(field.tag) is not text within its limit"))
    }
    return text
  }

  /// The block of a CALL, for the client.
  package static func block(
    path: String, timeoutMicroseconds: UInt64?, idempotencyKey: String? = nil,
    traceparent: String? = nil, token: String? = nil, metadata: SendableMetadata = .init(),
    replyEncodings: Encodings? = nil
  ) -> [UInt8] {
    var writer = BlockWriter(reservingByteCount: 32 + path.utf8.count)
    writer.add(1, path)
    if let timeoutMicroseconds { writer.add(2, timeoutMicroseconds) }
    if let idempotencyKey { writer.add(3, idempotencyKey) }
    if let traceparent { writer.add(4, traceparent) }
    if let token { writer.add(5, token) }
    metadata.add(to: &writer)
    if let replyEncodings { writer.add(7, bytes: replyEncodings.values) }
    return writer.bytes
  }
}
