/// One stream over as many connections as it takes: what subscriptions and validations that outlive
/// their connection have in common. Used by one task.
struct ResumedStream<Response: WireMessage> {
  private let client: HitoClient
  private let method: MethodDescriptor
  private let onInterruption: (@Sendable (RPCError?) -> Void)?
  private var machine: ResumeMachine
  private var responses: ResponseStream<Response>.Iterator?

  /// - Parameters:
  ///   - method: that it calls, for the log.
  ///   - cursor: where the stream begins, if that is known.
  init(
    _ client: HitoClient, _ method: MethodDescriptor, _ options: WatchOptions, cursor: String?
  ) {
    self.client = client
    self.method = method
    onInterruption = options.onInterruption
    machine = ResumeMachine(
      cursor: cursor, givesUpAtFirst: options.givesUpAtFirst,
      renewal: client.hasProvidedTokens(options.call) ? .afterMessage : .none)
  }

  /// After this it continues; nil before the first response of one that began without.
  var cursor: String? { machine.cursor }
  var interruptionCount: Int { machine.interruptionCount }

  /// The next response, of this connection or of a later one.
  ///
  /// - Parameters:
  ///   - cursor: of a response.
  ///   - open: begins the stream, or continues it after the cursor.
  mutating func next(
    cursor: (Response) -> String,
    open: (String?) async throws(RPCError) -> ResponseStream<Response>
  ) async throws(RPCError) -> Response {
    while true {
      var failure: RPCError?
      do throws(RPCError) {
        if responses == nil { responses = try await open(machine.cursor).makeAsyncIterator() }
        if let response = try await responses?.next() {
          machine.received(cursor: cursor(response))
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
      onInterruption?(failure)
      try await client.rest(method, after: failure, for: delay)
    }
  }
}
