import Domain
import Foundation
import JSON
import Models
import Synchronization
import Testing

/// Servers that answer otherwise than the one that everybody follows.
@Suite struct ChatDialectTests {
  static let reply = "{\"title\":\"ok\"}"

  private func model(
    _ url: String, habits: EndpointHabitBook = EndpointHabitBook(), logger: LogCapture? = nil
  ) throws -> OpenAIChatModel {
    try OpenAIChatModel(
      .quick(url), habits: habits, time: ManualTime(), logger: logger?.logger ?? silent)
  }

  /// What comes of a stream with these events, and how many requests it took.
  private func ask(
    _ events: [String], _ request: ModelRequest = .title()
  ) async throws -> (reply: ModelReply, requestCount: Int) {
    let count = Mutex(0)
    let reply = try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      try await exchange.beginStream()
      for event in events { try await exchange.send("data: \(event)\n\n") }
    } _: { url in
      try await Listener().ask(model(url), request)
    }
    return (reply, count.withLock { $0 })
  }

  static func chunk(_ content: JSONValue, _ more: String = "") -> String {
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\(content.text)}\(more)}]}"
  }

  @Test(arguments: [
    "stop", "eos_token", "eos", "STOP", "end_turn", "stop_sequence", "COMPLETE",
    "FINISH_REASON_STOP", "end",
  ]) func `An end has many names`(reason: String) async throws {
    let events = [
      Self.chunk(.string(Self.reply)),
      "{\"choices\":[{\"delta\":{},\"finish_reason\":\"\(reason)\"}]}",
    ]
    let asked = try await ask(events)
    #expect(asked.reply.text == Self.reply && asked.requestCount == 1)
  }

  @Test(arguments: ["max_tokens", "MAX_TOKENS", "model_length"])
  func `So has a limit that was reached`(reason: String) async throws {
    let event = Self.chunk(.string(Self.reply), ",\"finish_reason\":\"\(reason)\"")
    await #expect(throws: LanguageModelError.replyCut) { try await ask([event]) }
  }

  static let understood: [[String]] = [
    // No reason before the end, and no end at all where the schema shows that nothing is missing.
    [chunk(.string(reply)), "[DONE]"], [chunk(.string(reply)), " [DONE] "], [chunk(.string(reply))],
    [chunk(.string(reply), ",\"finish_reason\":\"null\""), "[DONE]"],
    // Signs of life, and chunks of nothing.
    [
      "", "ping", "{\"type\":\"ping\"}", "{\"choices\":null}", "{}", chunk(.string("{\"title\":")),
      "", "{\"choices\":null,\"usage\":null}", chunk(.null), chunk(.string("\"ok\"}")), "[DONE]",
    ],
    // The content in parts.
    [
      chunk(
        .array([
          .object([("type", .string("thinking")), ("thinking", .string("hm"))]),
          .object([("type", .string("text")), ("text", .string("{\"title\":"))]),
          .object([("type", .string("output_text")), ("text", .string("\"ok\""))]),
          .string("}"),
        ])), "[DONE]",
    ],
    [chunk(.object([("type", .string("text")), ("text", .string(reply))])), "[DONE]"],
    // Usage as its server counts, or as nobody does.
    [chunk(.string(reply)), "{\"choices\":[],\"usage\":{\"prompt_tokens\":11.0}}", "[DONE]"],
    [chunk(.string(reply)), "{\"choices\":[],\"usage\":{\"prompt_tokens\":\"11\"}}", "[DONE]"],
    [chunk(.string(reply)), "{\"choices\":[],\"usage\":{\"prompt_tokens\":[]}}", "[DONE]"],
    [chunk(.string(reply)), "{\"choices\":[],\"usage\":7}", "[DONE]"],
    // The message again, behind its pieces.
    [
      chunk(.string(reply)),
      "{\"choices\":[{\"message\":{\"content\":\"{}\"},\"finish_reason\":\"stop\"}]}", "[DONE]",
    ],
    ["{\"choices\":[{\"text\":\"{\\\"title\\\":\\\"ok\\\"}\",\"index\":0.0}]}", "[DONE]"],
  ]

  @Test(arguments: ChatDialectTests.understood)
  func `What can be understood is`(events: [String]) async throws {
    let asked = try await ask(events)
    #expect(asked.reply.value == .object([("title", .string("ok"))]) && asked.requestCount == 1)
  }

  @Test(arguments: [
    "```json\n{\"title\":\"ok\"}\n```",
    "<think>\n{\"title\":\"no\"}\n</think>\n\n{\"title\":\"ok\"}",
    "Claro:\n\n{\"title\":\"ok\"}\n\n¡Suerte!", "{\"draft\":1}\n{\"title\":\"ok\"}",
    "I think so.\n</think>\n```\n{\"title\":\"ok\"}\n```",
  ]) func `JSON is found in what a model says around it`(text: String) async throws {
    let asked = try await ask([Self.chunk(.string(text)), "[DONE]"])
    #expect(asked.reply.value == .object([("title", .string("ok"))]) && asked.requestCount == 1)
  }

  @Test func `Thoughts are not shown, and void what came before their end`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.stream(["<think>hm", "</think>", "\n\nHola"])
    } _: { url in
      let listener = Listener()
      let made = try await listener.ask(model(url), .prose()).text
      #expect(made == "Hola")
      #expect(listener.pieces == ["Hola"] && listener.restartCount == 0)
    }
    try await withScriptedServer { exchange in
      try await exchange.stream(["The learner\n", "</think>\n", "Hola"])
    } _: { url in
      let listener = Listener()
      let made = try await listener.ask(model(url), .prose()).text
      #expect(made == "Hola")
      #expect(listener.pieces == ["Hola"] && listener.restartCount == 1)
    }
  }

  @Test func `A stream by another name is one, and a whole answer needs no reason to end`()
    async throws
  {
    for body in [
      "data: \(Self.chunk(.string("Ho")))\n\ndata: \(Self.chunk(.string("la")))\n\ndata: [DONE]\n\n",
      #"{"choices":[{"message":{"content":"Hola"}}]}"#,
      #"{"choices":[{"message":{"content":[{"type":"text","text":"Hola"}]},"finish_reason":""}]}"#,
    ] {
      try await withScriptedServer {
        try await $0.answer(200, body)
      } _: { url in
        let made = try await Listener().ask(model(url), .prose()).text
        #expect(made == "Hola")
      }
    }
  }

  @Test func `Thoughts without an end and prose without JSON are bounded`() async throws {
    for text in ["<think>", "{{{{[[[[", "palabras "] {
      try await withScriptedServer { exchange in
        try await exchange.beginStream()
        let piece = Chunk.piece(String(repeating: text, count: 1000))
        try await exchange.flood(piece)
      } _: { url in
        await #expect(throws: LanguageModelError.unavailable(ProviderFailure.tooLarge.text)) {
          try await Listener().ask(model(url), .title())
        }
      }
    }
  }

  // MARK: Refusals

  /// A refusal of each parameter, in the words of some server.
  static let refusals: [(status: Int, body: String, parameters: [String])] = [
    (
      400,
      #"{"error":{"message":"Unsupported parameter: use max_completion_tokens","param":"max_tokens"}}"#,
      ["max_tokens"]
    ),
    (400, #"{"error":{"message":"Unknown field stream_options"}}"#, ["stream_options"]),
    (
      422, #"{"detail":[{"loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}"#, ["seed"]
    ),
    (
      400, "unknown field `temperature`, expected one of `model`, `messages`, `stream`",
      ["temperature"]
    ),
    (400, #"{"error":"response_format is not supported"}"#, ["response_format"]),
    (
      400, #"{"error":{"message":"json_schema is not supported by this model"}}"#,
      ["response_format"]
    ),
    (
      400, #"{"error":{"message":"'response_format.type' must be 'json_object' or 'text'"}}"#,
      ["json_schema"]
    ),
    (501, #"{"error":{"code":501,"message":"streaming is not implemented"}}"#, ["stream"]),
    (500, #"{"error":{"code":500,"message":"failed to parse grammar"}}"#, ["response_format"]),
    (400, #"{"message":"Unrecognized request argument supplied: seed"}"#, ["seed"]),
    (400, #"{"error":{"message":"maxTokens: extra field"}}"#, ["max_tokens"]),
  ]

  private static func isRefused(_ parameter: String, in body: JSONValue) -> Bool {
    parameter == "json_schema"
      ? body["response_format"]?["type"] == .string("json_schema") : body[parameter] != nil
  }

  @Test(arguments: ChatDialectTests.refusals)
  func `What a server refuses is left out, once and for all`(
    status: Int, body: String, parameters: [String]
  ) async throws {
    let bodies = Mutex([JSONValue]())
    try await withScriptedServer { exchange in
      bodies.withLock { $0.append(exchange.body) }
      if parameters.contains(where: { Self.isRefused($0, in: exchange.body) }) {
        return try await exchange.answer(status, body)
      }
      guard exchange.body["stream"] != nil else {
        return try await exchange.answer(
          200, #"{"choices":[{"message":{"content":"{\"title\":\"ok\"}"},"finish_reason":"stop"}]}"#
        )
      }
      try await exchange.stream([Self.reply])
    } _: { url in
      let capture = LogCapture()
      let model = try model(url, logger: capture)
      for _ in 0..<2 {
        let made = try await Listener().ask(model, .title()).text
        #expect(made == Self.reply)
      }
      let learned = capture.lines.filter { $0.contains("learned") }
      #expect(learned.count == 1 && parameters.allSatisfy { learned[0].contains($0) })
    }
    let sent = bodies.withLock { $0 }
    #expect(sent.count == 3)
    // Where the schema is not sent the model reads it.
    if sent[2]["response_format"]?["json_schema"] == nil {
      #expect(sent[2]["messages"]?.text.contains("JSON Schema") ?? false)
    }
  }

  @Test(arguments: [
    (400, #"{"error":{"message":"System role not supported"}}"#),
    (500, #"{"error":{"code":500,"message":"the template has no role \"system\""}}"#),
    (400, #"{"error":{"message":"Developer instruction is not enabled for models/gemma-3"}}"#),
    (400, #"{"error":"Conversation roles must alternate user/assistant/user/assistant/..."}"#),
    (422, #"{"detail":"Only user and assistant roles are supported!"}"#),
    (400, "unsupported role: system"),
  ]) func `A server without a role of the system is told with the user's words`(
    status: Int, body: String
  ) async throws {
    let bodies = Mutex([JSONValue]())
    let habits = EndpointHabitBook()
    try await withScriptedServer { exchange in
      bodies.withLock { $0.append(exchange.body) }
      let messages = exchange.body["messages"]?.arrayValue ?? []
      if messages.contains(where: { $0["role"] == .string("system") }) {
        return try await exchange.answer(status, body)
      }
      try await exchange.stream(["Hola"])
    } _: { url in
      for _ in 0..<2 {
        let made = try await Listener().ask(model(url, habits: habits), .prose()).text
        #expect(made == "Hola")
      }
    }
    let sent = bodies.withLock { $0 }
    let messages = sent.last?["messages"]?.arrayValue ?? []
    #expect(sent.count == 3 && messages.count == 1)
    #expect(messages.first?["content"] == .string("Be brief.\n\n¿Qué sigue?"))
    #expect(habits.all.first?.value.text == "refuses system_role")
  }

  @Test func `A schema in words goes to the user where there is no system`() async throws {
    let bodies = Mutex([JSONValue]())
    try await withScriptedServer { exchange in
      bodies.withLock { $0.append(exchange.body) }
      if exchange.body["response_format"] != nil {
        return try await exchange.answer(400, #"{"error":"response_format is not supported"}"#)
      }
      if exchange.body["messages"]?.text.contains("\"system\"") ?? false {
        return try await exchange.answer(400, #"{"error":"System role not supported"}"#)
      }
      try await exchange.stream([Self.reply])
    } _: { url in
      let made = try await Listener().ask(model(url), .title()).text
      #expect(made == Self.reply)
    }
    let sent = bodies.withLock { $0 }
    let said = sent.last?["messages"]?.arrayValue?.first?["content"]?.stringValue ?? ""
    #expect(sent.count == 3 && said.contains("JSON Schema") && said.hasSuffix("\n\nA goal"))
  }

  @Test func `A server that takes nothing but messages is found out in one call`() async throws {
    let taken: Set<String> = ["model", "messages"]
    let habits = EndpointHabitBook()
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      guard case .object(let members) = exchange.body else { return }
      if let other = members.first(where: { !taken.contains($0.key) }) {
        return try await exchange.answer(400, "{\"error\":\"unknown field '\(other.key)'\"}")
      }
      try await exchange.answer(200, #"{"choices":[{"message":{"content":"{\"title\":\"ok\"}"}}]}"#)
    } _: { url in
      let made = try await Listener().ask(model(url, habits: habits), .title()).text
      #expect(made == Self.reply)
      #expect(count.withLock { $0 } <= 9)
      // Another model object of the same endpoint knows it.
      let before = count.withLock { $0 }
      let again = try await Listener().ask(model(url, habits: habits), .title()).text
      #expect(again == Self.reply)
      #expect(count.withLock { $0 } == before + 1)
    }
  }

  @Test func `Habits outlive the process, and a broken file holds none`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: EndpointHabitBook.fileName).path
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      guard exchange.body["seed"] == nil else {
        return try await exchange.answer(400, #"{"error":{"param":"seed"}}"#)
      }
      try await exchange.stream([Self.reply])
    } _: { url in
      for _ in 0..<2 {
        let habits = EndpointHabitBook(file: file)
        _ = try await Listener().ask(model(url, habits: habits), .title())
      }
      #expect(count.withLock { $0 } == 3)
      let known = EndpointHabitBook(file: file).all
      #expect(known.count == 1 && known.first?.value.text == "refuses seed")
      for text in ["", "{", "[]", "{\"endpoints\":[{},7]}", "{\"endpoints\":{}}"] {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(EndpointHabitBook(file: file).all.isEmpty)
      }
    }
  }

  @Test func `A refusal that names nothing that was sent stays one, and teaches nothing`()
    async throws
  {
    for body in [
      #"{"error":{"message":"dimensions are wrong"}}"#, #"{"error":{"message":"no"}}"#,
      // Whatever is left out, it is not for that.
      #"{"error":{"message":"seed, temperature, max_tokens, max_completion_tokens, stream"}}"#,
    ] {
      let habits = EndpointHabitBook()
      let count = Mutex(0)
      try await withScriptedServer { exchange in
        count.withLock { $0 += 1 }
        try await exchange.answer(400, body)
      } _: { url in
        await #expect(throws: LanguageModelError.self) {
          try await Listener().ask(model(url, habits: habits), .prose())
        }
      }
      #expect(count.withLock { $0 } <= 9 && habits.all.isEmpty)
    }
  }

  @Test(arguments: [
    #"{"error":{"code":500,"message":"input (1034 tokens) is too large to process. increase the physical batch size (current batch size: 512)"}}"#,
    #"{"error":"the input length exceeds the context length"}"#,
    #"{"object":"error","message":"This model's maximum context length is 512 tokens. However, you requested 701 tokens"}"#,
  ]) func `A prompt that is too long is told in many words`(body: String) async throws {
    try await withScriptedServer {
      try await $0.answer(400, body)
    } _: { url in
      await #expect(throws: LanguageModelError.promptTooLong) {
        try await Listener().ask(model(url), .prose())
      }
    }
  }
}
