import HitoClient
import Testing

@Suite("A client of several addresses", .timeLimit(.minutes(2)))
struct SeveralAddressesTests {
  /// Nothing listens there.
  private static let dead = "127.0.0.1:1"

  private func client(_ server: RestartableServer, _ addresses: String) throws -> HitoClient {
    try HitoClient.make(
      address: addresses, tls: .authority(file: "\(server.folder)/ca.pem"),
      token: server.token.text)
  }

  @Test("uses the first that answers, and begins with it the next time")
  func failover() async throws {
    let server = try await RestartableServer()
    try await server.start()
    let client = try client(server, "\(Self.dead),\(server.address)")
    #expect(try await client.goals.listGoals(ListGoalsRequest()).goals.isEmpty)
    await server.stop()
    try await server.start()
    #expect(try await client.goals.listGoals(ListGoalsRequest()).goals.isEmpty)
    client.close()
    await server.stop()
  }

  @Test("names them all when none answers")
  func allDead() async throws {
    let server = try await RestartableServer()
    let client = try client(server, "\(Self.dead),127.0.0.1:2")
    let error = await #expect(throws: RPCError.self) {
      try await client.goals.listGoals(
        ListGoalsRequest(), options: CallOptions(timeout: .seconds(30)))
    }
    #expect(error?.code == .unavailable && error?.isNotStarted == true)
    #expect(error?.message.contains("127.0.0.1:1, 127.0.0.1:2") == true)
    client.close()
  }

  @Test("waits for a server that comes later where the call says so, and no longer than its time")
  func waitForReady() async throws {
    let server = try await RestartableServer()
    try await server.start()
    await server.stop()
    let client = try client(server, server.address)
    var options = CallOptions(timeout: .seconds(60))
    options.waitsForReady = true
    let call = _Concurrency.Task { [options] in
      try await client.goals.listGoals(ListGoalsRequest(), options: options)
    }
    try await _Concurrency.Task.sleep(for: .seconds(2))
    try await server.start()
    #expect(try await call.value.goals.isEmpty)
    await server.stop()
    var brief = CallOptions(timeout: .milliseconds(300))
    brief.waitsForReady = true
    let hurried = brief
    let error = await #expect(throws: RPCError.self) {
      try await client.goals.listGoals(ListGoalsRequest(), options: hurried)
    }
    #expect(error?.isNotStarted == true)
    client.close()
  }

  @Test("sends the token of the call instead of its own, and hands out the trailers")
  func callOptions() async throws {
    let server = try await RestartableServer()
    try await server.start()
    let client = try client(server, server.address)
    let refused = await #expect(throws: RPCError.self) {
      try await client.goals.listGoals(
        ListGoalsRequest(), options: CallOptions(token: "hito_wrong"))
    }
    #expect(refused?.code == .unauthenticated)
    await confirmation { confirm in
      var options = CallOptions()
      options.onTrailers = { trailers in
        #expect(trailers.isEmpty)
        confirm()
      }
      _ = try? await client.goals.listGoals(ListGoalsRequest(), options: options)
    }
    client.close()
    await server.stop()
  }
}

@Suite("A list of addresses")
struct HitoAddressListTests {
  @Test("is read, and refused as a whole when one is none")
  func lists() {
    #expect(HitoAddress.list("a,[::1]:2,c:3")?.map(\.description) == ["a:7443", "[::1]:2", "c:3"])
    for text in ["", "a,", ",a", "a,,b", "a, b", "a:0,b"] {
      #expect(HitoAddress.list(text) == nil, "\(text)")
    }
  }
}
