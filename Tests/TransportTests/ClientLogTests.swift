import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// What a client tells of itself (BEHAVIOUR.md, C5.9).
@Suite(.timeLimit(.minutes(5)))
struct ClientLogTests {
  private final class Records: Sendable {
    private let all = Mutex<[ClientLogRecord]>([])
    let witness = Witness()

    var function: ClientLogFunction {
      { record in
        self.all.withLock { $0.append(record) }
        self.witness.note(record.event.rawValue)
      }
    }

    var list: [ClientLogRecord] { all.withLock { $0 } }

    func fields(_ event: ClientLogRecord.Event) -> [[String: String]] {
      list.filter { $0.event == event }.map { $0.fields.mapValues(\.description) }
    }
  }

  @Test func `C5.9 a call and its connection are told, from the first attempt to the end`()
    async throws
  {
    let callCount = Mutex(0)
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      let number = callCount.withLock { count in
        count += 1
        return count
      }
      if number == 1 { return ScriptedServer.end(frame.stream, .unavailable, message: "a\nb") }
      if number == 2 { return ScriptedServer.end(frame.stream, .unauthenticated) }
      return ScriptedServer.message(frame.stream, "x") + ScriptedServer.end(frame.stream)
    }
    let records = Records()
    let secrets = Mutex(["secret-1", "secret-2"])
    let client = try server.client {
      $0.log = records.function
      $0.tokenProvider = { ClientToken(secrets.withLock { $0.removeFirst() }) }
    }
    #expect(try await client.echo("message") == "x")
    client.close()
    await records.witness.wait(for: "disconnected")
    #expect(
      records.list.map(\.event) == [
        .callStarted, .tokenRefreshed, .connecting, .connected, .callRepeated, .callRepeated,
        .tokenRefreshed, .callEnded, .disconnected,
      ])
    #expect(
      records.list.map(\.level) == [
        .debug, .info, .debug, .info, .info, .info, .info, .debug, .info,
      ])
    let repeats = records.fields(.callRepeated)
    #expect(repeats.map { $0["status"] } == ["UNAVAILABLE", "UNAUTHENTICATED"])
    #expect(repeats.map { $0["attempt"] } == ["2", "3"])
    #expect(repeats.last?["delay_ms"] == "0")
    let end = records.fields(.callEnded).first
    #expect(end?["status"] == "OK" && end?["attempts"] == "3" && end?["call"] == "1")
    #expect(end?["method"] == Methods.echo.path)
    #expect(records.fields(.tokenRefreshed).first == ["valid_ms": "-1"])
    #expect(records.fields(.connected).first?["address"] == "127.0.0.1:\(server.port)")
    for record in records.list {
      let all = "\(record.text) \(record.fields)"
      #expect(!all.contains("secret") && !all.contains("message"))
      #expect(!record.text.contains("\n"))
    }
  }

  @Test func `C5.9 a server that is not there, and a provider that fails, are warnings`()
    async throws
  {
    let server = try await ScriptedServer { _, _ in [] }
    let records = Records()
    let client = try server.client {
      $0.port = 1
      $0.log = records.function
    }
    defer { client.close() }
    await #expect(throws: RPCError.self) { try await client.echo("x") }
    let failing = try server.client {
      $0.log = records.function
      $0.tokenProvider = { throw RPCError(.internal, "secret") }
    }
    defer { failing.close() }
    await #expect(throws: RPCError.self) { try await failing.echo("x") }
    let warnings = records.list.filter { $0.level == .warning }
    #expect(warnings.map(\.event) == [.connectFailed, .tokenFailed])
    #expect(!warnings.contains { "\($0)".contains("secret") })
    #expect(records.fields(.tokenFailed).first?["rest_ms"] != nil)
    let ends = records.fields(.callEnded).map { $0["status"] }
    #expect(ends == ["UNAVAILABLE", "UNAUTHENTICATED"])
  }

  @Test func `C5.9 a stream that is left has ended`() async throws {
    let server = try await ScriptedServer { _, frame in
      frame.kind == .call ? ScriptedServer.message(frame.stream, "one") : []
    }
    let records = Records()
    let client = try server.client { $0.log = records.function }
    defer { client.close() }
    do {
      var responses = try await client.serverStreaming(
        Methods.watch, Blob(""), returning: Blob.self, options: CallOptions()
      ).makeAsyncIterator()
      #expect(try await responses.next()?.text == "one")
      #expect(records.fields(.callEnded).isEmpty)
    }
    await records.witness.wait(for: "call_ended")
    let end = records.list.first { $0.event == .callEnded }
    #expect(end?.level == .debug)
    #expect(end?.fields["status"] == .text("CANCELLED"))
  }

  @Test func `C5.9 text of others is short and plain`() async throws {
    let server = try await ScriptedServer { _, frame in
      guard frame.kind == .call else { return [] }
      let text = "\u{1B}[31m\u{202E}" + String(repeating: "ñ", count: 400)
      return ScriptedServer.end(frame.stream, .notFound, message: text)
    }
    let records = Records()
    let client = try server.client { $0.log = records.function }
    defer { client.close() }
    await #expect(throws: RPCError.self) { try await client.echo("x") }
    let end = try #require(records.list.first { $0.event == .callEnded })
    #expect(end.level == .info)
    #expect(end.text.unicodeScalars.count == 256)
    #expect(!end.text.contains("\u{1B}") && !end.text.unicodeScalars.contains("\u{202E}"))
  }
}
