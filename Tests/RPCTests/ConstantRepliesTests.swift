import Synchronization
import Testing

@testable import RPC

@Suite struct ConstantRepliesTests {
  @Test func `a constant reply is made once, and its bytes are shared`() async throws {
    let (constant, other) = (MethodDescriptor.test("a.B/C"), MethodDescriptor.test("a.B/D"))
    let runCount = Mutex(0)
    var router = Router(inner: [ConstantReplies(of: [constant])])
    for method in [constant, other] {
      try router.unary(method) { (_: Echo, _) -> Echo in
        Echo(bytes: [
          UInt8(
            runCount.withLock {
              $0 += 1
              return $0
            })
        ])
      }
    }
    func reply(_ method: MethodDescriptor) async throws -> any WireMessage {
      guard case .unary(let decode)? = router[method.path]?.body else { throw CancellationError() }
      let invocation = try [UInt8]().withUnsafeBytes { try decode($0, DecodeLimits()) }
      return try await invocation(CallContext(method: method, principal: .test(.learner)))
    }
    let first = try await reply(constant)
    #expect(first.encodedBytes() == [1])
    #expect(first.sharedBytes == [1])
    #expect(try await reply(other).sharedBytes == nil)
    #expect(try await reply(constant).encodedBytes() == [1])
    #expect(runCount.withLock { $0 } == 2)
  }
}
