import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// Copies of calls, and waits that end with their client (BEHAVIOUR.md, C2.4 and C6.3).
@Suite(.timeLimit(.minutes(5)))
struct HedgingTests {
  @Test func `C2.4 the place of a copy that was slower is free again`() async throws {
    let calls = Mutex<[UInt32]>([])
    let cancelled = Mutex<[UInt32]>([])
    // Answers each second call.
    let server = try await ScriptedServer { _, frame in
      if frame.kind == .cancel { cancelled.withLock { $0.append(frame.stream) } }
      guard frame.kind == .call else { return [] }
      let count = calls.withLock { calls in
        calls.append(frame.stream)
        return calls.count
      }
      guard count.isMultiple(of: 2) else { return [] }
      return ScriptedServer.message(frame.stream, "copy") + ScriptedServer.end(frame.stream)
    }
    let client = try server.client { $0.connectionCountMax = 1 }
    defer { client.close() }
    var options = CallOptions(timeout: .seconds(120))
    options.hedging = HedgingPolicy(delay: .milliseconds(1))
    // More than there are places.
    for _ in 0..<70 { #expect(try await client.echo("x", options) == "copy") }
    let first = calls.withLock { calls in
      calls.indices.filter { $0.isMultiple(of: 2) }.map { calls[$0] }
    }
    // The last may still be on its way.
    #expect(cancelled.withLock { $0 }.starts(with: first.dropLast()))
  }

  @Test func `C2.4 what is not to be hedged is refused`() async throws {
    let server = try await ScriptedServer { _, _ in [] }
    let client = try server.client()
    defer { client.close() }
    var asking = CallOptions()
    asking.hedging = HedgingPolicy(delay: .seconds(1))
    let options = asking
    let write = await #expect(throws: RPCError.self) {
      try await client.unary(Methods.write, Blob(""), returning: Blob.self, options: options)
    }
    #expect(write?.code == .invalidArgument)
    let stream = await #expect(throws: RPCError.self) {
      try await client.serverStreaming(
        Methods.watch, Blob(""), returning: Blob.self, options: options)
    }
    #expect(stream?.code == .invalidArgument)
    #expect(HedgingPolicy(delay: .zero, copyCountMax: 99).copyCountMax == 5)
    #expect(HedgingPolicy(delay: .zero).delay == .milliseconds(1))
  }

  @Test func `C6.3 closing a client ends the wait for the next attempt`() async throws {
    let witness = Witness()
    let server = try await ScriptedServer { _, frame in
      frame.kind == .call ? ScriptedServer.end(frame.stream, .unavailable) : []
    }
    let client = try server.client {
      $0.retryAdvice = { _ in
        witness.note("failed")
        return RetryAdvice(delay: .seconds(60))
      }
    }
    let call = Task { try await client.echo("x", CallOptions(timeout: .seconds(600))) }
    await witness.wait(for: "failed")
    client.close()
    let error = await #expect(throws: RPCError.self) { try await call.value }
    #expect(error?.code == .unavailable)
  }
}
