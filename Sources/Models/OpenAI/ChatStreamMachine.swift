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
/// Servers differ, and what can be understood is: signs of life and whatever else has no choices are
/// read over, and thoughts are left out of the reply. A stream is whole once a reason to finish has
/// come, or `[DONE]` where a server gives no reason, whatever happens to its connection then; one that
/// ends before is cut. Only the first choice counts.
package struct ChatStreamMachine: Sendable {
  package enum Action: Sendable, Hashable {
    case handOn(String)
    /// What was handed on before is void; this is the text after it.
    case startOver(String)
    /// Nothing to do for this event.
    case readOn
    /// Nothing that matters follows.
    case stop
  }

  private static let tokenCountMax = 100_000_000
  private static let modelNameByteCountMax = 128

  private let textByteCountMax: Int
  private var outcome = ChatOutcome(text: "")
  private var thoughts = ThoughtFilterMachine()
  /// Of everything that the model wrote, its thoughts too.
  private var writtenByteCount = 0
  private var finish: ChatFinish?
  /// The server says that this is all.
  private var isDone = false
  private var isRefusal = false

  package init(textByteCountMax: Int) {
    self.textByteCountMax = textByteCountMax
  }

  /// Takes in the data of one event.
  package mutating func received(_ event: [UInt8]) throws(ProviderFailure) -> Action {
    let bare = event.drop { $0 <= 0x20 }.prefix(8)
    guard bare.first == UInt8(ascii: "{") else {
      // A word, a blank, an empty list: signs of life.
      let isDone = String(decoding: bare, as: UTF8.self).lowercased().hasPrefix("[done]")
      self.isDone = self.isDone || isDone
      return isDone ? .stop : .readOn
    }
    return try received(ChatAnswer(event))
  }

  /// Takes in the whole completion of a provider that does not stream.
  package mutating func receivedAnswer(_ bytes: [UInt8]) throws(ProviderFailure) -> Action {
    let answer = try ChatAnswer(bytes)
    guard answer.error != nil || answer.choices != nil else { throw .malformed }
    isDone = answer.choices?.isEmpty == false
    return try received(answer)
  }

  private mutating func received(_ answer: ChatAnswer) throws(ProviderFailure) -> Action {
    if let error = answer.error { throw error.failure(status: error.status ?? 500) }
    note(answer.usage, answer.model)
    guard let choice = answer.choices?.first(where: { ($0.index ?? 0) == 0 }) else {
      return .readOn
    }
    finish = choice.finish ?? finish
    if [choice.delta, choice.message].contains(where: { $0?.isRefusal ?? false }) {
      isRefusal = true
    }
    // A message after pieces is these pieces again.
    let message = writtenByteCount == 0 ? choice.message?.text ?? "" : ""
    let delta = choice.delta?.text ?? ""
    let piece = delta.isEmpty ? message : delta
    guard !piece.isEmpty else { return .readOn }
    writtenByteCount += piece.utf8.count
    guard writtenByteCount <= textByteCountMax else { throw .tooLarge }
    return action(thoughts.take(piece))
  }

  /// Nothing more comes; the rest of the text. Once, before `ended`.
  package mutating func finishText() -> Action { action(thoughts.end()) }

  private mutating func action(_ output: ThoughtFilterMachine.Output) -> Action {
    if output.isAnew { outcome.text = "" }
    outcome.text += output.text
    if output.isAnew { return .startOver(output.text) }
    return output.text.isEmpty ? .readOn : .handOn(output.text)
  }

  /// The stream has ended, or was stopped: what it said as a whole.
  ///
  /// - Parameter isWhole: whether a text shows by itself that nothing of it is missing, for servers
  ///   that say no end at all.
  package func ended(
    isWhole: (String) -> Bool = { _ in false }
  ) throws(ProviderFailure) -> ChatOutcome {
    if isRefusal { throw .refused(.content, status: 0) }
    switch finish {
    case nil: guard isDone || isWhole(outcome.text) else { throw .cut }
    case .end: break
    case .cut: throw .replyCut
    case .filtered: throw .refused(.content, status: 0)
    case .failed: throw .cut
    case .other: throw .replyInvalid("the reply ended for another reason than its end")
    }
    guard !outcome.text.isEmpty else { throw .replyInvalid("the reply is empty") }
    var outcome = outcome
    // Thoughts are paid as well.
    if outcome.replyTokenCount == nil, writtenByteCount > outcome.text.utf8.count {
      outcome.replyTokenCount = max(1, writtenByteCount / 4)
    }
    return outcome
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
