import Foundation
import Logging
import OpenSSL
import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// A message whose encoding is its bytes; `!` in front does not decode.
struct Blob: WireMessage, Equatable {
  static let fullName = "test.Blob"
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
  init(_ text: String) { bytes = Array(text.utf8) }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> Blob {
    guard bytes.first != UInt8(ascii: "!") else {
      throw DecodeError(.malformed, field: "blob.bytes")
    }
    return Blob(Array(bytes))
  }

  var encodedByteCount: Int { bytes.count }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    let room = reserve(bytes.count)
    bytes.withUnsafeBytes { room.copyMemory(from: $0) }
  }
}

/// The test service's methods.
enum Methods {
  static func path(_ name: String) -> String { "test.Echo/\(name)" }
  static let echo = method("Echo", .unary)
  static let write = method("Write", .unary, isReadOnly: false)
  static let fail = method("Fail", .unary)
  /// Sends the metadata of the call back, before its response and after it.
  static let mirror = method("Mirror", .unary)
  static let mirrorStream = method("MirrorStream", .serverStreaming)
  static let whoami = method("WhoAmI", .unary)
  static let hang = method("Hang", .unary)
  /// Hangs as `hang` does, for everybody.
  /// Hangs, having begun to write where its request says so.
  static let hangWrite = method("HangWrite", .unary, isReadOnly: false)
  /// Calls another server.
  static let relay = method("Relay", .unary)
  static let publicHang = MethodDescriptor(
    path: "test.Public/Hang", kind: .unary, isReadOnly: true, rule: ping.rule)
  /// Hangs as `hang` does, but not for long.
  static let hangBriefly = method("HangBriefly", .unary, timeout: .milliseconds(50))
  static let count = method("Count", .serverStreaming)
  static let watch = MethodDescriptor(
    path: path("Watch"), kind: .serverStreaming, isReadOnly: true,
    rule: MethodRule(callers: .users, cost: .subscription, timeout: nil))
  static let elsewhere = method("Elsewhere", .bidirectional)
  static let sum = method("Sum", .clientStreaming)
  static let chat = method("Chat", .bidirectional)
  static let deaf = method("Deaf", .bidirectional)
  static let ping = MethodDescriptor(
    path: "test.Public/Ping", kind: .unary, isReadOnly: true,
    rule: MethodRule(callers: .anybody, cost: .memory, timeout: .seconds(30)))

  /// What everybody may watch.
  static let publicWatch = MethodDescriptor(
    path: "test.Public/Watch", kind: .serverStreaming, isReadOnly: true,
    rule: MethodRule(callers: .anybody, cost: .subscription, timeout: nil))

  static func method(
    _ name: String, _ kind: MethodKind, isReadOnly: Bool = true, timeout: Duration? = nil
  ) -> MethodDescriptor {
    MethodDescriptor(
      path: path(name), kind: kind, isReadOnly: isReadOnly,
      rule: MethodRule(
        callers: .users, cost: .rows, timeout: timeout ?? (kind == .unary ? .seconds(30) : nil)))
  }
}

/// What the handlers saw, for tests to wait on.
final class Witness: Sendable {
  private struct State {
    var events: [String] = []
    var waiters: [(String, CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())

  func note(_ event: String) {
    let woken = state.withLock { state in
      state.events.append(event)
      let woken = state.waiters.filter { $0.0 == event }
      state.waiters.removeAll { $0.0 == event }
      return woken
    }
    for (_, waiter) in woken { waiter.resume() }
  }

  /// Returns when `event` has been noted.
  func wait(for event: String) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.events.contains(event) { return true }
        state.waiters.append((event, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  var events: [String] { state.withLock { $0.events } }
  func count(_ event: String) -> Int { events.count { $0 == event } }
}

struct Foreign: Error { let secret = "select * from users" }

/// Knows `good` and `other`, and what follows `slow-` once it is told to answer; what is in `revoked`
/// is refused.
final class TestAuthenticator: Authenticator {
  let revoked = Mutex<Set<String>>([])
  let askedCount = Mutex(0)
  /// Notes `asked` and waits for `answer` when it is asked about a slow token.
  let witness = Witness()

  func authenticate(token: String) async throws(RPCError) -> Principal {
    askedCount.withLock { $0 += 1 }
    var token = token
    if token.hasPrefix("slow-") {
      token.removeFirst(5)
      witness.note("asked")
      await witness.wait(for: "answer")
    }
    let isRevoked = revoked.withLock { $0.contains(token) }
    guard !isRevoked, token == "good" || token == "other" else {
      throw RPCError(.unauthenticated, "the token is not valid")
    }
    return Principal(userID: "user-\(token)", role: .learner, tokenID: "t-\(token)")
  }
}

/// Notes what it is told.
struct NotingObserver: CallObserver {
  let witness: Witness

  func refused(_ error: RPCError, method: String, principal: Principal?, peer: String) {
    witness.note("refused \(method) \(error.code) \(principal?.userID ?? "nobody") \(peer)")
  }

  func signedIn(_ principal: Principal, peer: String) {
    witness.note("signed in \(principal.userID) \(peer)")
  }
}

/// Certificates for one test, in a folder of its own.
final class TestCertificates: Sendable {
  let folder: String
  var ca: String { folder + "/ca.pem" }
  var caKey: String { folder + "/ca.key" }
  var certificate: String { folder + "/server.pem" }
  var key: String { folder + "/server.key" }

  init(names: [String] = []) throws {
    folder = NSTemporaryDirectory() + "hito-tls-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Certificates.createAuthority(certificateFile: ca, keyFile: caKey)
    try Certificates.createServerCertificate(
      authorityCertificateFile: ca, authorityKeyFile: caKey, certificateFile: certificate,
      keyFile: key, names: names)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func serverTLS() throws -> TLSContext {
    try .server(certificateFile: certificate, keyFile: key)
  }

  func clientTLS() throws -> TLSContext { try .client(authorityFile: ca) }
}

/// A server with the test service, over real sockets and real TLS.
struct TestServer {
  let server: HitoServer
  let port: Int
  let certificates: TestCertificates
  let witness: Witness
  let authenticator: TestAuthenticator
  /// What its observer was told.
  let observed: Witness

  /// Runs `body` with a started server and ends it afterwards.
  static func with(
    _ configuration: ServerConfiguration = configured { _ in },
    methods: (inout Router) throws(RegistrationError) -> Void = { _ in },
    _ body: (TestServer) async throws -> Void
  ) async throws {
    let certificates = try TestCertificates()
    let witness = Witness()
    let authenticator = TestAuthenticator()
    let observed = Witness()
    var router = try testRouter(witness)
    try methods(&router)
    let server = HitoServer(
      configuration: configuration, tls: try certificates.serverTLS(), router: router,
      authenticator: authenticator,
      observer: NotingObserver(witness: observed), logger: testLogger())
    let port = try await server.start()
    let test = TestServer(
      server: server, port: port, certificates: certificates, witness: witness,
      authenticator: authenticator, observed: observed)
    do {
      try await body(test)
    } catch {
      await server.drain(grace: .zero)
      throw error
    }
    await server.drain(grace: .zero)
  }

  func client(
    token: String? = "good", _ configure: (inout ClientConfiguration) throws -> Void = { _ in }
  ) throws -> HitoTransport {
    var configuration = ClientConfiguration(
      host: "127.0.0.1", port: port, tls: try certificates.clientTLS(), token: token)
    configuration.connectTimeout = .seconds(60)
    try configure(&configuration)
    return HitoTransport(configuration)
  }

  /// Proves that the server still serves others, perhaps after a while.
  func expectServesOthers() async throws {
    let client = try client { $0.waitsForReady = true }
    defer { client.close() }
    let reply = try await client.unary(
      Methods.echo, Blob("still here"), returning: Blob.self, options: CallOptions())
    #expect(reply.text == "still here")
  }
}

extension ClientTransport {
  func echo(_ text: String, _ options: CallOptions = CallOptions()) async throws(RPCError) -> String
  {
    try await unary(Methods.echo, Blob(text), returning: Blob.self, options: options).text
  }
}

/// A server configuration with changes, patient enough for a machine that is busy with other tests.
func configured(_ change: (inout ServerConfiguration) -> Void) -> ServerConfiguration {
  var configuration = ServerConfiguration()
  configuration.handshakeTimeout = .seconds(60)
  configuration.helloTimeout = .seconds(60)
  change(&configuration)
  return configuration
}

/// Silent: tests provoke errors on purpose.
func testLogger() -> Logger {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}

func testRouter(_ witness: Witness) throws(RegistrationError) -> Router {
  var router = Router()
  try router.unary(Methods.echo) { (request: Blob, context: CallContext) in
    if let key = context.idempotencyKey { context.addTrailer("key", key) }
    return request
  }
  try router.unary(Methods.ping) { (request: Blob, _) in request }
  try router.unary(Methods.write) { (request: Blob, context: CallContext) in
    witness.note("write")
    return Blob("\(context.idempotencyKey ?? "none")|\(context.requestBytes.count)")
  }
  try router.unary(Methods.fail) { (request: Blob, _) -> Blob in
    switch request.text {
    case "foreign": throw Foreign()
    case "cancel": throw CancellationError()
    default:
      throw RPCError(
        .failedPrecondition, "not now", details: Array("details".utf8), resumeCursor: "c1")
    }
  }
  try router.unary(Methods.mirror) { (request: Blob, context: CallContext) in
    mirror(context)
    return request
  }
  try router.serverStreaming(Methods.mirrorStream) {
    (request: Blob, context: CallContext, writer: ResponseWriter<Blob>) in
    mirror(context)
    if request.text == "fail" { throw RPCError(.aborted, "told to") }
    try await writer.write(request)
    context.addMetadata("late", "not seen")
    try await writer.write(request)
  }
  try router.unary(Methods.whoami) { (_: Blob, context: CallContext) in
    Blob(try context.requirePrincipal().userID)
  }
  try router.unary(Methods.hangWrite) { (request: Blob, context: CallContext) -> Blob in
    if request.text == "begun" { _ = context.beginWrite() }
    witness.note("hanging")
    try? await Task.sleep(for: .seconds(600))
    witness.note(context.beginWrite() ? "may write" : "may not write")
    throw CancellationError()
  }
  for method in [Methods.hang, Methods.hangBriefly, Methods.publicHang] {
    try router.unary(method) { (_: Blob, _) -> Blob in
      witness.note("hanging")
      try? await Task.sleep(for: .seconds(600))
      witness.note(Task.isCancelled ? "cancelled" : "woke")
      throw CancellationError()
    }
  }
  try router.serverStreaming(Methods.count) {
    (request: Blob, _, writer: ResponseWriter<Blob>) in
    let parts = request.text.split(separator: " ").compactMap { Int($0) }
    let size = parts.count > 1 ? parts[1] : 0
    for index in 0..<(parts.first ?? 0) {
      let padding = [UInt8](repeating: UInt8(ascii: "x"), count: size)
      try await writer.write(Blob(Array("\(index)".utf8) + padding), resumeCursor: "\(index)")
      witness.note("wrote")
    }
  }
  try router.serverStreaming(Methods.publicWatch) { (_: Blob, _, writer: ResponseWriter<Blob>) in
    try await writer.write(Blob("first"))
    try await Task.sleep(for: .seconds(600))
  }
  try router.serverStreaming(Methods.watch) { (_: Blob, _, writer: ResponseWriter<Blob>) in
    try await writer.write(Blob("first"), resumeCursor: "after-first")
    witness.note("watching")
    do {
      try await Task.sleep(for: .seconds(600))
    } catch {
      witness.note("watch cancelled")
      throw error
    }
  }
  try registerRequestStreams(&router, witness)
  return router
}

private func mirror(_ context: CallContext) {
  for (key, value) in context.metadata {
    context.addMetadata(key, value)
    context.addTrailer("after-" + key, value)
  }
  for (key, value) in context.binaryMetadata {
    context.addMetadata(key, bytes: value)
    context.addTrailer("after-" + key, bytes: value)
  }
}

private func registerRequestStreams(
  _ router: inout Router, _ witness: Witness
) throws(RegistrationError) {
  try router.clientStreaming(Methods.sum) { (requests: RequestStream<Blob>, _) -> Blob in
    var requests = requests
    var byteCount = 0
    var count = 0
    while let next = try await requests.next() {
      byteCount += next.bytes.count
      count += 1
    }
    return Blob("\(count) \(byteCount)")
  }
  try router.bidirectional(Methods.chat) {
    (requests: RequestStream<Blob>, _, writer: ResponseWriter<Blob>) in
    var requests = requests
    while let next = try await requests.next() {
      try await writer.write(Blob("re: " + next.text))
    }
  }
  try router.bidirectional(Methods.elsewhere) {
    (requests: RequestStream<Blob>, _, writer: ResponseWriter<Blob>) in
    // A task that does not run on the connection's loop.
    let task = Task.detached {
      var requests = requests
      while let next = try await requests.next() {
        for _ in 0..<10 { try await writer.write(Blob("far: " + next.text)) }
      }
    }
    try await task.value
  }
  try router.bidirectional(Methods.deaf) { (_: RequestStream<Blob>, _, _: ResponseWriter<Blob>) in
    witness.note("deaf")
    try await Task.sleep(for: .seconds(600))
  }
}
