import RPC
import Synchronization
import Testing

@Suite struct `Interceptors of a client` {
  private let method = MethodDescriptor.test("a.B/C")

  private struct Stamping: ClientInterceptor {
    let name: String

    func intercept<Result: Sendable>(
      _ method: MethodDescriptor, _ options: CallOptions,
      _ next: (CallOptions) async throws(RPCError) -> Result
    ) async throws(RPCError) -> Result {
      var options = options
      options.metadata.append(("by", "\(name) \(method.name)"))
      return try await next(options)
    }
  }

  private struct Refusing: ClientInterceptor {
    func intercept<Result: Sendable>(
      _ method: MethodDescriptor, _ options: CallOptions,
      _ next: (CallOptions) async throws(RPCError) -> Result
    ) async throws(RPCError) -> Result {
      throw RPCError(.resourceExhausted, "not now")
    }
  }

  /// Tries once more.
  private struct Repeating: ClientInterceptor {
    func intercept<Result: Sendable>(
      _ method: MethodDescriptor, _ options: CallOptions,
      _ next: (CallOptions) async throws(RPCError) -> Result
    ) async throws(RPCError) -> Result {
      do { return try await next(options) } catch { return try await next(options) }
    }
  }

  @Test func `stand around a call in their order, and change its options`() async throws {
    let base = Recorder()
    let transport = InterceptedTransport(base, [Stamping(name: "1"), Stamping(name: "2")])
    let reply = try await transport.unary(
      method, Echo(bytes: [4]), returning: Echo.self, options: CallOptions())
    #expect(reply.bytes == [4])
    #expect(base.seen == [["1 C", "2 C"]])
  }

  @Test func `stand around the opening of every kind of stream`() async throws {
    let base = Recorder()
    let transport = InterceptedTransport(base, [Stamping(name: "1")])
    let options = CallOptions()
    await #expect(throws: RPCError.self) {
      try await transport.serverStreaming(
        method, Echo(bytes: []), returning: Echo.self, options: options)
    }
    await #expect(throws: RPCError.self) {
      try await transport.clientStreaming(
        method, sending: Echo.self, returning: Echo.self, options: options)
    }
    await #expect(throws: RPCError.self) {
      try await transport.bidirectional(
        method, sending: Echo.self, returning: Echo.self, options: options)
    }
    #expect(base.seen == [["1 C"], ["1 C"], ["1 C"]])
  }

  @Test func `may refuse a call or make it again`() async throws {
    let base = Recorder()
    let refusing = InterceptedTransport(base, [Refusing()])
    let error = await #expect(throws: RPCError.self) {
      try await refusing.unary(
        method, Echo(bytes: []), returning: Echo.self, options: CallOptions())
    }
    #expect(error?.code == .resourceExhausted)
    #expect(base.seen.isEmpty)
    let repeating = InterceptedTransport(base, [Repeating()])
    await #expect(throws: RPCError.self) {
      try await repeating.serverStreaming(
        method, Echo(bytes: []), returning: Echo.self, options: CallOptions())
    }
    #expect(base.seen.count == 2)
  }
}

/// Answers unary calls with their request, refuses streams, and remembers the stamps of both.
private final class Recorder: ClientTransport {
  private let calls = Mutex<[[String]]>([])
  var seen: [[String]] { calls.withLock { $0 } }

  private func note(_ options: CallOptions) {
    calls.withLock { $0.append(options.metadata.map(\.1)) }
  }

  private static let noStreams = RPCError(.unimplemented, "no streams here")

  func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> Response {
    note(options)
    do throws(DecodeError) {
      return try Response.decode(request.encodedBytes())
    } catch {
      throw RPCError(fromHandler: error)
    }
  }

  func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response> {
    note(options)
    throw Self.noStreams
  }

  func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ClientStreamingCall<Request, Response> {
    note(options)
    throw Self.noStreams
  }

  func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> BidirectionalCall<Request, Response> {
    note(options)
    throw Self.noStreams
  }
}
