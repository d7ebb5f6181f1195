import NIOCore
import RPC
import Testing
import Wire

@testable import Transport

/// What was said is not lost by closing.
@Suite(.timeLimit(.minutes(5)))
struct LastWordsTests {
  @Test func `W11.8 a client that reads a megabyte per second gets every reply`() async throws {
    try await TestServer.with { server in
      // 4 MB, more than the sockets' buffers hold, and credit for all of it.
      let count = 100
      let limits = ReceiveLimits(streamCredit: 1 << 20, connectionCredit: 100 << 20)
      let client = try await RawClient.ready(server, limits: limits, step: 10_000)
      try await client.channel.setOption(.autoRead, value: false).get()
      for index in 0..<count {
        client.call(
          Methods.count, stream: UInt32(2 * index + 1), "4 10000", timeoutMicroseconds: 60_000_000)
      }
      async let drained: Void = server.server.drain(grace: .seconds(20))
      let reader = Task {
        while !Task.isCancelled {
          client.channel.read()
          // What a client grants when it has read, and what would be answered with a reset if the
          // server had closed already.
          client.send(.credit, stream: 0, [0, 0, 0, 1])
          try await Task.sleep(for: .milliseconds(10))
        }
      }
      var endedCount = 0
      while let frame = await client.nextAnswer() {
        if frame.kind == .end, frame.trailer?.status == .ok { endedCount += 1 }
      }
      #expect(endedCount == count)
      reader.cancel()
      await drained
    }
  }

  @Test func `W11.8 a client that reads nothing is given up`() async throws {
    try await TestServer.with { server in
      let limits = ReceiveLimits(streamCredit: 1 << 20, connectionCredit: 100 << 20)
      let client = try await RawClient.ready(server, limits: limits, step: 10_000)
      try await client.channel.setOption(.autoRead, value: false).get()
      for index in 0..<100 {
        client.call(
          Methods.count, stream: UInt32(2 * index + 1), "4 10000", timeoutMicroseconds: 60_000_000)
      }
      // Ends because the server gives up: the client never does.
      await server.server.drain(grace: .milliseconds(100))
      #expect(server.server.core.registry.all.isEmpty)
      client.close()
    }
  }
}
