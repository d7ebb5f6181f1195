internal import NIOCore
internal import RPC
internal import Synchronization
internal import Wire

/// One call at the client: what its connection and its caller share.
///
/// `@unchecked Sendable`: `inbox` is a mutex; `machine`, `message` and the other variables are
/// touched on the connection's loop only.
final class ClientCall: @unchecked Sendable {
  /// What arrived and was not read; the reader takes from it without a hop to the loop.
  struct Inbox {
    /// What a reader finds.
    enum Step<Result: Sendable>: Sendable {
      /// A message, the bytes that it held of the connection's credit, and those whose credit is to be returned
      /// to the stream now.
      case message(Result, byteCount: Int, returning: Int)
      /// Nothing is left and nothing will come; with an error where the call failed.
      case ended(RPCError?)
      case empty
    }

    var queue = MessageQueue()
    /// Read, but not given back to the stream as credit yet.
    var consumedByteCount = 0
    var isEnded = false
    var error: RPCError?
    var trailer: EndTrailer?
    var head: Metadata?
    var hasMessageCome = false
    var waiter: CheckedContinuation<Void, Never>?

    /// One look decides: a message and the end may arrive together between two looks, and the
    /// message comes first.
    mutating func step<Result: Sendable>(
      reportStep: Int, _ decode: (UnsafeRawBufferPointer, Bool) -> Result
    ) -> Step<Result> {
      guard !queue.isEmpty else { return isEnded ? .ended(error) : .empty }
      let taken = queue.take(decode)
      consumedByteCount += taken.heldByteCount
      guard consumedByteCount >= reportStep else {
        return .message(taken.result, byteCount: taken.heldByteCount, returning: 0)
      }
      defer { consumedByteCount = 0 }
      return .message(
        taken.result, byteCount: taken.heldByteCount, returning: consumedByteCount)
    }
  }

  let connection: ClientConnection
  let method: MethodDescriptor
  let options: CallOptions
  let idempotencyKey: String?
  let deadline: Moment?
  /// Told what the server makes of the call's token; nil where that is the caller's own, or none.
  private let tokens: Tokens?

  /// 0 until the call is open.
  var stream: UInt32 = 0
  var machine: ClientCallMachine
  /// The bytes of the message that was handed over; the machine knows how much of it is out.
  private(set) var message: [UInt8]
  /// Of the first frame of that message.
  private(set) var messageFlags: FrameFlags = []
  /// Of the first message, before it was compressed; 0 where none was given.
  let requestByteCount: Int
  private var sendWaiter: CheckedContinuation<Bool, Never>?
  private let inbox = Mutex(Inbox())
  /// Consumed bytes are reported to the loop in steps of this.
  private let reportStep: Int

  init(
    _ connection: ClientConnection, _ method: MethodDescriptor, _ options: CallOptions,
    idempotencyKey: String?, deadline: Moment?,
    firstMessage request: OutgoingMessage?, tokens: Tokens? = nil
  ) {
    self.connection = connection
    self.method = method
    self.options = options
    self.idempotencyKey = idempotencyKey
    self.deadline = deadline
    self.tokens = tokens
    machine = ClientCallMachine(requestByteCount: request?.bytes.count)
    message = request?.bytes ?? []
    messageFlags = request?.flags ?? []
    requestByteCount = request?.messageByteCount ?? 0
    reportStep = ClientConnection.returnStep(of: connection.configuration.limits.streamCredit)
  }

  // MARK: From the connection, on the loop

  /// A message, or a part of it, arrived. Answers with the credit to give back at once.
  @discardableResult
  func received(
    fragment: UnsafeRawBufferPointer, isComplete: Bool, isCompressed: Bool = false
  ) -> Int {
    if tokens != nil, inbox.withLock({ !$0.hasMessageCome }) { tokenTaken() }
    let (waiter, freed) = inbox.withLock { inbox -> (CheckedContinuation<Void, Never>?, Int) in
      inbox.hasMessageCome = true
      guard isComplete else { return (nil, inbox.queue.hold(fragment)) }
      inbox.queue.deliver(fragment, isCompressed: isCompressed)
      defer { inbox.waiter = nil }
      return (inbox.waiter, 0)
    }
    waiter?.resume()
    return freed
  }

  /// HEAD arrived. False for a second one, and for one after a message.
  func received(head: Metadata) -> Bool {
    inbox.withLock { inbox in
      guard inbox.head == nil, !inbox.hasMessageCome else { return false }
      inbox.head = head
      return true
    }
  }

  /// The call has ended. With an END what arrived can still be read; without one it is dropped.
  /// Answers with the dropped bytes whose credit is to be returned.
  @discardableResult
  func end(_ error: RPCError?, trailer: EndTrailer?) -> Int {
    machine.ended()
    let (isFirst, waiter, dropped) = inbox.withLock {
      inbox -> (Bool, CheckedContinuation<Void, Never>?, Int) in
      guard !inbox.isEnded else { return (false, nil, 0) }
      inbox.isEnded = true
      inbox.error = error
      inbox.trailer = trailer
      var dropped = 0
      if trailer == nil {
        dropped = inbox.queue.heldByteCount
        inbox.queue = MessageQueue()
      }
      defer { inbox.waiter = nil }
      return (true, inbox.waiter, dropped)
    }
    if isFirst {
      connection.callEnded()
      // Before the caller hears of it, who may repeat the call.
      if let error, error.isFromServer, error.code == .unauthenticated {
        options.token.map { tokens?.refused($0) }
      } else if trailer != nil {
        tokenTaken()
      }
    }
    waiter?.resume()
    messageSent()
    return dropped
  }

  private func tokenTaken() {
    if let tokens, let token = options.token { tokens.taken(token) }
  }

  /// The message that was handed over is out (or the call is over).
  func messageSent() {
    message = []
    sendWaiter?.resume(returning: true)
    sendWaiter = nil
  }

  // MARK: From the caller, on any thread

  /// Puts the call on the wire.
  func start() {
    connection.loop.execute { self.connection.start(self) }
  }

  /// Sends one message; returns when the connection has it. For one task at a time.
  func send(_ message: OutgoingMessage) async throws(RPCError) {
    let isTaken = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        connection.loop.execute {
          if let error = self.connection.tooLarge(message.messageByteCount) {
            self.connection.cancel(self, error)
            return continuation.resume(returning: false)
          }
          let action = self.machine.messageHandedOver(byteCount: message.bytes.count)
          guard action != .refuse else { return continuation.resume(returning: false) }
          self.message = message.bytes
          self.messageFlags = message.flags
          self.sendWaiter = continuation
          if action == .send { self.connection.sendMessage(of: self) }
        }
      }
    } onCancel: {
      cancel()
    }
    try throwIfEnded()
    // A message that is not sent must not look like one that was.
    guard isTaken || hasEnded else {
      throw RPCError(
        .failedPrecondition, "send one message after the other, and none after the last")
    }
  }

  /// Half-closes.
  func finishSending() {
    connection.loop.execute {
      if self.machine.finish() == .sendEnd { self.connection.sendEnd(self) }
    }
  }

  /// Nobody reads any more: cancels, or gives back the credit of what was not read.
  func abandon() {
    let (isEnded, freed) = inbox.withLock { inbox -> (Bool, Int) in
      guard inbox.isEnded else { return (false, 0) }
      let freed = inbox.queue.heldByteCount
      inbox.queue = MessageQueue()
      return (true, freed)
    }
    if isEnded { return connection.freed(freed) }
    connection.loop.execute {
      // END may have come before this ran.
      if self.hasEnded { return self.abandon() }
      self.connection.cancel(self, RPCError(.cancelled, "the call was cancelled"))
    }
  }

  func cancel() {
    connection.loop.execute {
      guard !self.hasEnded else { return }
      self.connection.cancel(self, RPCError(.cancelled, "the call was cancelled"))
    }
  }

  /// The next message as `decode` makes it, which is told whether it is compressed; nil at the end of the stream.
  func next<Result: Sendable>(
    _ decode: (UnsafeRawBufferPointer, Bool) -> Result
  ) async throws(RPCError) -> Result? {
    while true {
      switch inbox.withLock({ $0.step(reportStep: reportStep, decode) }) {
      case .message(let message, let byteCount, let consumed):
        // At once, and not in the stream's steps: many streams that are read a little each would hold all of
        // the connection's credit, and none of them would ever reach its step.
        connection.freed(byteCount)
        if consumed > 0 {
          connection.loop.execute { self.connection.consumed(consumed, ofStream: self) }
        }
        return message
      case .ended(let error):
        if let error { throw error }
        return nil
      case .empty: await wait()
      }
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mustWait = inbox.withLock { inbox in
          guard inbox.queue.isEmpty, !inbox.isEnded, inbox.waiter == nil else { return false }
          inbox.waiter = continuation
          return true
        }
        if !mustWait { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }

  var hasEnded: Bool { inbox.withLock { $0.isEnded } }

  /// The block of END, after the call has ended.
  var trailer: EndTrailer? { inbox.withLock { $0.trailer } }

  var head: Metadata? { inbox.withLock { $0.head } }

  /// The error that the call ended with.
  var endError: RPCError? { inbox.withLock { $0.error } }

  private func throwIfEnded() throws(RPCError) {
    if let error = endError { throw error }
  }
}

/// What the caller holds: cancels the call when it is dropped before the end. Keeps the transport,
/// which closes its connection when nobody holds it.
final class ClientCallHandle: ClientStream {
  private let call: ClientCall
  private let transport: HitoTransport
  /// Of a call that ends with this handle.
  private let log: CallLog?

  init(_ call: ClientCall, _ transport: HitoTransport, _ log: CallLog?) {
    self.call = call
    self.transport = transport
    self.log = log
  }

  deinit {
    call.abandon()
    log?.left()
  }

  var connectionNumber: Int { call.connection.number }

  func send(_ message: any WireMessage) async throws(RPCError) {
    try await call.send(call.connection.outgoing(message.encodedBytes()))
  }

  func finishSending() async throws(RPCError) {
    call.finishSending()
  }

  func nextResponse<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    do throws(RPCError) {
      let response = try await response(as: type)
      if response == nil { log?.ended(nil) }
      return response
    } catch {
      log?.ended(error)
      throw error
    }
  }

  private func response<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    let configuration = call.connection.configuration
    let decoded = try await call.next { bytes, isCompressed in
      Result { () throws(RPCError) in
        try Self.decoded(bytes, isCompressed, configuration) as Message
      }
    }
    switch decoded {
    case nil: return nil
    case .success(let message): return message
    case .failure(let error):
      call.cancel()
      throw error
    }
  }

  private static func decoded<Message: WireMessage>(
    _ bytes: UnsafeRawBufferPointer, _ isCompressed: Bool, _ configuration: ClientConfiguration
  ) throws(RPCError) -> Message {
    var expanded: [UInt8]?
    if isCompressed {
      do throws(CallFault) {
        expanded = try CompressedMessage.unpacked(
          bytes, byteCountMax: configuration.limits.messageByteCountMax)
      } catch {
        throw RPCError(.internal, "the response is \(error.text)")
      }
    }
    do throws(DecodeError) {
      let limits = configuration.decodeLimits
      guard let expanded else { return try Message.decode(bytes, limits: limits) }
      return try Message.decode(expanded, limits: limits)
    } catch {
      throw RPCError(.internal, "the response does not decode: \(error)")
    }
  }

  func cancel() {
    call.cancel()
    log?.left()
  }

  var resumeCursor: String? { call.trailer?.resumeCursor }

  var responseMetadata: ResponseMetadata {
    var said = ResponseMetadata()
    if let head = call.head {
      said.metadata = head.entries
      said.binaryMetadata = head.binaryEntries
    }
    if let trailer = call.trailer {
      said.trailers = trailer.trailers
      said.binaryTrailers = trailer.binaryTrailers
    }
    return said
  }
}

/// A message on its way out: its bytes, and what its first frame says of them.
struct OutgoingMessage: Sendable {
  var bytes: [UInt8]
  var flags: FrameFlags = []
  /// Of the message before it was compressed.
  var messageByteCount: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    messageByteCount = bytes.count
  }

  init(compressed bytes: [UInt8], messageByteCount: Int) {
    self.bytes = bytes
    flags = .compressed
    self.messageByteCount = messageByteCount
  }
}
