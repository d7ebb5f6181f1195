internal import Contract
internal import Domain
internal import EventLog
internal import RPC

extension SharedEvent {
  /// The event as every subscriber gets it, and the cursor that it carries.
  ///
  /// - Parameter history: of which the event is.
  func message(
    _ cursors: CursorCodec, in history: LogHistory
  ) -> (response: EncodedMessage<WatchResponse>, cursor: String) {
    let rendering = rendered { event in
      let cursor = cursors.cursor(event.position, in: history)
      let response = WatchResponse(
        cursor: cursor, step: .event(Contract.Event(self, cursor: cursor)))
      return Rendering(cursor: cursor, bytes: response.encodedBytes())
    }
    return (EncodedMessage(bytes: rendering.bytes), rendering.cursor)
  }
}

/// A message whose bytes are made already: writing it is one copy.
struct EncodedMessage<Message: WireMessage>: WireMessage {
  private let bytes: [UInt8]

  init(_ message: Message) { bytes = message.encodedBytes() }

  /// - Parameter bytes: an encoded `Message`.
  init(bytes: [UInt8]) { self.bytes = bytes }

  static var fullName: String { Message.fullName }

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> EncodedMessage {
    _ = try Message.decode(bytes, limits: limits)
    return EncodedMessage(bytes: Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }

  var sharedBytes: [UInt8]? { bytes }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    let output = reserve(bytes.count)
    bytes.withUnsafeBytes { output.copyMemory(from: $0) }
  }
}
