import RPC
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct StatisticsTests {
  private func method(
    _ descriptor: MethodDescriptor, of server: TestServer
  ) async -> MethodTotals? {
    await server.server.statistics().methods.first { $0.method.path == descriptor.path }
  }

  @Test func `calls are counted by method, status and time, with their bytes`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      for _ in 0..<20 { #expect(try await client.echo("12345") == "12345") }
      await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.fail, Blob("x"), returning: Blob.self, options: CallOptions())
      }
      let statistics = await server.server.statistics()
      let echo = try #require(statistics.methods.first { $0.method.path == Methods.echo.path })
      #expect(echo.endedByStatus[0] == 20 && echo.endedByStatus.reduce(0, +) == 20)
      #expect(echo.startedCount == 20 && echo.openCount == 0)
      #expect(echo.byteCountIn == 100 && echo.byteCountOut == 100)
      #expect(echo.latency.count == 20 && echo.latency.maximumMicroseconds < 60_000_000)
      let fail = try #require(statistics.methods.first { $0.method.path == Methods.fail.path })
      #expect(fail.endedByStatus[Int(StatusCode.failedPrecondition.rawValue)] == 1)
      #expect(statistics.connectionCount == 1 && statistics.acceptedConnectionCount == 1)
      #expect(statistics.byteCountIn > 200 && statistics.byteCountOut > 200)
      #expect(statistics.processorTime > .zero && statistics.residentByteCount > 1 << 20)
      #expect(statistics.memory.map(\.name) == ["callers", "strangers"])
      #expect(statistics.refusals.reduce(0, +) == 0)
    }
  }

  @Test func `a call under way is open, and one that its client gave up is cancelled`() async throws
  {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      let task = Task {
        try await client.unary(
          Methods.hang, Blob(""), returning: Blob.self, options: CallOptions())
      }
      await server.witness.wait(for: "hanging")
      #expect(await method(Methods.hang, of: server)?.openCount == 1)
      let seen = try #require(await server.server.snapshot().connections.first?.calls.first)
      #expect(seen.phase == .running && seen.kind == .unary)
      #expect(seen.timeLeft.map { $0 > .zero && $0 <= .seconds(30) } == true)
      task.cancel()
      await server.witness.wait(for: "cancelled")
      _ = await task.result
      let hang = try #require(await method(Methods.hang, of: server))
      #expect(hang.openCount == 0 && hang.endedByStatus[Int(StatusCode.cancelled.rawValue)] == 1)
    }
  }

  @Test func `names of methods that there are not are counted and not kept`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      for number in 0..<300 {
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(
            Methods.method("Nothing\(number)", .unary), Blob("x"), returning: Blob.self,
            options: CallOptions())
        }
        #expect(error?.code == .unimplemented)
      }
      let statistics = await server.server.statistics()
      #expect(statistics.methods.isEmpty)
      #expect(statistics.refusals[RefusalReason.unknownMethod.index] == 300)
    }
  }

  @Test func `refusals are counted by why`() async throws {
    try await TestServer.with { server in
      let nobody = try server.client(token: "wrong")
      defer { nobody.close() }
      await #expect(throws: RPCError.self) { try await nobody.echo("x") }
      let statistics = await server.server.statistics()
      #expect(statistics.refusals[RefusalReason.unauthenticated.index] == 1)
      let echo = try #require(statistics.methods.first { $0.method.path == Methods.echo.path })
      #expect(echo.endedByStatus[Int(StatusCode.unauthenticated.rawValue)] == 1)
    }
  }

  @Test func `slow unary calls are remembered with their trace, and fast ones are not`()
    async throws
  {
    try await TestServer.with(configured { $0.slowCallMin = .milliseconds(40) }) { server in
      let client = try server.client()
      defer { client.close() }
      let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      await #expect(throws: RPCError.self) {
        try await client.unary(
          Methods.hangBriefly, Blob(""), returning: Blob.self,
          options: CallOptions(traceparent: sent))
      }
      await server.witness.wait(for: "cancelled")
      let slow = await server.server.statistics().slowCalls
      let call = try #require(slow.first { $0.method == Methods.hangBriefly.path })
      // Whoever is first: the client's clock, or the server's.
      #expect([.deadlineExceeded, .cancelled].contains(call.status))
      #expect(call.duration >= .milliseconds(40))
      #expect(call.traceID == "0af7651916cd43dd8448eb211c80319c" && call.userID == "user-good")
    }
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      _ = try await client.echo("x")
      #expect(await server.server.statistics().slowCalls.allSatisfy { $0.duration >= .seconds(1) })
    }
  }

  @Test func `what there was stays to be read once the loops are gone`() async throws {
    var kept: TestServer?
    try await TestServer.with { server in
      let client = try server.client()
      defer { client.close() }
      _ = try await client.echo("x")
      kept = server
    }
    let server = try #require(kept)
    #expect(await method(Methods.echo, of: server)?.endedByStatus[0] == 1)
  }

  @Test func `a method's numbers take no memory before its first call`() {
    let statistics = LoopStatistics()
    let routes = (0..<200).map { Methods.method("M\($0)", .unary) }
    #expect(statistics.reading(routes).methods.isEmpty)
    statistics.started(150)
    statistics.finished(150, .ok, microseconds: 10)
    let reading = statistics.reading(routes)
    #expect(reading.methods.map(\.route) == [150])
    #expect(reading.methods.first?.statistics.latency.count == 1)
  }

  @Test func `the worst lag is forgotten little by little`() {
    let statistics = LoopStatistics()
    statistics.late(by: .milliseconds(100))
    statistics.late(by: .milliseconds(1))
    #expect(statistics.reading([]).loop.lag == .milliseconds(1))
    #expect(statistics.reading([]).loop.lagPeak == .milliseconds(90))
    for _ in 0..<60 { statistics.late(by: .milliseconds(1)) }
    #expect(statistics.reading([]).loop.lagPeak == .milliseconds(1))
  }
}

@Suite struct ScrapeHeadTests {
  private func step(_ text: String) -> ScrapeHead.Step {
    var head = ScrapeHead()
    return head.received(Array(text.utf8))
  }

  @Test func `GET /metrics is served, however it arrives`() {
    let text = "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"
    #expect(step(text) == .serve)
    #expect(step("GET /metrics?x=1 HTTP/1.0\r\n\r\n") == .serve)
    var head = ScrapeHead()
    let bytes = Array(text.utf8)
    for byte in bytes.dropLast() { #expect(head.received([byte]) == .readOn) }
    #expect(head.received([bytes[bytes.count - 1]]) == .serve)
  }

  @Test(
    arguments: [
      ("POST /metrics HTTP/1.1\r\n\r\n", 405), ("HEAD /metrics HTTP/1.1\r\n\r\n", 405),
      ("GET / HTTP/1.1\r\n\r\n", 404), ("GET /metrics/ HTTP/1.1\r\n\r\n", 404),
      ("GET /metrics HTTP/2.0\r\n\r\n", 505), ("GET /metrics\r\n\r\n", 400),
      ("\r\n\r\n", 400), ("GET  /metrics HTTP/1.1\r\n\r\n", 400),
      ("GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", 400),
      ("GET /metrics HTTP/1.1\r\na: \u{0}\r\n\r\n", 400),
      ("GET /metrics HTTP/1.1\na: b\r\n\r\n", 400),
      ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
    ])
  func `anything else is refused`(_ text: String, _ status: Int) {
    #expect(step(text) == .refuse(ScrapeHead.Refusal(rawValue: status) ?? .badRequest))
  }

  @Test func `a head that never ends is refused at 8 KiB`() {
    var head = ScrapeHead()
    var taken = 0
    while head.received([UInt8](repeating: 0x61, count: 1000)) == .readOn { taken += 1000 }
    #expect(taken == 8000)
    #expect(step(String(repeating: "a", count: 9000)) == .refuse(.headTooLarge))
  }
}
