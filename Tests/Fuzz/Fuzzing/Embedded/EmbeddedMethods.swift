import RPC

/// A method of each kind, as the embedded servers serve them.
enum EmbeddedMethods {
  static let echo = method("Echo", .unary)
  /// For everybody.
  static let ping = method("Ping", .unary, callers: .anybody)
  /// Happens once for a key.
  static let write = method("Write", .unary, isReadOnly: false)
  /// Returns when it is cancelled.
  static let hang = method("Hang", .unary)
  /// `<count> <size>`: so many messages of that size.
  static let count = method("Count", .serverStreaming)
  /// A message, and then nothing until it is cancelled.
  static let watch = method("Watch", .serverStreaming, cost: .subscription)
  /// Answers with how many messages came, and how many bytes.
  static let sum = method("Sum", .clientStreaming)
  /// Sends back whatever comes.
  static let chat = method("Chat", .bidirectional)

  static let all = [echo, ping, write, hang, count, watch, sum, chat]

  private static func method(
    _ name: String, _ kind: MethodKind, isReadOnly: Bool = true,
    callers: MethodRule.Callers = .users, cost: MethodRule.Cost = .rows
  ) -> MethodDescriptor {
    MethodDescriptor(
      path: "fuzz.Embedded/\(name)", kind: kind, isReadOnly: isReadOnly,
      rule: MethodRule(
        callers: callers, cost: cost, timeout: kind == .unary ? .seconds(30) : nil))
  }
}

/// What is behind the methods.
protocol EmbeddedBackend: Sendable {
  /// Answers a write; the same answer for the same key.
  func write(_ request: Blob, key: String?) async throws -> Blob
  /// The time that any other call takes before it answers.
  func work() async
}

/// Remembers nothing and takes no time.
struct EmptyBackend: EmbeddedBackend {
  func write(_ request: Blob, key: String?) async throws -> Blob { request }
  func work() async {}
}

extension EmbeddedMethods {
  static func router(_ loop: EmbeddedLoop, _ backend: any EmbeddedBackend) -> Router {
    var router = Router()
    do {
      try register(&router, loop, backend)
      try registerStreams(&router, loop, backend)
    } catch {
      fatalError("\(error)")
    }
    return router
  }

  private static func register(
    _ router: inout Router, _ loop: EmbeddedLoop, _ backend: any EmbeddedBackend
  ) throws(RegistrationError) {
    try router.unary(echo) { (request: Blob, context: CallContext) in
      await backend.work()
      if let first = context.metadata.first { context.addTrailer(first.0, first.1) }
      if let first = context.binaryMetadata.first { context.addMetadata(first.0, bytes: first.1) }
      return request
    }
    try router.unary(ping) { (request: Blob, _) in request }
    try router.unary(write) { (request: Blob, context: CallContext) in
      try await backend.write(request, key: context.idempotencyKey)
    }
    try router.unary(hang) { (_: Blob, _) -> Blob in
      await loop.waitForCancellation()
      throw CancellationError()
    }
  }

  private static func registerStreams(
    _ router: inout Router, _ loop: EmbeddedLoop, _ backend: any EmbeddedBackend
  ) throws(RegistrationError) {
    try router.serverStreaming(count) { (request: Blob, _, writer: ResponseWriter<Blob>) in
      let numbers = request.text.split(separator: " ").compactMap { Int($0) }
      let size = min(max(numbers.count > 1 ? numbers[1] : 0, 0), 1 << 20)
      for index in 0..<min(max(numbers.first ?? 0, 0), 64) {
        let padding = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        try await writer.write(Blob(Array("\(index)".utf8) + padding), resumeCursor: "\(index)")
      }
    }
    try router.serverStreaming(watch) { (_: Blob, _, writer: ResponseWriter<Blob>) in
      try await writer.write(Blob("first"), resumeCursor: "after-first")
      await loop.waitForCancellation()
      throw CancellationError()
    }
    try router.clientStreaming(sum) { (requests: RequestStream<Blob>, _) -> Blob in
      var requests = requests
      var (count, byteCount) = (0, 0)
      while let next = try await requests.next() {
        count += 1
        byteCount += next.bytes.count
        await backend.work()
      }
      return Blob("\(count) \(byteCount)")
    }
    try router.bidirectional(chat) {
      (requests: RequestStream<Blob>, _, writer: ResponseWriter<Blob>) in
      var requests = requests
      while let next = try await requests.next() { try await writer.write(next) }
    }
  }
}

/// Knows `good` and `other` at once, and needs some time for tokens that begin with `slow`.
struct EmbeddedAuthenticator: Authenticator {
  let loop: EmbeddedLoop

  func authenticate(token: String) async throws(RPCError) -> Principal {
    if token.hasPrefix("slow") { await loop.sleep(.milliseconds(3)) }
    guard token == "good" || token == "other" || token == "slow" else {
      throw RPCError(.unauthenticated, "the token is not valid")
    }
    return Principal(userID: "user-\(token)", role: .learner, tokenID: "t-\(token)")
  }
}
