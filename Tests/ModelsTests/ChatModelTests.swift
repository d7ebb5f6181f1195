import Domain
import JSON
import Models
import Synchronization
import Testing

/// The chat model against a server that does as it is told.
@Suite struct ChatModelTests {
  private func model(
    _ url: String, limits: ChatLimits = ChatLimits(), dialect: ChatDialect = ChatDialect(),
    _ change: (inout ProviderEndpoint) -> Void = { _ in }
  ) throws -> OpenAIChatModel {
    try OpenAIChatModel(
      .quick(url, change), dialect: dialect, limits: limits, time: ManualTime(), logger: silent)
  }

  @Test func `Prose comes piece by piece, with the provider's counts and the model's name`()
    async throws
  {
    try await withScriptedServer {
      try await $0.stream(["Hola", ", ", "qué tal 👋"])
    } _: { url in
      let listener = Listener()
      let reply = try await listener.ask(model(url), .prose())
      #expect(listener.pieces == ["Hola", ", ", "qué tal 👋"])
      #expect(
        reply
          == ModelReply(
            text: "Hola, qué tal 👋", promptTokenCount: 11, replyTokenCount: 7, model: "scripted-1"))
    }
  }

  @Test func `The request says everything, and the key goes in its header`() async throws {
    let seen = Mutex<(head: String, body: JSONValue)?>(nil)
    try await withScriptedServer { exchange in
      seen.withLock { $0 = (exchange.head, exchange.body) }
      try await exchange.stream(["{\"title\":\"x\"}"])
    } _: { url in
      var request = ModelRequest.title("\"quoted\" \u{1} ñ")
      request.seed = 5
      let reply = try await Listener().ask(model(url), request)
      #expect(reply.value?["title"] == .string("x"))
    }
    let (head, body) = try #require(seen.withLock { $0 })
    #expect(head.hasPrefix("post /v1/chat/completions http/1.1"))
    #expect(head.contains("authorization: bearer secret-key"))
    #expect(body["model"] == .string("some-model"))
    #expect(body["stream"] == .bool(true))
    #expect(body["stream_options"]?["include_usage"] == .bool(true))
    #expect(body["max_tokens"] == .integer(80))
    #expect(body["seed"] == .integer(5))
    #expect(body["temperature"] == .number(0.2))
    #expect(
      body["messages"]
        == .array([
          .object([("role", .string("user")), ("content", .string("\"quoted\" \u{1} ñ"))])
        ]))
    let format = body["response_format"]
    #expect(format?["type"] == .string("json_schema"))
    #expect(format?["json_schema"]?["strict"] == .bool(true))
    #expect(format?["json_schema"]?["schema"] == ModelRequest.titleSchema)
  }

  @Test func `The dialect of newer models has another limit and no sampling`() async throws {
    let seen = Mutex(JSONValue.null)
    try await withScriptedServer { exchange in
      seen.withLock { $0 = exchange.body }
      try await exchange.stream(["a"])
    } _: { url in
      let dialect = ChatDialect(usesCompletionTokenLimit: true, takesSampling: false)
      _ = try await Listener().ask(model(url, dialect: dialect), .prose())
    }
    let body = seen.withLock { $0 }
    #expect(body["max_completion_tokens"] == .integer(40))
    #expect(body["max_tokens"] == nil && body["seed"] == nil && body["temperature"] == nil)
  }

  @Test func `A provider that does not stream answers in one piece`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.answer(
        200, #"{"choices":[{"message":{"content":"Entero"},"finish_reason":"stop"}]}"#)
    } _: { url in
      let listener = Listener()
      let reply = try await listener.ask(model(url), .prose())
      #expect(listener.pieces == ["Entero"])
      // Estimated: this one does not count.
      #expect(reply.promptTokenCount > 0 && reply.replyTokenCount > 0)
      #expect(reply.model == "some-model")
    }
  }

  @Test func `A stream that is cut is asked for again, and what was handed on is void`()
    async throws
  {
    try await withScriptedServer { exchange in
      try await exchange.stream(
        exchange.number == 1 ? ["Ho"] : ["Hola"], finish: exchange.number == 1 ? nil : "stop")
    } _: { url in
      let listener = Listener()
      let text = try await listener.ask(model(url), .prose()).text
      #expect(text == "Hola")
      #expect(listener.pieces == ["Hola"])
      #expect(listener.restartCount == 1)
    }
  }

  @Test func `A connection that breaks after the reason to finish has lost nothing`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      try await exchange.send(Chunk.piece("Todo") + Chunk.finish("stop"))
    } _: { url in
      let listener = Listener()
      let text = try await listener.ask(model(url), .prose()).text
      #expect(text == "Todo")
      #expect(listener.restartCount == 0)
    }
  }

  @Test func `Events that come in single bytes are the same`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      let text = Chunk.piece("añ") + Chunk.piece("o") + Chunk.finish("stop") + Chunk.done
      for character in text.unicodeScalars { try await exchange.send(String(character)) }
    } _: { url in
      let text = try await Listener().ask(model(url), .prose()).text
      #expect(text == "año")
    }
  }

  @Test(arguments: ["not JSON", "{\"title\":7}", "{\"other\":\"x\"}", "{\"title\":\"x\"", "[]"])
  func `A reply of another schema is asked for once more, with another seed`(wrong: String)
    async throws
  {
    let seeds = Mutex<[JSONValue?]>([])
    try await withScriptedServer { exchange in
      seeds.withLock { $0.append(exchange.body["seed"]) }
      try await exchange.stream([exchange.number == 1 ? wrong : "{\"title\":\"ok\"}"])
    } _: { url in
      let listener = Listener()
      let reply = try await listener.ask(model(url), .title())
      #expect(reply.value == .object([("title", .string("ok"))]))
      #expect(listener.restartCount == 1)
      // Both are paid.
      #expect(reply.promptTokenCount == 22 && reply.replyTokenCount == 14)
    }
    #expect(seeds.withLock { $0 } == [.integer(1), .integer(2)])
  }

  @Test func `A reply that stays wrong is invalid, and not asked for a third time`() async throws {
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      try await exchange.stream(["{\"title\":7}"])
    } _: { url in
      await #expect(
        throws: LanguageModelError.replyInvalid("the reply.title is not of the type string")
      ) {
        try await Listener().ask(model(url), .title())
      }
    }
    #expect(count.withLock { $0 } == 2)
  }

  @Test func `A reply that reached its limit holds no schema`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.stream(["{\"title\":\"ok\"}"], finish: "length")
    } _: { url in
      await #expect(throws: LanguageModelError.replyCut) {
        try await Listener().ask(model(url), .title())
      }
    }
  }

  @Test func `Lines and replies without an end are not read on`() async throws {
    let sawEnd = Mutex(0)
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      let piece = exchange.number == 1 ? "data: " : Chunk.piece("abc")
      defer { sawEnd.withLock { $0 += 1 } }
      try await exchange.flood(piece)
    } _: { url in
      let limits = ChatLimits(replyByteCountMax: 1000, lineByteCountMax: 1000)
      for _ in 0..<2 {
        await #expect(throws: LanguageModelError.unavailable(ProviderFailure.tooLarge.text)) {
          try await Listener().ask(model(url, limits: limits), .prose())
        }
      }
    }
    #expect(sawEnd.withLock { $0 } == 2)
  }

  @Test func `Comments without an end are not read on either`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.beginStream()
      try await exchange.flood(": still here\n\n")
    } _: { url in
      await #expect(throws: LanguageModelError.unavailable(ProviderFailure.tooLarge.text)) {
        try await Listener().ask(
          model(url, limits: ChatLimits(answerByteCountMax: 10_000)), .prose())
      }
    }
  }

  @Test func `A prompt that is longer than is sent is refused without asking`() async throws {
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      try await exchange.stream(["a"])
    } _: { url in
      let model = try model(url, limits: ChatLimits(promptByteCountMax: 100))
      await #expect(throws: LanguageModelError.promptTooLong) {
        try await Listener().ask(model, .prose(String(repeating: "a", count: 100)))
      }
      var request = ModelRequest.prose()
      request.schema = .object([("pattern", .string("a"))])
      await #expect(throws: LanguageModelError.refused(ProviderFailure.Refusal.schema.rawValue)) {
        try await Listener().ask(model, request)
      }
    }
    #expect(count.withLock { $0 } == 0)
  }
}
