import Domain
import Models
import Synchronization
import Testing

/// What the chat model does when its provider fails, hangs or goes away.
@Suite struct ChatFaultTests {
  private func model(
    _ url: String, time: ManualTime = ManualTime(),
    _ change: (inout ProviderEndpoint) -> Void = { _ in }
  ) throws -> OpenAIChatModel {
    try OpenAIChatModel(.quick(url, change), time: time, logger: silent)
  }

  /// Asks a server whose first answers are these, and which then replies "ok".
  private func ask(
    after answers: [(status: Int, body: String, headers: [String])],
    time: ManualTime = ManualTime()
  ) async throws -> (text: String, requestCount: Int) {
    let count = Mutex(0)
    let text = try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      guard exchange.number <= answers.count else { return try await exchange.stream(["ok"]) }
      let answer = answers[exchange.number - 1]
      try await exchange.answer(answer.status, answer.body, headers: answer.headers)
    } _: { url in
      try await Listener().ask(model(url, time: time), .prose()).text
    }
    return (text, count.withLock { $0 })
  }

  @Test(arguments: [500, 502, 503, 504])
  func `Failures of the server are repeated`(status: Int) async throws {
    let outcome = try await ask(after: [(status, "oops", []), (status, "{}", [])])
    #expect(outcome == ("ok", 3))
  }

  @Test func `Failures that stay make the model unavailable, in a text of ours`() async throws {
    let down = (500, #"{"error":{"message":"stack trace of the provider"}}"#, [String]())
    await #expect(
      throws: LanguageModelError.unavailable("the model's provider failed (status 500)")
    ) {
      _ = try await ask(after: [down, down, down])
    }
  }

  @Test func `A wish to wait is granted, as seconds and as a date`() async throws {
    let busy = (429, "{}", ["retry-after: 0"])
    #expect(try await ask(after: [busy, busy]) == ("ok", 3))
    // The clock stands at 2023-11-14T22:13:20Z.
    let dated = (503, "{}", ["retry-after: Tue, 14 Nov 2023 22:13:20 GMT"])
    #expect(try await ask(after: [dated]) == ("ok", 2))
  }

  @Test func `A wish to wait for long is told to the caller`() async throws {
    await #expect(throws: LanguageModelError.rateLimited(retryAfter: .seconds(60))) {
      _ = try await ask(after: [(429, "{}", ["Retry-After: 60"])])
    }
    let busy = (429, "{}", [String]())
    await #expect(throws: LanguageModelError.rateLimited(retryAfter: nil)) {
      _ = try await ask(after: [busy, busy, busy])
    }
  }

  @Test(arguments: [
    (401, "{}", LanguageModelError.refused("the provider refuses the key (status 401)")),
    (403, "", .refused("the provider refuses the key (status 403)")),
    (404, "{}", .refused("the provider knows neither this address nor this model (status 404)")),
    (400, "{}", .refused("the provider refuses the request (status 400)")),
    (302, "{}", .refused("the provider refuses the request (status 302)")),
    (400, #"{"error":{"code":400,"type":"exceed_context_size_error"}}"#, .promptTooLong),
    (400, #"{"error":{"code":"context_length_exceeded","message":"m"}}"#, .promptTooLong),
    (413, "<html>", .promptTooLong),
    (
      429, #"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
      .refused("the provider's account has used up its quota (status 429)")
    ),
    (
      400, #"{"error":{"code":"content_filter"}}"#,
      .refused("the provider's content filter refuses (status 400)")
    ),
  ])
  func `What a repeat does not heal is told at once`(
    status: Int, body: String, error: LanguageModelError
  ) async throws {
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      try await exchange.answer(status, body, headers: ["location: http://127.0.0.1:1/"])
    } _: { url in
      await #expect(throws: error) { try await Listener().ask(model(url), .prose()) }
    }
    #expect(count.withLock { $0 } == 1)
  }

  @Test(arguments: ["", "<html>It works!</html>", "{}", "[1]", #"{"choices":[]}"#])
  func `An answer that is not a completion is not taken for one`(body: String) async throws {
    try await withScriptedServer {
      try await $0.answer(200, body)
    } _: { url in
      await #expect(throws: LanguageModelError.self) {
        try await Listener().ask(model(url), .prose())
      }
    }
  }

  @Test func `An error inside of a stream counts as what it is`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      try await exchange.send(Chunk.piece("a"))
      try await exchange.send("data: {\"error\":{\"type\":\"exceed_context_size_error\"}}\n\n")
    } _: { url in
      await #expect(throws: LanguageModelError.promptTooLong) {
        try await Listener().ask(model(url), .prose())
      }
    }
  }

  @Test func `Nobody at the address is unavailable`() async throws {
    let port = try await withScriptedServer { _ in
    } _: {
      $0
    }
    await #expect(throws: LanguageModelError.unavailable(ProviderFailure.unreachable.text)) {
      try await Listener().ask(model(port), .prose())
    }
  }

  @Test func `A connection that closes without an answer is tried again`() async throws {
    try await withScriptedServer { exchange in
      if exchange.number > 1 { try await exchange.stream(["ok"]) }
    } _: { url in
      let text = try await Listener().ask(model(url), .prose()).text
      #expect(text == "ok")
    }
  }

  @Test func `An answer that does not begin is left, and the server sees it`() async throws {
    let left = Mutex(0)
    try await withScriptedServer { exchange in
      await exchange.waitForDisconnect()
      left.withLock { $0 += 1 }
    } _: { url in
      let model = try model(url) {
        // Longer than a busy machine takes until the request is there.
        $0.timeouts.firstByte = .seconds(2)
        $0.retries.attemptCountMax = 2
      }
      await #expect(throws: LanguageModelError.timedOut) {
        try await Listener().ask(model, .prose())
      }
    }
    #expect(left.withLock { $0 } == 2)
  }

  @Test func `A stream that stops coming is left and asked for again`() async throws {
    try await withScriptedServer { exchange in
      guard exchange.number == 1 else { return try await exchange.stream(["whole"]) }
      try await exchange.beginStream()
      try await exchange.send(Chunk.piece("half"))
      await exchange.waitForDisconnect()
    } _: { url in
      let listener = Listener()
      let model = try model(url) { $0.timeouts.idle = .milliseconds(100) }
      let text = try await listener.ask(model, .prose()).text
      #expect(text == "whole")
      #expect(listener.pieces == ["whole"] && listener.restartCount == 1)
    }
  }

  @Test func `The whole call has an end, however well it continues`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      while true {
        try await exchange.send(Chunk.piece("."))
        try await Task.sleep(for: .milliseconds(10))
      }
    } _: { url in
      let model = try model(url) { $0.timeouts.whole = .milliseconds(200) }
      await #expect(throws: LanguageModelError.timedOut) {
        try await Listener().ask(model, .prose())
      }
      // The deadline of the call that it is made for counts as well.
      let patient = try self.model(url)
      await CallDeadline.$current.withValue(.now + .milliseconds(50)) {
        await #expect(throws: LanguageModelError.timedOut) {
          try await Listener().ask(patient, .prose())
        }
      }
    }
  }

  @Test func `A slow reader is not a reason to leave`() async throws {
    try await withScriptedServer {
      try await $0.stream(["a", "b", "c"])
    } _: { url in
      let model = try model(url) { $0.timeouts.idle = .milliseconds(50) }
      let reply = try await model.reply(to: .prose(), restarted: {}) { _ in
        try await Task.sleep(for: .milliseconds(80))
      }
      #expect(reply.text == "abc")
    }
  }

  @Test func `Cancelling closes the connection at once, before and within the answer`()
    async throws
  {
    for answersFirst in [false, true] {
      let (arrived, left) = (Signal(), Signal())
      try await withScriptedServer { exchange in
        if answersFirst {
          try await exchange.beginStream()
          try await exchange.send(Chunk.piece("a"))
        } else {
          arrived.fire()
        }
        await exchange.waitForDisconnect()
        left.fire()
      } _: { url in
        let model = try model(url)
        let call = Task {
          try await model.reply(to: .prose(), restarted: {}) { _ in arrived.fire() }
        }
        await arrived.wait()
        call.cancel()
        await left.wait()
        await #expect(throws: LanguageModelError.cancelled) { try await call.value }
      }
    }
  }

  @Test func `A reader that throws ends the call, and the server sees it`() async throws {
    struct Enough: Error {}
    let left = Signal()
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      try await exchange.send(Chunk.piece("a"))
      await exchange.waitForDisconnect()
      left.fire()
    } _: { url in
      let model = try model(url)
      await #expect(throws: LanguageModelError.cancelled) {
        try await model.reply(to: .prose(), restarted: {}) { _ in throw Enough() }
      }
      await left.wait()
    }
  }

  @Test func `A provider that fails again and again is left alone`() async throws {
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      try await exchange.answer(500, "{}")
    } _: { url in
      let model = try model(url) {
        $0.retries.attemptCountMax = 1
        $0.breaker = CircuitBreakerPolicy(
          failureCountMax: 3, openFirst: .seconds(600), openMax: .seconds(600))
      }
      for _ in 0..<3 {
        await #expect(throws: LanguageModelError.self) {
          try await Listener().ask(model, .prose())
        }
      }
      await #expect(throws: LanguageModelError.unavailable(ProviderFailure.circuitOpen.text)) {
        try await Listener().ask(model, .prose())
      }
    }
    #expect(count.withLock { $0 } == 3)
  }

  @Test func `More calls than may wait are refused at once`() async throws {
    let (arrived, goOn) = (Signal(), Signal())
    try await withScriptedServer { exchange in
      arrived.fire()
      await goOn.wait()
      try await exchange.stream(["ok"])
    } _: { url in
      let model = try model(url) {
        $0.concurrentCallMax = 1
        $0.waitingCallMax = 0
      }
      async let first = Listener().ask(model, .prose())
      await arrived.wait()
      await #expect(throws: LanguageModelError.unavailable(ProviderFailure.overloaded.text)) {
        try await Listener().ask(model, .prose())
      }
      goOn.fire()
      let text = try await first.text
      #expect(text == "ok")
    }
  }
}
