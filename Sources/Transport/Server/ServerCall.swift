internal import NIOCore
internal import RPC
internal import Wire

/// One call at the server: what its connection and its handler share.
///
/// `@unchecked Sendable`: all mutable state is touched on the connection's loop only; the functions
/// that handlers call hop there first.
final class ServerCall: ServerStream, @unchecked Sendable {
  let connection: ServerConnection
  let stream: UInt32
  let route: Route
  let receivedAt: ContinuousClock.Instant
  let idempotencyKey: String?
  let token: String?
  private let hasOwnToken: Bool
  private let traceparent: String?
  private let metadata: [(String, String)]
  let deadline: ContinuousClock.Instant?

  var machine: ServerCallMachine
  var queue = MessageQueue()
  var requestBytes: [UInt8] = []
  var context: CallContext?
  var task: Task<Void, Never>?

  /// Why the stream has ended; nil while it has not.
  var endError: RPCError?
  var resumeCursor: String?
  /// The bytes of the message that waits for credit; the machine knows how much of it is out.
  var waitingMessage: [UInt8] = []
  var stall = OutputStall()

  private var waiters: [CheckedContinuation<Void, Never>] = []

  init(_ connection: ServerConnection, _ stream: UInt32, _ route: Route, _ head: CallHead) {
    self.connection = connection
    self.stream = stream
    self.route = route
    receivedAt = connection.now
    idempotencyKey = head.idempotencyKey
    hasOwnToken = head.token != nil
    token = head.token ?? connection.identity.token
    traceparent = head.traceparent
    metadata = head.metadata.entries
    deadline = connection.deadline(of: route, head.timeoutMicroseconds)
    machine = ServerCallMachine(
      messages: CallMachine(
        mine: connection.core.configuration.limits, peers: connection.machine.peerLimits,
        receivesSingleMessage: route.method.kind.hasSingleRequest))
  }

  // MARK: The handler's task

  func runUnary(_ invocation: Route.Invocation) async throws {
    let context = await makeContext()
    let message = try await invocation(context)
    await onLoop {
      self.connection.reply(self, message)
      self.connection.handlerReturned(self, nil)
    }
  }

  func runStreaming(_ body: @Sendable (any ServerStream, CallContext) async throws -> Void)
    async throws
  {
    let context = await makeContext()
    try await body(self, context)
    await onLoop { self.connection.handlerReturned(self, nil) }
  }

  func handlerFailed(_ error: any Error) async {
    let rpcError = RPCError(fromHandler: error)
    await onLoop { self.connection.handlerReturned(self, rpcError) }
  }

  private func makeContext() async -> CallContext {
    let caller = await authenticate()
    let context = CallContext(
      method: route.method, deadline: deadline, principal: caller.principal,
      refusal: caller.refusal, idempotencyKey: idempotencyKey, metadata: metadata,
      traceparent: traceparent,
      connectionID: connection.id, streamID: stream, requestBytes: requestBytes)
    requestBytes = []
    if connection.loop.inEventLoop {
      keep(context)
    } else {
      await onLoop { self.keep(context) }
    }
    return context
  }

  private func keep(_ context: CallContext) {
    self.context = context
    if context.principal != nil { connection.peerAuthenticated() }
  }

  /// Whom the call's token stands for, or why for none. Whether the method needs a caller is the
  /// router's to say.
  private func authenticate() async -> (principal: Principal?, refusal: RPCError?) {
    guard let token else { return (nil, nil) }
    if !hasOwnToken, let principal = connection.identity.principal(at: receivedAt) {
      return (principal, nil)
    }
    switch await connection.core.authentication.authenticate(token: token) {
    case .principal(let answer):
      if !hasOwnToken { await onLoop { self.connection.identity.authenticated(answer) } }
      return (answer.principal, nil)
    case .refused(let error, let wasLookedUp):
      if wasLookedUp { connection.tokenLookUpRefused() }
      return (nil, error)
    case .failed(let error): return (nil, error)
    }
  }

  /// Runs `body` on the connection's loop, at once when this is it.
  private func onLoop(_ body: @escaping @Sendable () -> Void) async {
    if connection.loop.inEventLoop { return body() }
    await withCheckedContinuation { continuation in
      connection.loop.execute {
        body()
        self.connection.executor.tick()
        continuation.resume()
      }
    }
  }

  // MARK: ServerStream

  func nextRequest<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    guard !connection.loop.inEventLoop else { return try await nextRequestOnLoop() }
    return try await withTaskExecutorPreference(connection.executor) {
      () async throws(RPCError) -> Message? in
      try await self.nextRequestOnLoop()
    }
  }

  func write<Message: WireMessage>(
    _ message: Message, resumeCursor: String?
  ) async throws(RPCError) {
    guard !connection.loop.inEventLoop else { return try await writeOnLoop(message, resumeCursor) }
    try await withTaskExecutorPreference(connection.executor) { () async throws(RPCError) in
      try await self.writeOnLoop(message, resumeCursor)
    }
  }

  func offer(_ message: [UInt8], resumeCursor: String?) async throws(RPCError) -> Bool {
    guard !connection.loop.inEventLoop else { return try offerOnLoop(message, resumeCursor) }
    return try await withTaskExecutorPreference(connection.executor) {
      () async throws(RPCError) -> Bool in
      try self.offerOnLoop(message, resumeCursor)
    }
  }

  private func offerOnLoop(_ message: [UInt8], _ cursor: String?) throws(RPCError) -> Bool {
    if let endError { throw endError }
    guard !machine.messages.isMessageWaiting, connection.hasRoom,
      connection.sendWhole(self, message)
    else { return false }
    if let cursor { resumeCursor = cursor }
    return true
  }

  private func nextRequestOnLoop<Message: WireMessage>() async throws(RPCError) -> Message? {
    while true {
      if let endError { throw endError }
      if !queue.isEmpty { return try takeRequest() }
      if machine.messages.inbound.isHalfClosed { return nil }
      try await wait()
    }
  }

  private func takeRequest<Message: WireMessage>() throws(RPCError) -> Message {
    let limits = connection.core.configuration.decodeLimits
    let taken = queue.take { bytes -> Result<Message, DecodeError> in
      do throws(DecodeError) {
        return .success(try Message.decode(bytes, limits: limits))
      } catch {
        return .failure(error)
      }
    }
    if taken.byteCount == 0 { machine.messages.emptyMessageRead() }
    connection.grantConnection(taken.heldByteCount)
    connection.grantStream(self, taken.heldByteCount)
    switch taken.result {
    case .success(let message): return message
    case .failure(let error): throw RPCError(fromHandler: error)
    }
  }

  private func writeOnLoop(
    _ message: any WireMessage, _ cursor: String?
  ) async throws(RPCError) {
    while true {
      if let endError { throw endError }
      if !machine.messages.isMessageWaiting {
        if connection.hasRoom { break }
        connection.waiting.waitForRoom(self)
      }
      connection.outputWaits(self)
      try await wait()
    }
    connection.send(self, message)
    while machine.messages.isMessageWaiting {
      if let endError { throw endError }
      connection.outputWaits(self)
      try await wait()
    }
    stall.outputEnded()
    if let endError { throw endError }
    if let cursor { resumeCursor = cursor }
  }

  // MARK: Waiting

  /// Returns when something changed; the caller looks again at what it waits for.
  private func wait() async throws(RPCError) {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if Task.isCancelled {
          continuation.resume()
        } else {
          waiters.append(continuation)
        }
      }
    } onCancel: {
      connection.loop.execute { self.wake() }
    }
    guard !Task.isCancelled else {
      throw endError ?? RPCError(.cancelled, "the call was cancelled")
    }
  }

  /// Wakes whoever waits in this call. On the loop.
  func wake() {
    guard !waiters.isEmpty else { return }
    let woken = waiters
    waiters.removeAll(keepingCapacity: true)
    for waiter in woken { waiter.resume() }
  }
}
