import Domain
import Foundation
import JSON
import Models
import Synchronization
import Testing

/// A real server with a real, small model; what it says is poor, so only its shape counts. One call
/// at a time: the server has one slot.
@Suite(.serialized) struct SmallModelTests {
  private func model() async throws -> OpenAIChatModel {
    try await OpenAIChatModel(
      .quick(SmallModel.chat.url()) { $0.timeouts.firstByte = .seconds(120) },
      time: ManualTime(), logger: silent)
  }

  @Test func `Prose comes in several pieces that make the text`() async throws {
    let listener = Listener()
    var request = ModelRequest.prose("Count from one to five.")
    request.replyTokenCountMax = 1500
    let reply = try await listener.ask(model(), request)
    #expect(listener.pieces.count > 1)
    #expect(listener.pieces.joined() == reply.text)
    #expect(reply.promptTokenCount > 0 && reply.replyTokenCount > 0)
    #expect(reply.model == "test-llm")
  }

  @Test func `A reply with a schema follows it`() async throws {
    let schema = JSONValue.object([
      ("type", .string("object")),
      (
        "properties",
        .object([
          ("title", .object([("type", .string("string")), ("maxLength", .integer(40))])),
          (
            "tasks",
            .object([
              ("type", .string("array")), ("minItems", .integer(3)), ("maxItems", .integer(3)),
              (
                "items",
                .object([("type", .string("string")), ("maxLength", .integer(40))])
              ),
            ])
          ),
        ])
      ),
      ("required", .array([.string("title"), .string("tasks")])),
      ("additionalProperties", .bool(false)),
    ])
    let request = ModelRequest(
      messages: [ModelMessage(.user, "Un objetivo para aprender FastAPI, con tres tareas.")],
      schema: schema, schemaName: "goal", replyTokenCountMax: 400, callerID: someCaller)
    let reply = try await Listener().ask(model(), request)
    let value = try #require(reply.value)
    #expect(try ReplySchema(schema).violation(in: value) == nil)
  }

  @Test func `A reply that reaches its limit is cut`() async throws {
    var request = ModelRequest.prose("Tell a long story.")
    request.replyTokenCountMax = 3
    await #expect(throws: LanguageModelError.replyCut) {
      try await Listener().ask(model(), request)
    }
  }

  @Test func `A prompt that is longer than the model reads is told as that`() async throws {
    await #expect(throws: LanguageModelError.promptTooLong) {
      try await Listener().ask(model(), .prose(String(repeating: "hola ", count: 5000)))
    }
  }

  @Test func `Cancelling frees the only place of the server`() async throws {
    let model = try await model()
    let began = Signal()
    var long = ModelRequest.prose("Write a very long story about a river, without an end.")
    long.replyTokenCountMax = 1900
    let story = long
    let call = Task {
      try await model.reply(to: story, restarted: {}) { _ in began.fire() }
    }
    await began.wait()
    call.cancel()
    await #expect(throws: LanguageModelError.cancelled) { try await call.value }
    // 1900 tokens take most of a minute; this would wait for all of them.
    var short = ModelRequest.prose("Hi")
    short.replyTokenCountMax = 2
    let started = ContinuousClock.now
    await #expect(throws: LanguageModelError.replyCut) { try await Listener().ask(model, short) }
    #expect(started.duration(to: .now) < .seconds(15))
  }

  @Test func `Embeddings have length 1, and the same text the same one`() async throws {
    let embedder = try await OpenAIEmbedder(
      .quick(SmallModel.embeddings.url()),
      options: EmbeddingOptions(dimensionCount: 576, tokenCountMax: 512), time: ManualTime(),
      logger: silent)
    let texts = ["Aprender FastAPI", "", "Learn to bake bread", "Aprender FastAPI"]
    let embeddings = try await embedder.embed(texts)
    #expect(embeddings.count == 4)
    for embedding in embeddings {
      #expect(abs(embedding.vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
    }
    #expect(cosine(embeddings[0].vector, embeddings[3].vector) > 0.9999)
    #expect(cosine(embeddings[0].vector, embeddings[2].vector) < 0.9999)
  }
}

/// The server of Tests/Support/model_server.py, started at most once; it ends with this process.
final class SmallModel: Sendable {
  static let chat = SmallModel([])
  static let embeddings = SmallModel(["--embeddings"])

  struct Missing: Error, CustomStringConvertible {
    let description = "the tests' language model is not installed: run `make setup`"
  }

  private let started: Task<String, any Error>

  private init(_ options: [String]) {
    started = Task.detached { try Self.start(options) }
  }

  /// Up to the version.
  func url() async throws -> String { try await started.value + "/v1" }

  private static func folder() throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let places =
      [environment["HITO_TEST_LLM"], environment["HOME"].map { $0 + "/.local/lib/hito/test-llm" }]
      .compactMap { $0 } + ["/usr/local/lib/hito/test-llm"]
    for place in places where FileManager.default.fileExists(atPath: place + "/model.gguf") {
      return place
    }
    throw Missing()
  }

  /// Blocks for the seconds that the model takes to load.
  private static func start(_ options: [String]) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let process = Process()
    process.executableURL = root.appending(path: ".venv/bin/python")
    process.arguments =
      [root.appending(path: "Tests/Support/model_server.py").path, try folder()] + options
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    alive.withLock { $0.append((process, input)) }
    struct Ready: Decodable { var url: String }
    return try JSONDecoder().decode(Ready.self, from: firstLine(of: output.fileHandleForReading))
      .url
  }

  private static func firstLine(of file: FileHandle) -> Data {
    var line = Data()
    while true {
      let byte = file.readData(ofLength: 1)
      guard !byte.isEmpty, byte != Data("\n".utf8) else { return line }
      line += byte
    }
  }

  /// The servers' standard inputs stay open as long as this process lives.
  private static let alive = Mutex<[(Process, Pipe)]>([])
}
