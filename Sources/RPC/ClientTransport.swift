/// What a caller may say about one call.
public struct CallOptions: Sendable {
  /// How long the call may take; nil = 30 s for unary calls, no limit for streams.
  public var timeout: Duration?
  /// Makes a write happen once however often it is sent. Nil = a random one for writes.
  public var idempotencyKey: String?
  /// Keys are 1..64 of `a-z0-9_.-`.
  public var metadata: [(String, String)]
  /// Metadata whose values are bytes: keys end with `-bin`. A server that is too old for it makes the call fail
  /// with UNIMPLEMENTED.
  public var binaryMetadata: [(String, [UInt8])] = []
  /// Whether large replies may come compressed; nil = as the connection says.
  public var compressesReplies: Bool?
  /// A bearer token for this call, instead of the connection's.
  public var token: String?
  /// W3C trace context.
  public var traceparent: String?
  /// Whether the call waits for a server that cannot be reached, for as long as `timeout` allows (for
  /// streams without one: for ever). Otherwise it fails when none answers. Nil = as the client says.
  public var waitsForReady: Bool?
  /// Makes a unary call again beside the first where no response comes; nil = as the client says for calls that
  /// read. A call that writes needs a key of the caller's for it.
  public var hedging: HedgingPolicy?
  /// Called with the trailers of a unary call that has ended well; other calls have them as a property.
  public var onTrailers: (@Sendable ([(String, String)]) -> Void)?
  /// Called with what the server said beside the reply of a unary call, also of one that has failed: at the end of
  /// each attempt.
  public var onMetadata: (@Sendable (ResponseMetadata) -> Void)?

  public init(
    timeout: Duration? = nil, idempotencyKey: String? = nil, metadata: [(String, String)] = [],
    token: String? = nil, traceparent: String? = nil
  ) {
    self.timeout = timeout
    self.idempotencyKey = idempotencyKey
    self.metadata = metadata
    self.token = token
    self.traceparent = traceparent
  }
}

/// When a call is made again beside itself, so that one slow server or connection does not hold it up: the first
/// response counts, and the other copies are cancelled.
public struct HedgingPolicy: Sendable, Hashable {
  /// Between one copy and the next, a millisecond or more.
  public let delay: Duration
  /// Copies in all.
  public let copyCountMax: Int

  /// - Parameter copyCountMax: 1 (the call is not hedged) to 5; what is beyond becomes that.
  public init(delay: Duration, copyCountMax: Int = 2) {
    self.delay = max(.milliseconds(1), delay)
    self.copyCountMax = min(max(1, copyCountMax), 5)
  }

  /// Not hedged, whatever the client says.
  public static let none = HedgingPolicy(delay: .zero, copyCountMax: 1)
}

/// What a server says beside the messages of a call.
public struct ResponseMetadata: Sendable {
  /// Before the first response.
  public var metadata: [(String, String)] = []
  /// The same, with keys that end with `-bin`.
  public var binaryMetadata: [(String, [UInt8])] = []
  /// At the end of the call; empty before.
  public var trailers: [(String, String)] = []
  /// The same, with keys that end with `-bin`.
  public var binaryTrailers: [(String, [UInt8])] = []

  public init() {}
}

/// What client stubs call: a connection, or several of them with retries.
public protocol ClientTransport: Sendable {
  func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> Response

  func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response>

  func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ClientStreamingCall<Request, Response>

  func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> BidirectionalCall<Request, Response>
}

/// The client's side of one call, untyped: implemented by the transport (and by tests).
///
/// A call whose handle is dropped without having ended is cancelled.
package protocol ClientStream: AnyObject, Sendable {
  /// Sends one message; suspends while there is no credit.
  func send(_ message: any WireMessage) async throws(RPCError)
  /// Half-closes.
  func finishSending() async throws(RPCError)
  /// The next whole response message; nil after END with status 0.
  func nextResponse<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message?
  func cancel()
  /// Where END told to resume, after the stream has ended.
  var resumeCursor: String? { get }
  /// What has come beside the messages so far.
  var responseMetadata: ResponseMetadata { get }
}
