/// A validation that outlives its connection: it is begun once, and watched on after the last message
/// when the connection or the server is gone for a while. Nothing is shown twice or left out; where
/// another server had to begin anew, `attempt` goes up and what was shown before is void.
///
/// Ends after the message with the result, or with an error where trying again would not help. One
/// iteration, by one task.
public struct ResumingValidation: AsyncSequence, Sendable {
  public typealias Element = ValidateCodeResponse
  public typealias Failure = RPCError

  private let client: HitoClient
  private let request: ValidateCodeRequest
  private let options: WatchOptions

  init(_ client: HitoClient, _ request: ValidateCodeRequest, _ options: WatchOptions) {
    self.client = client
    self.request = request
    self.options = options
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(client: client, request: request, options: options)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let client: HitoClient
    private let request: ValidateCodeRequest
    private let call: CallOptions
    private var stream: ResumedStream<ValidateCodeResponse>
    private var hasEnded = false

    /// UUID of the validation, once the server has said it: WatchValidation finds it elsewhere, too.
    public private(set) var runID = ""

    fileprivate init(client: HitoClient, request: ValidateCodeRequest, options: WatchOptions) {
      self.client = client
      self.request = request
      var call = options.call
      // The same for each attempt to begin: a reply that is lost begins no second validation.
      call.idempotencyKey = call.idempotencyKey ?? RandomKey.make()
      self.call = call
      stream = ResumedStream(
        client, CodeValidationServiceMethods.validateCode, options, cursor: nil)
    }

    /// How often the stream broke and was taken up again.
    public var interruptionCount: Int { stream.interruptionCount }

    public mutating func next() async throws(RPCError) -> ValidateCodeResponse? {
      guard !hasEnded else { return nil }
      let (client, request, call, runID) = (client, request, call, runID)
      let response = try await stream.next(
        cursor: \.cursor,
        open: { (cursor) async throws(RPCError) in
          guard !runID.isEmpty else {
            return try await client.codeValidation.validateCode(request, options: call)
          }
          var call = call
          call.idempotencyKey = nil
          return try await client.codeValidation.watchValidation(
            WatchValidationRequest(runId: runID, cursor: cursor ?? ""), options: call)
        })
      if !response.runId.isEmpty { self.runID = response.runId }
      if case .result = response.step { hasEnded = true }
      return response
    }
  }
}

extension HitoClient {
  /// Validates code, and watches on by itself when the connection or the server is gone for a while.
  public func validate(
    _ request: ValidateCodeRequest, options: WatchOptions = WatchOptions()
  ) -> ResumingValidation {
    ResumingValidation(self, request, options)
  }
}
