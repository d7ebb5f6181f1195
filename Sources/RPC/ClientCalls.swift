/// The responses of a streaming call, in order. One iteration, by one task at a time.
public struct ResponseStream<Message: WireMessage>: AsyncSequence, Sendable {
  public typealias Element = Message
  public typealias Failure = RPCError

  private let stream: any ClientStream

  package init(_ stream: any ClientStream) {
    self.stream = stream
  }

  public func makeAsyncIterator() -> Iterator { Iterator(stream: stream) }

  /// Ends the call. An iteration that is under way ends with CANCELLED.
  public func cancel() { stream.cancel() }

  /// Where to resume, if the server said so when it ended the stream.
  public var resumeCursor: String? { stream.resumeCursor }

  /// What the server added at the end of the call; empty before.
  public var trailers: [(String, String)] { stream.responseMetadata.trailers }

  /// What the server has said beside its messages so far: before the first of them its metadata is there.
  public var responseMetadata: ResponseMetadata { stream.responseMetadata }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let stream: any ClientStream

    public mutating func next() async throws(RPCError) -> Message? {
      try await stream.nextResponse(as: Message.self)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(RPCError) -> Message? {
      try await stream.nextResponse(as: Message.self)
    }
  }
}

/// A call with a request stream and one response.
public struct ClientStreamingCall<Request: WireMessage, Response: WireMessage>: Sendable {
  private let stream: any ClientStream

  package init(_ stream: any ClientStream) {
    self.stream = stream
  }

  /// Sends one message; suspends while the server does not keep up.
  public func write(_ message: Request) async throws(RPCError) {
    try await stream.send(message)
  }

  /// Half-closes and returns the response.
  public func finish() async throws(RPCError) -> Response {
    try await stream.finishSending()
    return try await stream.singleResponse(as: Response.self)
  }

  /// What the server added at the end of the call; empty before.
  public var trailers: [(String, String)] { stream.responseMetadata.trailers }

  /// What the server has said beside its messages so far: before the first of them its metadata is there.
  public var responseMetadata: ResponseMetadata { stream.responseMetadata }

  public func cancel() { stream.cancel() }
}

/// A call with a stream in each direction.
public struct BidirectionalCall<Request: WireMessage, Response: WireMessage>: Sendable {
  private let stream: any ClientStream

  package init(_ stream: any ClientStream) {
    self.stream = stream
  }

  /// Sends one message; suspends while the server does not keep up.
  public func write(_ message: Request) async throws(RPCError) {
    try await stream.send(message)
  }

  /// Half-closes: the server's request stream ends.
  public func finishWriting() async throws(RPCError) {
    try await stream.finishSending()
  }

  public var responses: ResponseStream<Response> { ResponseStream(stream) }

  public func cancel() { stream.cancel() }
}

extension ClientStream {
  /// The one response of a call that has one (W7.6).
  package func singleResponse<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message {
    guard let response = try await nextResponse(as: type) else {
      throw RPCError(.internal, "the server ended the call without its response message")
    }
    guard try await nextResponse(as: type) == nil else {
      cancel()
      throw RPCError(.internal, "the server sent more than one response message")
    }
    return response
  }
}
