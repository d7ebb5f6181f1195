internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OpenSSL
package import RPC
internal import Synchronization
internal import Wire

/// A client's way to one server: connects when needed, connects again when the connection is gone or
/// drains, retries what may be retried.
package final class HitoTransport: ClientTransport {
  private enum State {
    case idle
    /// Somebody connects; the others wait for the same future.
    case connecting(EventLoopFuture<ClientConnection>)
    case connected(ClientConnection)
    case closed
  }

  private let configuration: ClientConfiguration
  private let group: any EventLoopGroup
  private let state = Mutex(State.idle)

  package init(_ configuration: ClientConfiguration) {
    self.configuration = configuration
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
    case .connected(let connection): connection.close()
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
    return try await retrying(method, hasKey: key != nil, deadline) { () throws(RPCError) in
      let stream = try await self.open(method, options, key: key, deadline, bytes)
      return try await stream.singleResponse(as: Response.self)
    }
  }

  package func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response> {
    ResponseStream(try await openStream(method, options, request.encodedBytes()))
  }

  package func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ClientStreamingCall<Request, Response> {
    ClientStreamingCall(try await openStream(method, options, nil))
  }

  package func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> BidirectionalCall<Request, Response> {
    BidirectionalCall(try await openStream(method, options, nil))
  }

  // MARK: Calls

  private func openStream(
    _ method: MethodDescriptor, _ options: CallOptions, _ firstMessage: [UInt8]?
  ) async throws(RPCError) -> ClientCallHandle {
    let deadline = options.timeout.map { ContinuousClock.now + $0 }
    let connectDeadline = deadline ?? (.now + configuration.unaryTimeoutDefault)
    return try await retrying(method, hasKey: false, connectDeadline) { () throws(RPCError) in
      try await self.open(
        method, options, key: options.idempotencyKey, deadline, firstMessage)
    }
  }

  private func open(
    _ method: MethodDescriptor, _ options: CallOptions, key: String?,
    _ deadline: ContinuousClock.Instant?, _ firstMessage: [UInt8]?
  ) async throws(RPCError) -> ClientCallHandle {
    try Self.check(options)
    let connection = try await connection(deadline)
    let call = ClientCall(
      connection, method, options, idempotencyKey: key, deadline: deadline,
      firstMessage: firstMessage)
    call.start()
    return ClientCallHandle(call, self)
  }

  /// Repeats `body` while the error and the time allow it (W14).
  private func retrying<Value: Sendable>(
    _ method: MethodDescriptor, hasKey: Bool, _ deadline: ContinuousClock.Instant,
    _ body: () async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    var attempt = 1
    while true {
      do throws(RPCError) {
        return try await body()
      } catch {
        let policy = configuration.retry
        guard
          attempt < policy.attemptCountMax,
          policy.allowsRetry(after: error, method: method, hasIdempotencyKey: hasKey),
          !isClosed
        else { throw error }
        let wait = policy.backoff(beforeRetry: attempt, jitter: .random(in: 0...1))
        guard ContinuousClock.now + wait < deadline else { throw error }
        do {
          try await Task.sleep(for: wait)
        } catch {
          throw RPCError(.cancelled, "the call was cancelled")
        }
        attempt += 1
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
      options.metadata, byteCountMax: WireLimit.metadataByteCountMax)
    guard sendable.count == options.metadata.count else {
      throw RPCError(.invalidArgument, "metadata that cannot be sent: bad key or too large")
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
    if case .connected(let connection) = state.withLock({ $0 }) { return connection }
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
    case .connected(let connection):
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
    let loop = promise.futureResult.eventLoop
    let connection = ClientConnection(configuration: configuration, loop: loop) { [weak self] in
      self?.forget()
    }
    let configuration = self.configuration
    let timeout = TimeAmount.nanoseconds(
      Int64(clamping: Int(configuration.connectTimeout / .nanoseconds(1))))
    ClientBootstrap(group: loop)
      .connectTimeout(timeout)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let session = try configuration.tls.connect(
            host: configuration.serverName ?? configuration.host)
          try channel.pipeline.syncOperations.addHandlers(
            TLSHandler(session: session, scratch: LoopScratch(), handshakeTimeout: timeout),
            connection)
        }
      }
      .connect(host: configuration.host, port: configuration.port)
      .whenFailure { error in
        connection.end(
          RPCError(.unavailable, "cannot connect to \(configuration.host):\(configuration.port)")
            .caused(by: error))
      }
    let helloTimer = loop.scheduleTask(in: timeout + timeout) {
      connection.end(RPCError(.unavailable, "the server did not answer in time"))
      connection.context?.close(promise: nil)
    }
    connection.ready.futureResult.whenComplete { result in
      helloTimer.cancel()
      switch result {
      case .success:
        self.established(connection)
        promise.succeed(connection)
      case .failure(let error):
        // The connection has told `forget` already.
        promise.fail(error)
      }
    }
  }

  private func established(_ connection: ClientConnection) {
    let isClosed = state.withLock { state in
      if case .closed = state { return true }
      state = .connected(connection)
      return false
    }
    if isClosed { connection.close() }
  }

  /// The connection takes no more calls: the next one connects again.
  private func forget() {
    state.withLock { state in
      if case .closed = state { return }
      state = .idle
    }
  }
}
