import RPC
import Testing
import Wire

@testable import Transport

/// Clients that take nothing of what they asked for.
@Suite(.timeLimit(.minutes(2)))
struct StallTests {
  private static let stalled = RPCError.stalled(for: .seconds(1)).details

  private func with(
    streamCredit: Int, connectionCredit: Int = 1 << 20,
    _ body: (TestServer, RawClient) async throws -> Void
  ) async throws {
    try await TestServer.with(configured { $0.streamStallMax = .milliseconds(100) }) { server in
      var limits = ReceiveLimits()
      limits.streamCredit = streamCredit
      limits.connectionCredit = connectionCredit
      let client = try await RawClient.ready(server, limits: limits)
      try await body(server, client)
      client.close()
    }
  }

  private func expectStalled(_ end: RawFrame?, resumeCursor: String?) {
    #expect(end?.kind == .end && end?.trailer?.status == .unavailable)
    #expect(end?.trailer?.details == Self.stalled)
    #expect(end?.trailer?.resumeCursor == resumeCursor)
  }

  @Test func `W9.9 a stream without credit ends after the last message that was sent`()
    async throws
  {
    try await with(streamCredit: 11) { server, client in
      client.call(Methods.count, stream: 1, "3 10")
      #expect(await client.nextAnswer()?.payload.count == 11)
      expectStalled(await client.nextAnswer(), resumeCursor: "0")
      #expect(server.witness.count("wrote") == 1)
      // The connection continues.
      client.call(Methods.echo, stream: 3, "x")
      #expect(await client.nextAnswer()?.trailer?.status == .ok)
    }
  }

  @Test func `W9.9 a stream whose message is half sent ends before it`() async throws {
    try await with(streamCredit: 15) { _, client in
      client.call(Methods.count, stream: 1, "3 10")
      #expect(await client.nextAnswer()?.payload.count == 11)
      // A part of the next one may have gone out.
      var answer = await client.nextAnswer()
      while answer?.kind == .message { answer = await client.nextAnswer() }
      expectStalled(answer, resumeCursor: "0")
    }
  }

  @Test func `W9.9 every stream of a connection without credit ends`() async throws {
    try await with(streamCredit: 1 << 20, connectionCredit: 0) { _, client in
      for stream in [1, 3, 5] as [UInt32] { client.call(Methods.watch, stream: stream) }
      var streams: Set<UInt32> = []
      for _ in 0..<3 {
        let end = await client.nextAnswer()
        expectStalled(end, resumeCursor: nil)
        streams.insert(end?.stream ?? 0)
      }
      #expect(streams == [1, 3, 5])
    }
  }

  @Test func `W9.9 a reply without credit ends as well`() async throws {
    try await with(streamCredit: 0) { server, client in
      client.call(Methods.echo, stream: 1, "never sent")
      expectStalled(await client.nextAnswer(), resumeCursor: nil)
      client.call(Methods.sum, stream: 3, "x")
      expectStalled(await client.nextAnswer(), resumeCursor: nil)
      let connection = try #require(server.server.core.registry.all.first)
      #expect(try await connection.loop.submit { connection.calls.isEmpty }.get())
    }
  }

  @Test func `W9.9 a stream that waits for its handler is not stalled`() async throws {
    try await with(streamCredit: 1 << 20) { _, client in
      client.call(Methods.watch, stream: 1)
      #expect(await client.nextAnswer()?.kind == .message)
      // Three times as long as a stalled one may last.
      for stream in [3, 5, 7] as [UInt32] {
        client.call(Methods.hang, stream: stream, timeoutMicroseconds: 100_000)
        let end = await client.nextAnswer()
        #expect(end?.stream == stream && end?.trailer?.status == .deadlineExceeded)
      }
    }
  }
}
