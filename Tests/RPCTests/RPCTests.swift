import RPC
import Testing
import Wire

private struct Foreign: Error {}

@Suite struct RPCTests {
  private let method = MethodDescriptor.test("a.B/C", callers: .anybody)

  @Test func `a message goes through an array unchanged, also an empty one`() throws {
    for bytes in [[], [1], [UInt8](repeating: 7, count: 1000)] as [[UInt8]] {
      let encoded = Echo(bytes: bytes).encodedBytes()
      #expect(encoded == bytes)
      #expect(try Echo.decode(encoded) == Echo(bytes: bytes))
    }
    #expect(throws: DecodeError.self) {
      try Echo.decode([1, 2, 3], limits: DecodeLimits(memoryBudgetByteCount: 2))
    }
  }

  @Test func `a method knows its service and name`() {
    #expect(method.service == "a.B")
    #expect(method.name == "C")
  }

  @Test func `foreign errors become UNKNOWN with a fixed text and keep their cause`() {
    let error = RPCError(fromHandler: Foreign())
    #expect(error.code == .unknown)
    #expect(error.message == "internal error")
    #expect(error.cause is Foreign)
  }

  @Test func `an RPCError with status OK is a bug, not a success`() {
    #expect(RPCError(fromHandler: RPCError(.ok, "")).code == .unknown)
  }

  @Test func `cancellation and decoding have codes of their own`() {
    #expect(RPCError(fromHandler: CancellationError()).code == .cancelled)
    let decoding = RPCError(fromHandler: DecodeError(.tooDeep, field: "a.b"))
    #expect(decoding.code == .invalidArgument)
    #expect(decoding.message.contains("a.b"))
    #expect(RPCError(fromHandler: RPCError(.aborted, "x")).code == .aborted)
  }

  @Test func `a unary route decodes, runs and returns`() async throws {
    var router = Router()
    try router.unary(method) { (request: Echo, context: CallContext) in
      Echo(bytes: request.bytes + [UInt8(context.streamID)])
    }
    let route = try #require(router["a.B/C"])
    guard case .unary(let decode) = route.body else {
      Issue.record("not unary")
      return
    }
    let invocation = try [UInt8]([1, 2]).withUnsafeBytes { try decode($0, DecodeLimits()) }
    let reply = try await invocation(CallContext(method: method, streamID: 9))
    #expect((reply as? Echo)?.bytes == [1, 2, 9])
    #expect(router["a.B/D"] == nil)
  }

  @Test func `a context tells the time that is left and demands a principal`() {
    let now = Moment.now
    let context = CallContext(method: method, deadline: now + .seconds(2))
    #expect(context.timeLeft(now: now) == .seconds(2))
    #expect(context.timeLeft(now: now + .seconds(3)) == .zero)
    #expect(CallContext(method: method).timeLeft(now: now) == nil)
    let error = #expect(throws: RPCError.self) { try context.requirePrincipal() }
    #expect(error?.code == .unauthenticated)
    context.addTrailer("a", "b")
    #expect(context.said?.trailers.map(\.0) == ["a"])
  }
}
