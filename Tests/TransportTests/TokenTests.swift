import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// Tokens that a client's provider makes (BEHAVIOUR.md, C5.8), against a server that follows a script.
@Suite(.timeLimit(.minutes(5)))
struct TokenTests {
  private struct Broken: Error {}

  /// Longer than a machine that is busy with other tests.
  private static var longRests: RetryPolicy {
    var policy = RetryPolicy()
    (policy.backoffMin, policy.backoffMax) = (.seconds(600), .seconds(600))
    return policy
  }

  /// A server that takes some tokens only, and a provider that gives one after the other.
  private final class World: Sendable {
    struct Call: Sendable {
      let token: String?
      let key: String?
      let timeout: UInt64?
    }

    let calls = Mutex<[Call]>([])
    let questionCount = Mutex(0)
    let helloTokens = Mutex<[String?]>([])
    let witness = Witness()

    func server(
      taking isTaken: @escaping @Sendable (String?) -> Bool
    ) async throws -> ScriptedServer {
      try await ScriptedServer { hello in
        let token = hello.withUnsafeBytes { try? Hello(payload: $0) }?.token
        self.helloTokens.withLock { $0.append(token) }
      } _: { _, frame in
        guard frame.kind == .call else { return [] }
        let call = frame.payload.withUnsafeBytes { bytes -> Call? in
          guard let head = try? CallHead.read(bytes).head else { return nil }
          return Call(
            token: head.token, key: head.idempotencyKey, timeout: head.timeoutMicroseconds)
        }
        guard let call else { return ScriptedServer.hangUp }
        self.calls.withLock { $0.append(call) }
        guard isTaken(call.token) else {
          return ScriptedServer.end(frame.stream, .unauthenticated, message: "refused")
        }
        return ScriptedServer.message(frame.stream, "for \(call.token ?? "nobody")")
          + ScriptedServer.end(frame.stream)
      }
    }

    /// `one`, `two`, `three`, and `three` again and again.
    var provider: ClientTokenProvider {
      {
        let number = self.questionCount.withLock { count in
          count += 1
          return count
        }
        self.witness.note("asked")
        return ClientToken(["one", "two", "three"][min(number, 3) - 1])
      }
    }

    var tokens: [String?] { calls.withLock { $0.map(\.token) } }
    var questions: Int { questionCount.withLock { $0 } }
  }

  @Test func `C5.8.2 many first calls ask once, and HELLO has no token`() async throws {
    let world = World()
    let server = try await world.server { $0 == "one" }
    let client = try server.client {
      $0.tokenProvider = {
        try await Task.sleep(for: .milliseconds(20))
        return try await world.provider()
      }
    }
    defer { client.close() }
    try await client.connect()
    #expect(world.questions == 0)
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 { group.addTask { try await client.echo("x") } }
      for try await text in group { #expect(text == "for one") }
    }
    #expect(world.questions == 1)
    #expect(world.tokens.count == 20)
    #expect(world.helloTokens.withLock { $0 } == [nil])
  }

  @Test func `C5.8.3 a refused call is repeated once under the same key and deadline`() async throws
  {
    let world = World()
    let server = try await world.server { $0 == "two" }
    let client = try server.client { $0.tokenProvider = world.provider }
    defer { client.close() }
    let reply = try await client.unary(
      Methods.write, Blob("x"), returning: Blob.self, options: CallOptions(timeout: .seconds(300)))
    #expect(reply.text == "for two")
    let calls = world.calls.withLock { $0 }
    #expect(calls.map(\.token) == ["one", "two"])
    #expect(calls[0].key != nil && calls[0].key == calls[1].key)
    #expect((calls[1].timeout ?? .max) <= (calls[0].timeout ?? 0))
    #expect(world.questions == 2)
  }

  @Test func `C5.8.3 a second refusal is the caller's, and the provider rests`() async throws {
    let world = World()
    let server = try await world.server { _ in false }
    let client = try server.client {
      $0.tokenProvider = world.provider
      $0.retry = Self.longRests
    }
    defer { client.close() }
    let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
    #expect(error?.code == .unauthenticated && error?.isFromServer == true)
    #expect(world.tokens == ["one", "two"])
    // Nobody is asked, and nothing is sent.
    let next = await #expect(throws: RPCError.self) { try await client.echo("x") }
    #expect(next?.code == .unauthenticated && next?.isFromServer == false)
    #expect(next?.isNotStarted == true)
    #expect(world.questions == 2 && world.tokens.count == 2)
  }

  @Test func `C5.8.4 the token that was refused once more is the server's error`() async throws {
    let world = World()
    let server = try await world.server { _ in false }
    let client = try server.client { $0.tokenProvider = { ClientToken("same") } }
    defer { client.close() }
    let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
    #expect(error?.message == "refused" && error?.isFromServer == true)
    #expect(world.tokens == ["same"])
  }

  @Test func `C5.8.5 a provider that fails is the cause, and is not stormed`() async throws {
    let world = World()
    let server = try await world.server { _ in true }
    let client = try server.client {
      $0.retry = Self.longRests
      $0.tokenProvider = {
        world.questionCount.withLock { $0 += 1 }
        throw Broken()
      }
    }
    defer { client.close() }
    for _ in 0..<50 {
      let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
      #expect(error?.code == .unauthenticated && error?.isFromServer == false)
      #expect(error?.isNotStarted == true && error?.cause is Broken)
    }
    #expect(world.questions == 1)
    #expect(world.tokens.isEmpty)
  }

  @Test func `C5.8.2 a provider that says nothing fails in its time`() async throws {
    let world = World()
    let server = try await world.server { _ in true }
    let client = try server.client {
      $0.tokenTimeout = .milliseconds(20)
      $0.tokenProvider = {
        // Deaf to its cancellation.
        await withUnsafeContinuation { continuation in
          Task.detached {
            try? await Task.sleep(for: .seconds(1))
            continuation.resume()
          }
        }
        return ClientToken("late")
      }
    }
    defer { client.close() }
    let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
    #expect(error?.message == "the token provider did not answer in time")
  }

  @Test func `C5.8.1 a call's own token is left alone`() async throws {
    let world = World()
    let server = try await world.server { _ in false }
    let client = try server.client { $0.tokenProvider = world.provider }
    defer { client.close() }
    let error = await #expect(throws: RPCError.self) {
      try await client.echo("x", CallOptions(token: "own"))
    }
    #expect(error?.isFromServer == true)
    #expect(world.tokens == ["own"] && world.questions == 0)
  }

  @Test func `C5.8.3 a stream is repeated before its first response`() async throws {
    let world = World()
    let server = try await world.server { $0 == "two" }
    let client = try server.client { $0.tokenProvider = world.provider }
    defer { client.close() }
    let stream: ResponseStream<Blob> = try await client.serverStreaming(
      Methods.watch, Blob(""), returning: Blob.self, options: CallOptions())
    var texts: [String] = []
    for try await response in stream { texts.append(response.text) }
    #expect(texts == ["for two"])
    #expect(world.tokens == ["one", "two"])
  }

  @Test func `C5.8.3 what ends after a response is the caller's, and the next has a new token`()
    async throws
  {
    let world = World()
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      return ScriptedServer.message(frame.stream, "first")
        + ScriptedServer.end(frame.stream, .unauthenticated)
    }
    let client = try server.client { $0.tokenProvider = world.provider }
    defer { client.close() }
    for count in 1...2 {
      var responses = try await client.serverStreaming(
        Methods.watch, Blob(""), returning: Blob.self, options: CallOptions()
      ).makeAsyncIterator()
      #expect(try await responses.next()?.text == "first")
      let error = await #expect(throws: RPCError.self) { try await responses.next() }
      #expect(error?.code == .unauthenticated)
      #expect(world.questions == count)
    }
  }

  @Test func `C5.8.3 a request stream is the caller's, and the next has a new token`() async throws
  {
    let world = World()
    let server = try await world.server { $0 == "two" }
    let client = try server.client { $0.tokenProvider = world.provider }
    defer { client.close() }
    for isRefused in [true, false] {
      let call: ClientStreamingCall<Blob, Blob> = try await client.clientStreaming(
        Methods.sum, sending: Blob.self, returning: Blob.self, options: CallOptions())
      if isRefused {
        let error = await #expect(throws: RPCError.self) { try await call.finish() }
        #expect(error?.code == .unauthenticated)
      } else {
        #expect(try await call.finish().text == "for two")
      }
    }
    #expect(world.tokens == ["one", "two"])
  }

  @Test(arguments: ["close", "cancel", "deadline"])
  func `C5.8.2 a call waits for the provider no longer than it lives`(_ what: String) async throws {
    let world = World()
    let server = try await world.server { _ in true }
    let client = try server.client {
      $0.tokenTimeout = .seconds(600)
      $0.tokenProvider = {
        world.witness.note("asked")
        try await Task.sleep(for: .seconds(600))
        return ClientToken("late")
      }
    }
    defer { client.close() }
    let time: Duration = what == "deadline" ? .milliseconds(20) : .seconds(500)
    let call = Task { try await client.echo("x", CallOptions(timeout: time)) }
    await world.witness.wait(for: "asked")
    if what == "close" { client.close() }
    if what == "cancel" { call.cancel() }
    let error = await #expect(throws: RPCError.self) { try await call.value }
    let codes: [String: StatusCode] = [
      "close": .unavailable, "cancel": .cancelled, "deadline": .deadlineExceeded,
    ]
    #expect(error?.code == codes[what] && error?.isNotStarted == true)
    #expect(world.tokens.isEmpty)
  }
}
