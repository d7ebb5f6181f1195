import JSON

/// What a chat endpoint answers: a whole completion, or one chunk of a streamed one. Only what a reply
/// is nothing without has to be as the protocol has it.
struct ChatAnswer {
  struct Choice {
    var index: Int?
    /// What a chunk adds.
    var delta: ChatContent?
    /// The whole message; some send it once more at the end of a stream.
    var message: ChatContent?
    /// Nil where it continues.
    var finish: ChatFinish?

    init(_ json: JSONValue) throws(ProviderFailure) {
      guard case .object = json else { throw .malformed }
      index = json.count("index")
      delta = try json.object("delta").map { (part) throws(ProviderFailure) in
        try ChatContent(part)
      }
      message = try json.object("message").map { (part) throws(ProviderFailure) in
        try ChatContent(part)
      }
      // Of completions that are no chat.
      if delta == nil, message == nil, let text = json["text"]?.stringValue {
        delta = ChatContent(text: text)
      }
      finish = json["finish_reason"].flatMap { ChatFinish($0) }
    }
  }

  struct Usage {
    var promptTokens: Int?
    var completionTokens: Int?

    init?(_ json: JSONValue?) {
      guard case .object? = json else { return nil }
      promptTokens = json?.count("prompt_tokens")
      completionTokens = json?.count("completion_tokens")
    }
  }

  /// Nil where the answer has none, and says so or not.
  var choices: [Choice]?
  var usage: Usage?
  var model: String?
  var error: ProviderErrorReply.Details?

  init(_ bytes: [UInt8]) throws(ProviderFailure) {
    let json = try JSONValue(answer: bytes)
    error = json.errorDetails
    usage = Usage(json["usage"])
    model = json["model"]?.stringValue
    guard error == nil, let elements = try json.list("choices") else { return }
    var choices: [Choice] = []
    for element in elements { choices.append(try Choice(element)) }
    self.choices = choices
    // Beside the choice where there is none beside the choices.
    if usage == nil { usage = elements.lazy.compactMap { Usage($0["usage"]) }.first }
  }
}
