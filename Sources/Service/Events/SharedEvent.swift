internal import Contract
package import Domain
internal import RPC
internal import Synchronization

/// An event on its way to any number of subscribers: what it concerns is read once, and its message
/// is encoded once.
package final class SharedEvent: Sendable {
  /// The cursor and the encoded `WatchResponse` of an event.
  struct Message: Sendable {
    let cursor: String
    let response: EncodedMessage<WatchResponse>
  }

  let event: StoredEvent
  let facts: EventFacts
  private let message = Mutex<Message?>(nil)

  package init(_ event: StoredEvent) {
    self.event = event
    self.facts = EventFacts(of: event)
  }

  /// About what it takes in memory, once its message is made too.
  var byteCount: Int { 2 * (event.payload.utf8.count + event.metadata.utf8.count) + 512 }

  func message(_ cursors: CursorCodec) -> Message {
    if let known = message.withLock({ $0 }) { return known }
    // Encoding outside the lock: two may do it at a time, with the same result.
    let cursor = cursors.cursor(event.position)
    let response = WatchResponse(
      cursor: cursor, step: .event(Contract.Event(event, cursor: cursor)))
    let made = Message(cursor: cursor, response: EncodedMessage(response))
    message.withLock { $0 = made }
    return made
  }
}

/// A message whose bytes are made already: writing it is one copy.
struct EncodedMessage<Message: WireMessage>: WireMessage {
  private let bytes: [UInt8]

  init(_ message: Message) { bytes = message.encodedBytes() }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  static var fullName: String { Message.fullName }

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> EncodedMessage {
    _ = try Message.decode(bytes, limits: limits)
    return EncodedMessage(bytes: Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    let output = reserve(bytes.count)
    bytes.withUnsafeBytes { output.copyMemory(from: $0) }
  }
}
