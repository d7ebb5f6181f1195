/// A call over many validations that outlives its connection: it is asked for once, and continues after the
/// last message when the connection or the server is gone for a while. Nothing is shown twice or left out.
///
/// Ends after the last message, or with an error where trying again would not help. One iteration, by
/// one task.
public struct ResumingGroup<Response: WireMessage>: AsyncSequence, Sendable {
  public typealias Element = Response
  public typealias Failure = RPCError

  typealias Open =
    @Sendable (_ cursor: String?, CallOptions) async throws(RPCError) -> ResponseStream<Response>

  /// What the calls of a group have in common.
  struct Shape: Sendable {
    var method: MethodDescriptor
    var cursor: @Sendable (Response) -> String
    /// Whether a message is one of those that the call ends after so many of.
    var isEnd: @Sendable (Response) -> Bool
    var endCount: Int
  }

  private let client: HitoClient
  private let options: WatchOptions
  private let shape: Shape
  private let open: Open

  init(_ client: HitoClient, _ options: WatchOptions, _ shape: Shape, open: @escaping Open) {
    self.client = client
    self.options = options
    self.shape = shape
    self.open = open
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(client: client, options: options, shape: shape, open: open)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let call: CallOptions
    private let shape: Shape
    private let open: Open
    private var stream: ResumedStream<Response>
    private var left: Int

    fileprivate init(
      client: HitoClient, options: WatchOptions, shape: Shape, open: @escaping Open
    ) {
      var call = options.call
      // The same for each attempt: the server finds what the first one began.
      call.idempotencyKey = call.idempotencyKey ?? RandomKey.make()
      self.call = call
      self.shape = shape
      self.open = open
      stream = ResumedStream(client, shape.method, options, cursor: nil)
      left = shape.endCount
    }

    /// How often the stream broke and was taken up again.
    public var interruptionCount: Int { stream.interruptionCount }

    public mutating func next() async throws(RPCError) -> Response? {
      guard left > 0 else { return nil }
      let (open, call) = (open, call)
      let response = try await stream.next(
        cursor: shape.cursor,
        open: { (cursor) async throws(RPCError) in try await open(cursor, call) })
      if shape.isEnd(response) { left -= 1 }
      return response
    }
  }
}

/// Keys that nobody else uses.
enum RandomKey {
  static func make() -> String {
    (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined(separator: "-")
  }
}

extension HitoClient {
  /// Validates a batch, and continues by itself when the connection or the server is gone for a while. Ends
  /// when each submission was refused or has finished.
  public func validateBatch(
    _ request: ValidateBatchRequest, options: WatchOptions = WatchOptions()
  ) -> ResumingGroup<ValidateBatchResponse> {
    let shape = ResumingGroup<ValidateBatchResponse>.Shape(
      method: CodeValidationServiceMethods.validateBatch, cursor: { $0.cursor },
      isEnd: { response in
        switch response.step {
        case .finished, .refused: true
        case .accepted, nil: false
        }
      }, endCount: max(1, request.submissions.count))
    return ResumingGroup(self, options, shape) { (cursor, call) async throws(RPCError) in
      var request = request
      request.cursor = cursor ?? ""
      return try await self.codeValidation.validateBatch(request, options: call)
    }
  }

  /// Validates again, and continues by itself when the connection or the server is gone for a while. Ends
  /// after the message with the summary.
  public func revalidate(
    _ request: RevalidateRequest, options: WatchOptions = WatchOptions()
  ) -> ResumingGroup<RevalidateResponse> {
    let shape = ResumingGroup<RevalidateResponse>.Shape(
      method: CodeValidationServiceMethods.revalidate, cursor: { $0.cursor },
      isEnd: { if case .summary = $0.step { true } else { false } }, endCount: 1)
    return ResumingGroup(self, options, shape) { (cursor, call) async throws(RPCError) in
      var request = request
      request.cursor = cursor ?? ""
      return try await self.codeValidation.revalidate(request, options: call)
    }
  }
}
