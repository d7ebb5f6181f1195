import Domain
import JSON
import Logging
import Models
import Synchronization

let someCaller = EntityID(high: 1, low: 1)
let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A clock that stands until it is moved.
final class ManualTime: TimeSource {
  private let moment: Mutex<Timestamp>

  init(_ seconds: Int64 = 1_700_000_000) {
    moment = Mutex(Timestamp(microsecondsSinceEpoch: seconds * 1_000_000))
  }

  func now() -> Timestamp { moment.withLock { $0 } }
  func advance(by duration: Duration) { moment.withLock { $0 = $0.advanced(by: duration) } }
}

extension ProviderEndpoint {
  /// For tests: repeats come at once, and nothing waits for long.
  static func quick(_ url: String, _ change: (inout ProviderEndpoint) -> Void = { _ in })
    -> ProviderEndpoint
  {
    var endpoint = ProviderEndpoint(
      baseURL: url, model: "some-model", key: ProviderKey("secret-key"),
      timeouts: ProviderTimeouts(
        connect: .seconds(5), firstByte: .seconds(20), idle: .seconds(20), whole: .seconds(30)),
      retries: RetryPolicy(
        attemptCountMax: 3, backoffFirst: .milliseconds(1), backoffMax: .milliseconds(4),
        retryAfterMax: .seconds(2)))
    change(&endpoint)
    return endpoint
  }
}

extension ModelRequest {
  static func prose(_ text: String = "¿Qué sigue?") -> ModelRequest {
    ModelRequest(
      messages: [ModelMessage(.system, "Be brief."), ModelMessage(.user, text)],
      replyTokenCountMax: 40, callerID: someCaller)
  }

  /// Asks for `{"title": string}`.
  static func title(_ text: String = "A goal") -> ModelRequest {
    ModelRequest(
      messages: [ModelMessage(.user, text)], schema: titleSchema, schemaName: "title",
      replyTokenCountMax: 80, callerID: someCaller)
  }

  static let titleSchema = JSONValue.object([
    ("type", .string("object")),
    (
      "properties",
      .object([
        ("title", .object([("type", .string("string")), ("maxLength", .integer(60))]))
      ])
    ),
    ("required", .array([.string("title")])),
    ("additionalProperties", .bool(false)),
  ])
}

/// What a caller of a model sees while it waits.
final class Listener: Sendable {
  private let state = Mutex((pieces: [String](), restartCount: 0))

  /// Of the attempt that counts.
  var pieces: [String] { state.withLock { $0.pieces } }
  var restartCount: Int { state.withLock { $0.restartCount } }

  func ask(_ model: some LanguageModel, _ request: ModelRequest) async throws(LanguageModelError)
    -> ModelReply
  {
    try await model.reply(to: request) {
      self.state.withLock { $0 = ([], $0.restartCount + 1) }
    } received: { piece in
      self.state.withLock { $0.pieces.append(piece) }
    }
  }
}

/// Keeps everything that is logged, rendered as a text handler would.
final class LogCapture: Sendable {
  private let state = Mutex([String]())

  var lines: [String] { state.withLock { $0 } }
  var text: String { lines.joined(separator: "\n") }

  var logger: Logger {
    var logger = Logger(label: "captured") { _ in Handler(capture: self) }
    logger.logLevel = .trace
    return logger
  }

  private struct Handler: LogHandler {
    let capture: LogCapture
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
      capture.state.withLock { $0.append("\(event.level) \(event.message) \(fields)") }
    }
  }
}

/// Something that happens once and can be waited for.
final class Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func fire() { continuation.finish() }
  func wait() async { for await _ in stream {} }
}
