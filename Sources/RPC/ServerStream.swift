/// The server's side of one call with streams: implemented by the transport (and by tests).
package protocol ServerStream: Sendable {
  /// The next whole request message; nil after the client's half-close. Throws when the call ended.
  func nextRequest<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message?

  /// Sends one response message. Returns when it was handed to the connection, which may need the
  /// client's credit; throws when the call has ended.
  func write<Message: WireMessage>(
    _ message: Message, resumeCursor: String?
  ) async throws(RPCError)

  /// Sends one response message where all of it goes out at once; false where it would have to wait,
  /// and nothing was taken. Throws when the call has ended.
  func offer(_ message: [UInt8], resumeCursor: String?) async throws(RPCError) -> Bool
}

/// Sends the messages of a response stream. For one task at a time.
package struct ResponseWriter<Message: WireMessage>: Sendable {
  private let stream: any ServerStream

  package init(_ stream: any ServerStream) {
    self.stream = stream
  }

  /// Sends `message`; suspends until the client has credit for it, so a slow reader slows its
  /// handler and costs no memory. With `resumeCursor`, a stream that the server ends from outside
  /// (drain, deadline, expired token) tells the client to resume there.
  package func write(_ message: Message, resumeCursor: String? = nil) async throws(RPCError) {
    try await stream.write(message, resumeCursor: resumeCursor)
  }

  /// Sends `message` where it need not wait; false where it would: then the handler lets go of what
  /// it holds and calls `write`. Only messages with `sharedBytes` are sent like that.
  package func offer(
    _ message: Message, resumeCursor: String? = nil
  ) async throws(RPCError) -> Bool {
    guard let bytes = message.sharedBytes else { return false }
    return try await stream.offer(bytes, resumeCursor: resumeCursor)
  }
}

/// The messages of a request stream, in order. For one task at a time.
package struct RequestStream<Message: WireMessage>: Sendable {
  private let stream: any ServerStream

  package init(_ stream: any ServerStream) {
    self.stream = stream
  }

  /// The next message, nil after the client's half-close. Credit goes back to the client as messages
  /// are taken, so a slow handler slows its client.
  package mutating func next() async throws(RPCError) -> Message? {
    try await stream.nextRequest(as: Message.self)
  }
}
