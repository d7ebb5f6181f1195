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
  let receivedAt: Moment
  let idempotencyKey: String?
  let token: String?
  let hasOwnToken: Bool
  /// Whom the token stands for; nil while that is looked up, and where nobody asks.
  var principal: Principal?
  let isStrangers: Bool
  let traceparent: String?
  private let metadata: Metadata
  /// Whether its larger messages go out compressed.
  let compressesReplies: Bool
  let deadline: Moment?
  /// The largest message that it may send.
  let messageByteCountMax: Int

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
  /// Whether those bytes are there anyway.
  var isWaitingMessageShared = false
  /// Of the first frame of that message.
  var waitingMessageFlags: FrameFlags = []
  /// Whether HEAD is out, or need not be sent.
  var isHeadSettled = false
  var stall = OutputStall()

  /// What was counted of what it makes us keep.
  var kept = KeptBytes()
  /// Of a stranger's call that does not end at once: its head, and about what it takes in itself.
  private let headByteCount: Int
  /// Of the request that the handler was given, beside the queue.
  var requestByteCount = 0

  private var waiters: [CheckedContinuation<Void, Never>] = []

  /// - Parameter caller: whom the call is by, as far as that is known at its head.
  init(
    _ connection: ServerConnection, _ stream: UInt32, _ route: Route, _ parts: CallHead.Parts,
    _ caller: ServerConnection.Caller
  ) {
    let head = parts.head
    self.connection = connection
    self.stream = stream
    self.route = route
    receivedAt = connection.now
    idempotencyKey = head.idempotencyKey
    hasOwnToken = head.token != nil
    token = head.token ?? connection.identity.token
    traceparent = head.traceparent
    metadata = head.metadata
    // What everybody may ask for costs as little as it can.
    compressesReplies =
      !route.isOpenToAll
      && (head.replyEncodings ?? connection.machine.peerEncodings).contains(.deflate)
      && connection.machine.minorVersion >= 1
    deadline = connection.deadline(of: route, head.timeoutMicroseconds)
    principal = caller.principal
    isStrangers = connection.isStrangers(route)
    headByteCount =
      connection.machine.isCallerKnown ? 0 : Self.byteCount + parts.headByteCount
    var limits = connection.core.configuration.limits
    if route.isOpenToAll {
      limits.messageByteCountMax = min(
        limits.messageByteCountMax, WireLimit.publicMessageByteCountMax)
    }
    messageByteCountMax = limits.messageByteCountMax
    machine = ServerCallMachine(
      messages: CallMachine(
        mine: limits, peers: connection.machine.peerLimits,
        receivesSingleMessage: route.method.kind.hasSingleRequest),
      startsWithRequest: route.method.kind == .unary, isCallerKnown: !caller.isToBeLookedUp)
  }

  /// About what a call takes in memory itself, with its task.
  private static let byteCount = 1024

  /// Counted in whole KiB, so that small messages cost no count.
  private static func whole(_ byteCount: Int) -> Int { byteCount & ~1023 }

  /// What it makes us keep now; nothing after its end.
  var keptNow: KeptBytes {
    guard !machine.hasEnded else { return KeptBytes() }
    return KeptBytes(
      input: Self.whole(headByteCount + requestByteCount + queue.byteCount),
      output: isWaitingMessageShared ? 0 : Self.whole(machine.messages.waitingByteCount))
  }

  // MARK: The handler's task

  func runUnary(_ invocation: Route.Invocation) async throws {
    let context = makeContext()
    let message = try await invocation(context)
    await onLoop {
      self.connection.reply(self, message)
      self.connection.handlerReturned(self, nil)
    }
  }

  func runStreaming(_ body: @Sendable (any ServerStream, CallContext) async throws -> Void)
    async throws
  {
    let context = makeContext()
    try await body(self, context)
    await onLoop { self.connection.handlerReturned(self, nil) }
  }

  func handlerFailed(_ error: any Error) async {
    let rpcError = RPCError(fromHandler: error)
    await onLoop { self.connection.handlerReturned(self, rpcError) }
  }

  /// On the loop, where handlers start.
  private func makeContext() -> CallContext {
    let context = CallContext(
      method: route.method, deadline: deadline, principal: principal,
      idempotencyKey: idempotencyKey, metadata: metadata.entries,
      binaryMetadata: metadata.binaryEntries, traceparent: traceparent,
      connectionID: connection.id, streamID: stream, requestBytes: requestBytes,
      peer: connection.record.peerAddress)
    requestBytes = []
    self.context = context
    if !metadata.isEmpty { context.echoMetadata() }
    return context
  }

  /// Looks up whom the call's token stands for.
  func lookUpCaller() async {
    guard let token else { return }
    let outcome = await connection.core.authentication.authenticate(token: token)
    await onLoop { self.connection.callerLookedUp(self, outcome) }
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
    // One that is worth compressing is written.
    guard !machine.messages.isMessageWaiting, connection.hasRoom,
      !(compressesReplies && message.count >= CompressedMessage.byteCountMin),
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
    let taken = queue.take { bytes, isCompressed -> Result<Message, RPCError> in
      do throws(RPCError) {
        return .success(
          try connection.expanded(bytes, isCompressed, of: self) { bytes throws(DecodeError) in
            try Message.decode(bytes, limits: limits)
          })
      } catch {
        return .failure(error)
      }
    }
    if taken.byteCount == 0 { machine.messages.emptyMessageRead() }
    connection.grantConnection(taken.heldByteCount)
    connection.grantStream(self, taken.heldByteCount)
    requestByteCount = taken.byteCount
    connection.settle(self)
    switch taken.result {
    case .success(let message): return message
    case .failure(let error): throw error
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
