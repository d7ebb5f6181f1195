import Domain
import JSON

/// What a chat endpoint answers: a whole completion, or one chunk of a streamed one.
struct ChatAnswer {
  struct Choice {
    struct Part {
      var content: String?
      var refusal: String?

      init(_ json: JSONValue) throws(ProviderFailure) {
        content = try json.text("content")
        refusal = try json.text("refusal")
      }
    }

    var index: Int?
    /// What a chunk adds, or the whole message.
    var part: Part?
    var finishReason: String?

    init(_ json: JSONValue) throws(ProviderFailure) {
      index = try json.count("index")
      let delta = try json.object("delta")
      let message = try json.object("message")
      part = try (delta ?? message).map { (part) throws(ProviderFailure) in try Part(part) }
      finishReason = try json.text("finish_reason")
    }
  }

  struct Usage {
    var promptTokens: Int?
    var completionTokens: Int?

    init(_ json: JSONValue) throws(ProviderFailure) {
      promptTokens = try json.count("prompt_tokens")
      completionTokens = try json.count("completion_tokens")
    }
  }

  var choices: [Choice]?
  var usage: Usage?
  var model: String?
  var error: ProviderErrorReply.Details?

  init(_ bytes: [UInt8]) throws(ProviderFailure) {
    let json = try JSONValue(answer: bytes)
    if let elements = try json.list("choices") {
      var choices: [Choice] = []
      for element in elements { choices.append(try Choice(element)) }
      self.choices = choices
    }
    usage = try json.object("usage").map { (usage) throws(ProviderFailure) in try Usage(usage) }
    model = try json.text("model")
    error = json.errorDetails
  }
}

/// How a provider's chat endpoint differs from the others'.
package struct ChatDialect: Sendable, Hashable {
  /// The limit of the reply is `max_completion_tokens` (newer models of OpenAI) instead of
  /// `max_tokens` (everybody else).
  package var usesCompletionTokenLimit: Bool
  /// The model takes `temperature` and `seed`; models that reason take none.
  package var takesSampling: Bool

  package init(usesCompletionTokenLimit: Bool = false, takesSampling: Bool = true) {
    self.usesCompletionTokenLimit = usesCompletionTokenLimit
    self.takesSampling = takesSampling
  }
}

enum ChatRequest {
  /// The body of a request, with the seed of its attempt.
  static func body(
    of request: ModelRequest, model: String, seed: Int, dialect: ChatDialect
  ) -> [UInt8] {
    var members: [(key: String, value: JSONValue)] = [
      ("model", .string(model)),
      (
        "messages",
        .array(
          request.messages.map {
            .object([("role", .string($0.role.rawValue)), ("content", .string($0.text))])
          })
      ),
      ("stream", .bool(true)),
      ("stream_options", .object([("include_usage", .bool(true))])),
      (
        dialect.usesCompletionTokenLimit ? "max_completion_tokens" : "max_tokens",
        .integer(Int64(request.replyTokenCountMax))
      ),
    ]
    if dialect.takesSampling {
      members.append(("temperature", .number(request.temperature)))
      members.append(("seed", .integer(Int64(seed))))
    }
    if let schema = request.schema {
      let format = JSONValue.object([
        ("name", .string(request.schemaName)), ("strict", .bool(true)), ("schema", schema),
      ])
      members.append(
        (
          "response_format",
          .object([("type", .string("json_schema")), ("json_schema", format)])
        ))
    }
    return Array(JSONValue.object(members).text.utf8)
  }
}
