import Synchronization
import Testing

@testable import RPC

@Suite struct `A call on behalf of another one` {
  private let now = ContinuousClock.now
  private let unary = MethodDescriptor.test("a.B/C")
  private let stream = MethodDescriptor.test("a.B/D", kind: .serverStreaming)

  private func options(
    _ options: CallOptions, _ method: MethodDescriptor, left: Duration?
  ) throws(RPCError) -> CallOptions {
    let scope = CallScope(deadline: left.map { now + $0 }, traceparent: "00-outer")
    return try options.within(scope, method, now: now)
  }

  @Test func `ends with it at the latest`() throws {
    #expect(try options(CallOptions(), unary, left: .seconds(7)).timeout == .seconds(7))
    #expect(try options(CallOptions(), stream, left: .seconds(7)).timeout == .seconds(7))
    let short = CallOptions(timeout: .seconds(2))
    #expect(try options(short, unary, left: .seconds(7)).timeout == .seconds(2))
    // The default is not stretched, and there may be no limit.
    #expect(try options(CallOptions(), unary, left: .seconds(90)).timeout == .seconds(30))
    #expect(try options(CallOptions(), stream, left: nil).timeout == nil)
  }

  @Test func `is not begun when its time is up`() throws {
    let error = try #require(throws: RPCError.self) {
      try options(CallOptions(), unary, left: .zero)
    }
    #expect(error.code == .deadlineExceeded && error.isNotStarted)
  }

  @Test func `is part of its trace, unless it says otherwise`() throws {
    #expect(try options(CallOptions(), unary, left: nil).traceparent == "00-outer")
    let own = CallOptions(traceparent: "00-own")
    #expect(try options(own, unary, left: nil).traceparent == "00-own")
  }

  @Test func `may write until it is told that nothing was written`() {
    let first = CallContext(method: unary)
    #expect(first.beginWrite())
    #expect(first.beginWrite())
    #expect(first.endWrites())
    let second = CallContext(method: unary)
    #expect(!second.endWrites())
    #expect(!second.beginWrite())
    #expect(!second.endWrites())
  }
}
