internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OpenSSL
package import RPC
internal import Synchronization
internal import Wire

/// A client's way to a server: connects when needed, connects again when the connection is gone or
/// drains, retries what may be retried. Of several addresses it uses the first that answers, and begins
/// with that one the next time.
package final class HitoTransport: ClientTransport {
  private enum State {
    case idle
    /// One caller connects; the others wait for the same future.
    case connecting(EventLoopFuture<ClientConnection>)
    /// With the number of the attempt that made it.
    case connected(ClientConnection, attempt: Int)
    case closed
  }

  let configuration: ClientConfiguration
  private let dialer: Dialer
  private let group: any EventLoopGroup
  private let state = Mutex(State.idle)

  /// - Parameter others: addresses beside the configuration's own, of servers of the same data.
  package init(_ configuration: ClientConfiguration, others: [(host: String, port: Int)] = []) {
    self.configuration = configuration
    dialer = Dialer(configuration, others: others)
    group = MultiThreadedEventLoopGroup.singleton
    signal(SIGPIPE, SIG_IGN)
  }

  deinit { close() }

  /// Ends the connection and all calls on it. Later calls fail with UNAVAILABLE.
  package func close() {
    let before = state.withLock { state in
      defer { state = .closed }
      return state
    }
    switch before {
    case .idle, .closed: break
    case .connected(let connection, _): connection.close()
    case .connecting(let future): future.whenSuccess { $0.close() }
    }
  }

  /// Whether `close` was called.
  package var isClosed: Bool {
    state.withLock { if case .closed = $0 { true } else { false } }
  }

  /// Connects now, to learn early whether address, certificates and network are right.
  package func connect() async throws(RPCError) {
    _ = try await connection(nil)
  }

  // MARK: ClientTransport

  package func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> Response {
    let key = try idempotencyKey(method, options)
    let deadline = ContinuousClock.now + (options.timeout ?? configuration.unaryTimeoutDefault)
    let bytes = request.encodedBytes()
    var retries = retries(method, options, hasKey: key != nil, until: deadline)
    return try await repeating(&retries) { () throws(RPCError) in
      let stream = try await self.open(method, options, key: key, deadline, bytes)
      do throws(RPCError) {
        let response = try await stream.singleResponse(as: Response.self)
        options.onTrailers?(stream.responseMetadata.trailers)
        options.onMetadata?(stream.responseMetadata)
        return response
      } catch {
        options.onMetadata?(stream.responseMetadata)
        throw error
      }
    }
  }

  package func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response> {
    let bytes = request.encodedBytes()
    let (call, retries, open) = try await openStream(method, options, bytes)
    return ResponseStream(RetryingStream(call, retries, self, open))
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
  ) async throws(RPCError) -> (
    call: ClientCallHandle, retries: RetryMachine, open: RetryingStream.Opening
  ) {
    let deadline = options.timeout.map { ContinuousClock.now + $0 }
    // Without a time of its own a stream has that of a unary call to begin.
    let startDeadline =
      deadline ?? (options.waitsForReady ? nil : .now + configuration.unaryTimeoutDefault)
    var retries = retries(method, options, hasKey: false, until: startDeadline)
    let open: RetryingStream.Opening = { () throws(RPCError) in
      try await self.open(method, options, key: options.idempotencyKey, deadline, firstMessage)
    }
    let call = try await repeating(&retries, open)
    // Once it has begun it lasts as long as it may.
    retries.deadline = deadline
    return (call, retries, open)
  }

  private func open(
    _ method: MethodDescriptor, _ options: CallOptions, key: String?,
    _ deadline: ContinuousClock.Instant?, _ firstMessage: [UInt8]?
  ) async throws(RPCError) -> ClientCallHandle {
    try Self.check(options)
    let connection = try await connection(deadline)
    guard options.binaryMetadata.isEmpty || connection.minorVersion >= 1 else {
      throw RPCError(.unimplemented, "the server is too old for metadata that is bytes")
    }
    let call = ClientCall(
      connection, method, options, idempotencyKey: key, deadline: deadline,
      firstMessage: firstMessage.map(connection.outgoing))
    call.start()
    return ClientCallHandle(call, self)
  }

  private func retries(
    _ method: MethodDescriptor, _ options: CallOptions, hasKey: Bool,
    until deadline: ContinuousClock.Instant?
  ) -> RetryMachine {
    RetryMachine(
      policy: configuration.retry, method: method, hasIdempotencyKey: hasKey,
      waitsForReady: options.waitsForReady, deadline: deadline)
  }

  /// Repeats `body` while its errors and the time allow it (W14). With `failure`, `body` has failed
  /// so already.
  func repeating<Value: Sendable>(
    _ retries: inout RetryMachine, after failure: RPCError? = nil,
    _ body: () async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    var failure = failure
    while true {
      if let error = failure {
        let step = retries.failed(
          error, configuration.retryAdvice(error), now: .now, jitter: .random(in: 0...1))
        guard case .repeatCall(let wait) = step, !isClosed else { throw error }
        do {
          try await Task.sleep(for: wait)
        } catch {
          throw RPCError(.cancelled, "the call was cancelled")
        }
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

  // MARK: Connections

  private func connection(
    _ deadline: ContinuousClock.Instant?
  ) async throws(RPCError) -> ClientConnection {
    if case .connected(let connection, _) = state.withLock({ $0 }) { return connection }
    let promise = group.next().makePromise(of: ClientConnection.self)
    let before = state.withLock { state in
      defer { if case .idle = state { state = .connecting(promise.futureResult) } }
      return state
    }
    let future: EventLoopFuture<ClientConnection>
    switch before {
    case .idle:
      dial(promise)
      future = promise.futureResult
    case .connecting(let other):
      promise.fail(CancellationError())
      future = other
    case .connected(let connection, _):
      promise.fail(CancellationError())
      return connection
    case .closed:
      promise.fail(CancellationError())
      throw RPCError(.unavailable, "the client is closed")
    }
    return try await ConnectionWait(future, deadline).value()
  }

  /// Starts to connect; ends in `.connected` or `.idle`. Not under the lock: a failure may come at
  /// once.
  private func dial(_ promise: EventLoopPromise<ClientConnection>) {
    let owner = Dialer.Owner(
      established: { self.established($0, attempt: $1) },
      retired: { [weak self] attempt in self?.forget(attempt: attempt) },
      isClosed: { self.isClosed })
    dialer.connect(on: promise.futureResult.eventLoop, for: owner).whenComplete { result in
      if case .failure = result { self.gaveUp() }
      promise.completeWith(result)
    }
  }

  private func established(_ connection: ClientConnection, attempt: Int) {
    let isClosed = state.withLock { state in
      if case .closed = state { return true }
      state = .connected(connection, attempt: attempt)
      return false
    }
    if isClosed { connection.close() }
  }

  /// A connection takes no more calls: the next one connects again. One that was never established
  /// changes nothing; the attempt that it belonged to says how it ended.
  private func forget(attempt: Int) {
    state.withLock { state in
      if case .connected(_, let current) = state, current == attempt { state = .idle }
    }
  }

  /// No address answered.
  private func gaveUp() {
    state.withLock { state in
      if case .connecting = state { state = .idle }
    }
  }
}
