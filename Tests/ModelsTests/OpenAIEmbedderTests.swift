import Domain
import Foundation
import JSON
import Models
import Synchronization
import Testing

@Suite struct OpenAIEmbedderTests {
  private func embedder(
    _ url: String, _ options: EmbeddingOptions = EmbeddingOptions(dimensionCount: 2)
  ) throws -> OpenAIEmbedder {
    try OpenAIEmbedder(.quick(url), options: options, time: ManualTime(), logger: silent)
  }

  private func embed(
    _ texts: [String], at url: String,
    _ options: EmbeddingOptions = EmbeddingOptions(dimensionCount: 2)
  ) async throws -> [TextEmbedding] {
    try await embedder(url, options).embed(texts)
  }

  private static func inputs(_ exchange: Exchange) -> [String] {
    guard case .array(let texts) = exchange.body["input"] else { return [] }
    return texts.compactMap(\.stringValue)
  }

  /// Answers with `[length of the text, 0]`, last text first.
  private static func answer(_ exchange: Exchange) async throws {
    let entries = inputs(exchange).enumerated().reversed().map { index, text in
      #"{"index":\#(index),"embedding":[\#(text.utf8.count),1]}"#
    }
    try await exchange.answer(
      200, #"{"data":[\#(entries.joined(separator: ","))],"usage":{"prompt_tokens":3}}"#)
  }

  @Test func `Vectors have length 1 and the order of the texts`() async throws {
    let seen = Mutex(JSONValue.null)
    try await withScriptedServer { exchange in
      seen.withLock { $0 = exchange.body }
      try await Self.answer(exchange)
    } _: { url in
      let options = EmbeddingOptions(
        dimensionCount: 2, sendsDimensionCount: true, asksForBase64: false)
      let embeddings = try await embedder(url, options).embed(["a", "ññññ", "abc"])
      for (embedding, count) in zip(embeddings, [Float(1), 8, 3]) {
        #expect(abs(embedding.vector[0] / embedding.vector[1] - count) < 1e-4)
        let length = embedding.vector.reduce(0) { $0 + $1 * $1 }
        #expect(abs(length - 1) < 1e-5)
        #expect(!embedding.isTruncated)
      }
    }
    let body = seen.withLock { $0 }
    #expect(body["model"] == .string("some-model"))
    #expect(body["dimensions"] == .integer(2))
    #expect(body["encoding_format"] == .string("float"))
  }

  @Test func `Base64 is read, whatever was asked for`() async throws {
    let bytes = [Float(3), -4].flatMap { value in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }
    let text = Data(bytes).base64EncodedString()
    try await withScriptedServer { exchange in
      try await exchange.answer(200, #"{"data":[{"index":0,"embedding":"\#(text)"}]}"#)
    } _: { url in
      let embeddings = try await embed(["a"], at: url)
      #expect(embeddings.first?.vector == [0.6, -0.8])
    }
  }

  @Test func `Texts go in batches by their number and their size`() async throws {
    let sizes = Mutex([Int]())
    try await withScriptedServer { exchange in
      sizes.withLock { $0.append(Self.inputs(exchange).count) }
      try await Self.answer(exchange)
    } _: { url in
      let options = EmbeddingOptions(
        dimensionCount: 2, batchTextCountMax: 3, batchByteCountMax: 1024)
      let long = String(repeating: "x", count: 600)
      let texts = ["a", "b", "c", "d", long, long, "e"]
      let embeddings = try await embed(texts, at: url, options)
      #expect(embeddings.count == 7)
      let none = try await embed([], at: url, options)
      #expect(none == [])
      await #expect(throws: EmbedderError.tooManyTexts(maximum: 256)) {
        try await embedder(url, options).embed(Array(repeating: "a", count: 257))
      }
    }
    #expect(sizes.withLock { $0 } == [3, 2, 2])
  }

  @Test func `Every text is taken as it comes, empty ones too`() async throws {
    let seen = Mutex([String]())
    try await withScriptedServer { exchange in
      seen.withLock { $0 += Self.inputs(exchange) }
      try await Self.answer(exchange)
    } _: { url in
      let embeddings = try await embed(["", " \n", "\u{0}", "\u{202E}a"], at: url)
      #expect(embeddings.count == 4)
    }
    #expect(seen.withLock { $0.count } == 4)
    #expect(seen.withLock { $0.allSatisfy { !$0.isEmpty && $0 != " \n" } })
  }

  @Test func `A text that is too long is cut, and its embedding says so`() async throws {
    let lengths = Mutex([Int]())
    try await withScriptedServer { exchange in
      let inputs = Self.inputs(exchange)
      lengths.withLock { $0 += inputs.map(\.utf8.count) }
      // A tokenizer with one token per byte.
      guard inputs.allSatisfy({ $0.utf8.count <= 16 }) else {
        return try await exchange.answer(400, #"{"error":{"code":"context_length_exceeded"}}"#)
      }
      try await Self.answer(exchange)
    } _: { url in
      let options = EmbeddingOptions(dimensionCount: 2, tokenCountMax: 16)
      let texts = ["short", String(repeating: "añ", count: 100)]
      let embeddings = try await embedder(url, options).embed(texts)
      #expect(embeddings.map(\.isTruncated) == [false, true])
    }
    // Cut between characters: 64, 32 and 16 bytes at most.
    #expect(lengths.withLock { $0 } == [5, 64, 5, 31, 5, 16])
  }

  @Test(arguments: [
    #"{"data":[{"index":0,"embedding":[1,2,3]}]}"#,
    #"{"data":[{"index":0,"embedding":[1]}]}"#, #"{"data":[{"index":1,"embedding":[1,2]}]}"#,
    #"{"data":[{"index":0,"embedding":"AAAA"}]}"#, #"{"data":[{"index":0,"embedding":"%%%%"}]}"#,
    #"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#,
    "{}", "nonsense", "",
  ])
  func `An answer without the vectors that were asked for is none`(body: String) async throws {
    try await withScriptedServer {
      try await $0.answer(200, body)
    } _: { url in
      await #expect(throws: EmbedderError.unavailable(ProviderFailure.malformed.text)) {
        try await embedder(url).embed(["a"])
      }
    }
  }

  @Test(arguments: [
    #"{"data":[]}"#, #"{"data":[{"index":0,"embedding":[0,0]}]}"#,
    #"{"data":[{"index":0,"embedding":[1e39,1]}]}"#,
    #"{"data":[{"index":0,"embedding":"AADAfwAAgD8="}]}"#,
    #"{"data":[{"index":0,"embedding":[NaN,1]}]}"#, #"{"data":[{"index":0,"embedding":[null,1]}]}"#,
    #"{"data":[{"index":0,"embedding":["NaN",1]}]}"#, #"{"data":[{"index":0,"embedding":[]}]}"#,
    #"{"data":[{"index":0,"embedding":null}]}"#, #"{"data":[{"index":0,"error":"no"}]}"#,
  ])
  func `A vector that is none is for its text`(body: String) async throws {
    let count = Mutex(0)
    try await withScriptedServer {
      count.withLock { $0 += 1 }
      try await $0.answer(200, body)
    } _: { url in
      await #expect(throws: EmbedderError.failed(ProviderFailure.textsFailed.text)) {
        try await embedder(url).embed(["a"])
      }
    }
    #expect(count.withLock { $0 } == 1)
  }

  @Test(arguments: [
    (200, #"{"data":[{"index":0,"embedding":[NaN,NaN]},{"index":1,"embedding":[1,2]}]}"#),
    (200, #"{"data":[{"index":1,"embedding":[1,2]}]}"#), (200, "{}"),
    (500, #"{"error":"failed to encode response: json: unsupported value: NaN"}"#),
  ])
  func `What fails of several texts may be for one, and is not asked again as it is`(
    status: Int, body: String
  ) async throws {
    let sizes = Mutex([Int]())
    try await withScriptedServer { exchange in
      let inputs = Self.inputs(exchange)
      sizes.withLock { $0.append(inputs.count) }
      guard inputs.contains("bad") else { return try await Self.answer(exchange) }
      try await exchange.answer(status, body)
    } _: { url in
      let embedder = try embedder(url)
      await #expect(throws: EmbedderError.failed(ProviderFailure.textsFailed.text)) {
        try await embedder.embed(["bad", "good"])
      }
      let made = try await embedder.embed(["good"]).count
      #expect(made == 1)
    }
    #expect(sizes.withLock { $0 } == [2, 1])
  }

  @Test(arguments: [
    (400, #"{"error":{"param":"encoding_format","message":"unknown"}}"#),
    (
      422,
      #"{"detail":[{"loc":["body","encoding_format"],"msg":"Extra inputs are not permitted"}]}"#
    ),
    (400, #"{"error":"base64 is not supported"}"#),
  ])
  func `A format that is refused is not sent again`(status: Int, body: String) async throws {
    let habits = EndpointHabitBook()
    let count = Mutex(0)
    try await withScriptedServer { exchange in
      count.withLock { $0 += 1 }
      guard exchange.body["encoding_format"] == nil else {
        return try await exchange.answer(status, body)
      }
      try await Self.answer(exchange)
    } _: { url in
      let options = EmbeddingOptions(dimensionCount: 2)
      for _ in 0..<2 {
        let embedder = try OpenAIEmbedder(
          .quick(url), options: options, habits: habits, time: ManualTime(), logger: silent)
        let made = try await embedder.embed(["a"]).count
        #expect(made == 1)
      }
    }
    #expect(count.withLock { $0 } == 3)
  }

  @Test(arguments: [
    (
      500,
      #"{"error":{"code":500,"message":"input (N tokens) is too large to process. increase the physical batch size (current batch size: 20)","type":"server_error"}}"#
    ),
    (
      413,
      #"{"error":"Input validation error: `inputs` must have less than 20 tokens. Given: N","error_type":"Validation"}"#
    ),
    (
      400,
      #"{"object":"error","message":"This model's maximum context length is 20 tokens. However, you requested N tokens in the input for embedding generation. Please reduce the length"}"#
    ),
    (400, #"{"error":"the input length exceeds the context length"}"#),
  ])
  func `A text is cut to what the refusal says that is taken, and later ones at once`(
    status: Int, body: String
  ) async throws {
    let lengths = Mutex([Int]())
    try await withScriptedServer { exchange in
      let length = Self.inputs(exchange).map(\.utf8.count).max() ?? 0
      lengths.withLock { $0.append(length) }
      guard length <= 60 else {
        return try await exchange.answer(status, body.replacing("N", with: "\(length / 3 + 1)"))
      }
      try await Self.answer(exchange)
    } _: { url in
      let embedder = try embedder(url)
      let text = String(repeating: "abc ", count: 1000)
      for _ in 0..<2 {
        let made = try await embedder.embed([text]).first?.isTruncated
        #expect(made == true)
      }
    }
    let sent = lengths.withLock { $0 }
    if body.contains("20") {
      #expect(sent == [4000, 60, 60])
    } else {
      #expect(sent.last ?? 99 <= 60)
    }
  }

  @Test func `Fewer texts go in a request where the provider says how many`() async throws {
    let sizes = Mutex([Int]())
    try await withScriptedServer { exchange in
      let count = Self.inputs(exchange).count
      sizes.withLock { $0.append(count) }
      guard count <= 32 else {
        return try await exchange.answer(
          413,
          #"{"error":"batch size \#(count) > maximum allowed batch size 32","error_type":"Validation"}"#
        )
      }
      try await Self.answer(exchange)
    } _: { url in
      let embedder = try embedder(url)
      for _ in 0..<2 {
        let made = try await embedder.embed((0..<64).map { "text \($0)" }).count
        #expect(made == 64)
      }
    }
    #expect(sizes.withLock { $0 } == [64, 32, 32, 32, 32])
  }

  @Test func `Failures are repeated, and told when they stay`() async throws {
    try await withScriptedServer { exchange in
      guard exchange.number > 2 else {
        return try await exchange.answer(exchange.number == 1 ? 503 : 429, "{}")
      }
      guard exchange.number > 3 else { return try await Self.answer(exchange) }
      try await exchange.answer(401, "{}")
    } _: { url in
      let embeddings = try await embed(["a"], at: url)
      #expect(embeddings.count == 1)
      await #expect(
        throws: EmbedderError.unavailable("the provider refuses the key (status 401)")
      ) {
        try await embedder(url).embed(["a"])
      }
    }
  }

  @Test(arguments: [
    (#"{"error":{"code":"content_filter"}}"#, "the provider's content filter refuses (status 400)"),
    ("{}", "the provider refuses the request (status 400)"),
  ]) func `A text that is not taken is told apart from a provider that is away`(
    body: String, text: String
  ) async throws {
    try await withScriptedServer { exchange in
      try await exchange.answer(400, body)
    } _: { url in
      await #expect(throws: EmbedderError.refused(text)) { try await embedder(url).embed(["a"]) }
    }
  }

  @Test func `An answer without an end is not read on`() async throws {
    try await withScriptedServer { exchange in
      try await exchange.send(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
      try await exchange.flood(String(repeating: " ", count: 4096))
    } _: { url in
      await #expect(throws: EmbedderError.unavailable(ProviderFailure.tooLarge.text)) {
        try await embedder(url).embed(["a"])
      }
    }
  }

  @Test func `Cancelling ends the request`() async throws {
    let (arrived, left) = (Signal(), Signal())
    try await withScriptedServer { exchange in
      arrived.fire()
      await exchange.waitForDisconnect()
      left.fire()
    } _: { url in
      let embedder = try embedder(url)
      let call = Task { try await embedder.embed(["a"]) }
      await arrived.wait()
      call.cancel()
      await left.wait()
      await #expect(throws: EmbedderError.cancelled) { try await call.value }
    }
  }
}
