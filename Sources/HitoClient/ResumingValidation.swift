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
    private let options: WatchOptions
    private var machine: ResumeMachine
    private var responses: ResponseStream<ValidateCodeResponse>.Iterator?
    private var hasEnded = false

    /// UUID of the validation, once the server has said it: WatchValidation finds it elsewhere, too.
    public private(set) var runID = ""

    fileprivate init(client: HitoClient, request: ValidateCodeRequest, options: WatchOptions) {
      self.client = client
      self.request = request
      var options = options
      // The same for each attempt to begin: a reply that is lost begins no second validation.
      options.call.idempotencyKey = options.call.idempotencyKey ?? Self.randomKey()
      self.options = options
      machine = ResumeMachine(cursor: nil, givesUpAtFirst: options.givesUpAtFirst)
    }

    public mutating func next() async throws(RPCError) -> ValidateCodeResponse? {
      while !hasEnded {
        var failure: RPCError?
        do throws(RPCError) {
          if let response = try await nextOfStream() {
            machine.received(cursor: response.cursor)
            if !response.runId.isEmpty { runID = response.runId }
            if case .result = response.step { hasEnded = true }
            return response
          }
        } catch {
          failure = error
        }
        responses = nil
        let step = machine.ended(failure, jitter: .random(in: 0...1))
        guard case .reconnect(let delay) = step, !client.isClosed else {
          throw failure ?? RPCError(.unavailable, "the server ended the stream")
        }
        options.onInterruption?(failure)
        do {
          try await _Concurrency.Task.sleep(for: delay)
        } catch {
          throw RPCError(.cancelled, "the validation is no longer watched")
        }
      }
      return nil
    }

    private mutating func nextOfStream() async throws(RPCError) -> ValidateCodeResponse? {
      if responses == nil { responses = try await open().makeAsyncIterator() }
      return try await responses?.next()
    }

    private static func randomKey() -> String {
      (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined(
        separator: "-")
    }

    private func open() async throws(RPCError) -> ResponseStream<ValidateCodeResponse> {
      guard !runID.isEmpty else {
        return try await client.codeValidation.validateCode(request, options: options.call)
      }
      var call = options.call
      call.idempotencyKey = nil
      return try await client.codeValidation.watchValidation(
        WatchValidationRequest(runId: runID, cursor: machine.cursor ?? ""), options: call)
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
