/// What a chat endpoint has said when it is done.
package struct ChatOutcome: Sendable, Hashable {
  package var text: String
  /// Nil where the provider does not say.
  package var promptTokenCount: Int?
  package var replyTokenCount: Int?
  package var model: String?

  package init(
    text: String, promptTokenCount: Int? = nil, replyTokenCount: Int? = nil, model: String? = nil
  ) {
    self.text = text
    self.promptTokenCount = promptTokenCount
    self.replyTokenCount = replyTokenCount
    self.model = model
  }
}

/// Follows one streamed completion, event by event: chunks with pieces of the text, one with the
/// reason why it ends, one with the usage and no choices, then `[DONE]`. Pure.
///
/// A stream is whole once a reason to finish has come, whatever happens to its connection then;
/// one that ends before is cut. Only the first choice counts.
package struct ChatStreamMachine: Sendable {
  package enum Action: Sendable, Hashable {
    case handOn(String)
    /// Nothing to do for this event.
    case readOn
    /// Nothing that matters follows.
    case stop
  }

  private static let tokenCountMax = 100_000_000
  private static let modelNameByteCountMax = 128

  private let textByteCountMax: Int
  private var outcome = ChatOutcome(text: "")
  private var finishReason: String?
  private var isRefusal = false

  package init(textByteCountMax: Int) {
    self.textByteCountMax = textByteCountMax
  }

  /// Takes in the data of one event.
  package mutating func received(_ event: [UInt8]) throws(ProviderFailure) -> Action {
    if event.elementsEqual("[DONE]".utf8) { return .stop }
    return try receivedAnswer(event)
  }

  /// Takes in a chunk, or a whole completion of a provider that does not stream.
  package mutating func receivedAnswer(_ bytes: [UInt8]) throws(ProviderFailure) -> Action {
    let answer = try ChatAnswer(bytes)
    if let error = answer.error { throw error.failure(status: error.status ?? 500) }
    guard answer.choices != nil || answer.usage != nil else { throw .malformed }
    note(answer.usage, answer.model)
    guard let choice = answer.choices?.first(where: { ($0.index ?? 0) == 0 }) else {
      return .readOn
    }
    if let reason = choice.finishReason, !reason.isEmpty { finishReason = reason }
    if let refusal = choice.part?.refusal, !refusal.isEmpty { isRefusal = true }
    guard let piece = choice.part?.content, !piece.isEmpty else { return .readOn }
    guard outcome.text.utf8.count + piece.utf8.count <= textByteCountMax else { throw .tooLarge }
    outcome.text += piece
    return .handOn(piece)
  }

  /// The stream has ended, or was stopped: what it said as a whole.
  package func ended() throws(ProviderFailure) -> ChatOutcome {
    if isRefusal { throw .refused(.content, status: 0) }
    switch finishReason {
    case nil: throw .cut
    case "stop":
      guard !outcome.text.isEmpty else { throw .replyInvalid("the reply is empty") }
      return outcome
    case "length": throw .replyCut
    case "content_filter": throw .refused(.content, status: 0)
    default: throw .replyInvalid("the reply ended for another reason than its end")
    }
  }

  private mutating func note(_ usage: ChatAnswer.Usage?, _ model: String?) {
    if let count = usage?.promptTokens { outcome.promptTokenCount = Self.bounded(count) }
    if let count = usage?.completionTokens { outcome.replyTokenCount = Self.bounded(count) }
    // The name goes into stored events: a foreign text with limits.
    if let model, !model.isEmpty, model.utf8.count <= Self.modelNameByteCountMax,
      model.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    {
      outcome.model = model
    }
  }

  private static func bounded(_ count: Int) -> Int { min(max(count, 0), tokenCountMax) }
}
