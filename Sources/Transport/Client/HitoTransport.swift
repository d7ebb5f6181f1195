internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OpenSSL
package import RPC
internal import Synchronization
internal import Wire

/// A client's way to its servers: connects when needed, connects again when a connection is gone or
/// drains, retries what may be retried. Of several addresses it uses the first that answers, and begins
/// with that one the next time, or all in turn.
package final class HitoTransport: ClientTransport {
  let configuration: ClientConfiguration
  let pool: ConnectionPool
  /// Of the repeats of all calls.
  private let pacer: Mutex<RetryPacer>
  private let rests = Rests()
  private let tokens: Tokens?
  package let log: ClientLog?

  /// - Parameter others: addresses beside the configuration's own, of servers of the same data.
  package init(_ configuration: ClientConfiguration, others: [(host: String, port: Int)] = []) {
    self.configuration = configuration
    let log = configuration.log.map { ClientLog($0) }
    self.log = log
    pool = ConnectionPool(
      configuration, Dialer(configuration, others: others), log,
      on: MultiThreadedEventLoopGroup.singleton)
    tokens = configuration.tokenProvider.map {
      Tokens(
        $0, timeout: configuration.tokenTimeout, backoff: configuration.retry, log)
    }
    pacer = Mutex(RetryPacer(configuration.retryBudget))
    signal(SIGPIPE, SIG_IGN)
  }

  deinit { close() }

  /// Ends the connections and all calls on them. Later calls fail with UNAVAILABLE.
  package func close() {
    pool.close()
    rests.close()
    tokens?.close()
  }

  /// Whether `close` was called.
  package var isClosed: Bool { pool.isClosed }

  /// Connects now, to learn early whether address, certificates and network are right.
  package func connect() async throws(RPCError) {
    let connection = try await pool.connection(waitsForServer: false, until: nil)
    pool.callEnded(on: connection.number)
  }

  package var hasTokenProvider: Bool { tokens != nil }

  /// Waits before another attempt, no longer than the client is open.
  package func rest(for time: Duration) async throws(RPCError) { try await rests.rest(for: time) }

  /// Books a repeat of a call: how much later than planned it is to happen.
  package func repeatDelay() -> Duration { pacer.withLock { $0.delay(now: .now) } }

  /// Books a repeat that is of use now or not at all.
  func takeRepeat() -> Bool { pacer.withLock { $0.takeNow(now: .now) } }

  // MARK: ClientTransport

  package func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> Response {
    try Self.check(options)
    let key = try idempotencyKey(method, options)
    let hedging = try hedging(method, options)
    var call = SingleCall(
      method: method, options: options, key: key,
      deadline: Moment.now + (options.timeout ?? configuration.unaryTimeoutDefault),
      message: request.encodedBytes())
    call.log = log?.call(method)
    do throws(RPCError) {
      let response: Response = try await unary(call, hedging)
      call.log?.ended(nil)
      return response
    } catch {
      call.log?.ended(error)
      throw error
    }
  }

  private func unary<Response: WireMessage>(
    _ call: SingleCall, _ hedging: HedgingPolicy?
  ) async throws(RPCError) -> Response {
    var retries = retries(call.method, hasKey: call.key != nil, until: call.deadline)
    let token = CallToken(tokens, call.options, call.log)
    return try await repeating(&retries, call.log) { () throws(RPCError) in
      while true {
        let ended: SingleCall.Ended<Response> =
          await self.hedged(try await token.attempt(call), hedging)
        if let said = ended.said {
          if case .success = ended.result { call.options.onTrailers?(said.trailers) }
          call.options.onMetadata?(said)
        }
        do throws(RPCError) {
          return try ended.result.get()
        } catch {
          guard token.repeats(after: error) else { throw error }
        }
      }
    }
  }

  package func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response> {
    let bytes = request.encodedBytes()
    let opened = try await openStream(method, options, bytes)
    return ResponseStream(RetryingStream(opened, self))
  }

  package func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ClientStreamingCall<Request, Response> {
    ClientStreamingCall(try await openStream(method, options, nil).call)
  }

  package func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> BidirectionalCall<Request, Response> {
    BidirectionalCall(try await openStream(method, options, nil).call)
  }

  // MARK: Calls

  /// Opens a stream. Answers also with what it takes to open it again.
  private func openStream(
    _ method: MethodDescriptor, _ options: CallOptions, _ firstMessage: [UInt8]?
  ) async throws(RPCError) -> RetryingStream.Opened {
    try Self.check(options)
    guard options.hedging?.ifHedged == nil else {
      throw RPCError(.invalidArgument, "a stream is not hedged")
    }
    let deadline = options.timeout.map { Moment.now + $0 }
    let waits = options.waitsForReady ?? configuration.waitsForReady
    var retries = retries(
      method, hasKey: false, until: deadline,
      repeatTime: waits ? nil : configuration.unaryTimeoutDefault)
    let log = log?.call(method)
    let call = SingleCall(
      method: method, options: options, key: options.idempotencyKey, deadline: deadline,
      message: firstMessage, log: log)
    let token = CallToken(tokens, options, log)
    let open: RetryingStream.Opening = { () throws(RPCError) in
      do throws(RPCError) {
        return try await self.open(try await token.attempt(call))
      } catch {
        _ = token.repeats(after: error)
        throw error
      }
    }
    do throws(RPCError) {
      let opened = try await repeating(&retries, log, open)
      return RetryingStream.Opened(
        call: opened, retries: retries, token: token, log: log, open: open)
    } catch {
      log?.ended(error)
      throw error
    }
  }

  /// Begins a call on a connection of its own choice.
  func open(_ call: SingleCall) async throws(RPCError) -> ClientCallHandle {
    let waits = call.options.waitsForReady ?? configuration.waitsForReady
    let connection = try await pool.connection(waitsForServer: waits, until: call.deadline)
    return try begin(call, on: connection)
  }

  /// Begins a call on a connection on which it has a place.
  func begin(
    _ call: SingleCall, on connection: ClientConnection
  ) throws(RPCError) -> ClientCallHandle {
    guard call.options.binaryMetadata.isEmpty || connection.minorVersion >= 1 else {
      pool.callEnded(on: connection.number)
      throw RPCError(.unimplemented, "the server is too old for metadata that is bytes")
    }
    let opened = ClientCall(
      connection, call.method, call.options, idempotencyKey: call.key, deadline: call.deadline,
      firstMessage: call.message.map(connection.outgoing), tokens: call.tokens)
    opened.start()
    return ClientCallHandle(opened, self, call.message == nil ? call.log : nil)
  }

  private func retries(
    _ method: MethodDescriptor, hasKey: Bool, until deadline: Moment?,
    repeatTime: Duration? = nil
  ) -> RetryMachine {
    RetryMachine(
      policy: configuration.retry, method: method, hasIdempotencyKey: hasKey, deadline: deadline,
      repeatTime: repeatTime)
  }

  /// Repeats `body` while its errors and the time allow it (W14). With `failure`, `body` has failed
  /// so already.
  func repeating<Value: Sendable>(
    _ retries: inout RetryMachine, _ log: CallLog?, after failure: RPCError? = nil,
    _ body: () async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    var failure = failure
    while true {
      if let error = failure {
        let step = pacer.withLock {
          retries.failed(
            error, configuration.retryAdvice(error), now: .now, jitter: .random(in: 0...1),
            pacer: &$0)
        }
        guard case .repeatCall(let wait) = step, !isClosed else { throw retries.told(error) }
        log?.repeated(error, after: wait)
        try await rest(for: wait)
      }
      do throws(RPCError) {
        return try await body()
      } catch {
        failure = error
      }
    }
  }

  /// The caller's key, or a random one for a write (W14.2).
  private func idempotencyKey(
    _ method: MethodDescriptor, _ options: CallOptions
  ) throws(RPCError) -> String? {
    if let key = options.idempotencyKey { return key }
    guard !method.isReadOnly else { return nil }
    guard let random = randomBytes(16) else {
      throw RPCError(.internal, "no random numbers for an idempotency key")
    }
    let digits = Array("0123456789abcdef".utf8)
    let hex = random.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: hex, as: UTF8.self)
  }

  /// When the call is made again beside itself; nil where it is not.
  private func hedging(
    _ method: MethodDescriptor, _ options: CallOptions
  ) throws(RPCError) -> HedgingPolicy? {
    guard let own = options.hedging else {
      return method.isReadOnly ? configuration.hedging.flatMap(\.ifHedged) : nil
    }
    guard let own = own.ifHedged else { return nil }
    guard method.isReadOnly || options.idempotencyKey != nil else {
      throw RPCError(
        .invalidArgument, "a call that writes is hedged only under a key of its caller's")
    }
    return own
  }

  private static func check(_ options: CallOptions) throws(RPCError) {
    let sendable = Metadata.sendable(
      options.metadata, options.binaryMetadata, byteCountMax: WireLimit.metadataByteCountMax)
    guard sendable.count == options.metadata.count + options.binaryMetadata.count else {
      throw RPCError(
        .invalidArgument,
        "metadata that cannot be sent: a bad key (of bytes it ends with -bin, and no other does), or too large"
      )
    }
    let texts: [(String?, Int, String)] = [
      (options.idempotencyKey, WireLimit.idempotencyKeyByteCountMax, "idempotency key"),
      (options.traceparent, WireLimit.traceparentByteCountMax, "traceparent"),
      (options.token, WireLimit.tokenByteCountMax, "token"),
    ]
    for (text, byteCountMax, name) in texts {
      guard let text else { continue }
      guard !text.isEmpty, text.utf8.count <= byteCountMax, !text.utf8.contains(0) else {
        throw RPCError(.invalidArgument, "the \(name) must be 1 to \(byteCountMax) bytes")
      }
    }
  }
}
