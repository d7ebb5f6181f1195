import RPC
import Testing

@testable import Transport

/// What readers have consumed goes back to the connection's credit, however little each of them consumed.
@Suite struct `The credit of a connection` {
  @Test(.timeLimit(.minutes(1)))
  func `is not used up by many streams that are read a little`() async throws {
    try await TestServer.with { test in
      let client = try test.client()
      defer { client.close() }
      // 24 open streams with replies of 50 kB each, all of them read: more than the connection's 1 MiB, and
      // of each less than a quarter of a stream's credit.
      var calls: [(BidirectionalCall<Blob, Blob>, ResponseStream<Blob>.Iterator)] = []
      for _ in 0..<24 {
        let call = try await client.bidirectional(
          Methods.chat, sending: Blob.self, returning: Blob.self, options: CallOptions())
        calls.append((call, call.responses.makeAsyncIterator()))
      }
      let message = Blob([UInt8](repeating: UInt8(ascii: "m"), count: 1000))
      for _ in 0..<50 {
        for index in calls.indices {
          try await calls[index].0.write(message)
          #expect(try await calls[index].1.next()?.bytes.count == 1004)
        }
      }
    }
  }
}
