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
    #"{"data":[]}"#, #"{"data":[{"index":0,"embedding":[1,2,3]}]}"#,
    #"{"data":[{"index":0,"embedding":[1]}]}"#, #"{"data":[{"index":1,"embedding":[1,2]}]}"#,
    #"{"data":[{"index":0,"embedding":[0,0]}]}"#, #"{"data":[{"index":0,"embedding":[1e39,1]}]}"#,
    #"{"data":[{"index":0,"embedding":"AAAA"}]}"#, #"{"data":[{"index":0,"embedding":"%%%%"}]}"#,
    #"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#,
    #"{"data":[{"index":0,"embedding":"AADAfwAAgD8="}]}"#, "{}", "nonsense", "",
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
      while true { try await exchange.send(String(repeating: " ", count: 4096)) }
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
