package import Domain
import JSON
package import Logging

/// Sizes of what a chat model is sent and may answer.
package struct ChatLimits: Sendable, Hashable {
  /// Of all messages together; more is told to be too long without asking.
  package var promptByteCountMax: Int
  package var replyByteCountMax: Int
  /// Of the whole answer with everything around the text.
  package var answerByteCountMax: Int
  /// Of one line, and of one event, of a streamed answer.
  package var lineByteCountMax: Int

  package init(
    promptByteCountMax: Int = 1 << 20, replyByteCountMax: Int = 1 << 20,
    answerByteCountMax: Int = 32 << 20, lineByteCountMax: Int = 1 << 18
  ) {
    self.promptByteCountMax = promptByteCountMax
    self.replyByteCountMax = replyByteCountMax
    self.answerByteCountMax = answerByteCountMax
    self.lineByteCountMax = lineByteCountMax
  }
}

/// A language model behind any `/v1/chat/completions` of the kind that OpenAI made common.
///
/// Answers are streamed, also those with a schema; providers that do not stream answer in one
/// piece. What a server refuses to take is left out, and it is remembered of its endpoint. A schema is sent along and checked again here, since providers keep it only as long as
/// the reply is not cut, if at all: a reply that breaks it is asked for once more with another seed.
package final class OpenAIChatModel: LanguageModel {
  package let name: String

  private let endpoint: ProviderEndpoint
  private let dialect: ChatDialect
  private let limits: ChatLimits
  private let connection: ProviderConnection
  private let caller: ProviderCaller
  private let habits: EndpointHabitBook

  package init(
    _ endpoint: ProviderEndpoint, dialect: ChatDialect = ChatDialect(),
    limits: ChatLimits = ChatLimits(), habits: EndpointHabitBook = EndpointHabitBook(),
    time: any TimeSource, logger: Logger
  ) throws(ModelConfigurationError) {
    try endpoint.validate()
    name = endpoint.model
    self.endpoint = endpoint
    self.dialect = dialect
    self.limits = limits
    connection = try ProviderConnection(endpoint, time: time)
    caller = ProviderCaller(endpoint, operation: "chat", logger: logger)
    self.habits = habits
  }

  /// See `LanguageModel`. The counts of the reply are those of all attempts that brought one, since
  /// all of them are paid.
  package func reply(
    to request: ModelRequest,
    restarted: @Sendable () async throws -> Void,
    received: @Sendable (String) async throws -> Void
  ) async throws(LanguageModelError) -> ModelReply {
    do throws(ProviderFailure) {
      return try await reply(to: Call(request, limits), restarted, received)
    } catch {
      throw error.languageModelError
    }
  }

  private func reply(
    to call: Call, _ restarted: @Sendable () async throws -> Void,
    _ received: @Sendable (String) async throws -> Void
  ) async throws(ProviderFailure) -> ModelReply {
    // What earlier attempts of this call have handed on and used.
    var hasHandedOn = false
    var voided = TokenCounts()
    return try await caller.call { () async throws(ProviderFailure) in
      guard hasHandedOn else { return }
      hasHandedOn = false
      do { try await restarted() } catch { throw .cancelled }
    } attempt: { (reseedCount, end) async throws(ProviderFailure) in
      let outcome = try await self.outcome(of: call, reseedCount, end) {
        (action) async throws(ProviderFailure) in
        if case .startOver = action, hasHandedOn {
          hasHandedOn = false
          do { try await restarted() } catch { throw .cancelled }
        }
        guard let piece = action.text, !piece.isEmpty else { return }
        hasHandedOn = true
        do { try await received(piece) } catch { throw .cancelled }
      }
      let counts = TokenCounts(outcome, of: call.request)
      let value: JSONValue?
      do throws(ProviderFailure) {
        value = try call.value(of: outcome.text)
      } catch {
        voided.add(counts)
        throw error
      }
      var all = voided
      all.add(counts)
      let reply = ModelReply(
        text: outcome.text, promptTokenCount: all.prompt, replyTokenCount: all.reply,
        model: outcome.model ?? self.name, value: value)
      return (
        reply, AttemptCounts(promptTokenCount: counts.prompt, replyTokenCount: counts.reply)
      )
    }
  }

  /// Takes what is to be done with what came.
  private typealias Deliver = (ChatStreamMachine.Action) async throws(ProviderFailure) -> Void

  /// One attempt: everything that the provider says, to a request that it takes.
  private func outcome(
    of call: Call, _ reseedCount: Int, _ end: ContinuousClock.Instant, deliver: Deliver
  ) async throws(ProviderFailure) -> ChatOutcome {
    let key = EndpointHabitBook.Key(endpoint, operation: caller.operation)
    var dialect = dialect
    dialect.refused.formUnion(habits.habits(of: key).refused)
    var learned = EndpointHabits()
    while true {
      let failure: ProviderFailure
      do throws(ProviderFailure) {
        let body = ChatRequest.body(
          of: call.request, model: endpoint.model, seed: call.request.seed &+ reseedCount,
          dialect: dialect)
        let outcome = try await self.outcome(of: call, body, end, deliver: deliver)
        caller.learn(learned, of: key, in: habits)
        return outcome
      } catch {
        failure = error
      }
      // Each time one less is sent, so that this ends.
      guard case .parameterRefused(let refusal, _) = failure,
        let parameter = refusal.leftOut(of: dialect.sent(with: call.request))
      else {
        if failure.isOfReply { caller.learn(learned, of: key, in: habits) }
        throw failure.whereNothingIsLeftOut
      }
      dialect.refused.insert(parameter)
      learned.refused.insert(parameter)
      // What came before an error inside of a stream.
      try await deliver(.startOver(""))
    }
  }

  /// One request: everything that the provider says to it.
  private func outcome(
    of call: Call, _ body: [UInt8], _ end: ContinuousClock.Instant, deliver: Deliver
  ) async throws(ProviderFailure) -> ChatOutcome {
    let answer = try await connection.post(
      "chat/completions", body: body, accept: "text/event-stream, application/json", until: end)
    var stream = ChatStreamMachine(textByteCountMax: limits.replyByteCountMax)
    guard answer.isEventStream else {
      // Without a stream there is the reply and little else.
      let whole = try await answer.whole(
        byteCountMax: min(limits.answerByteCountMax, limits.replyByteCountMax * 2))
      if ProviderAnswer.looksLikeEventStream(whole) {
        var events = eventMachine
        _ = try await follow(whole, &events, &stream, deliver)
      } else {
        try await deliver(stream.receivedAnswer(whole))
      }
      try await deliver(stream.finishText())
      return try stream.ended(isWhole: call.isWhole)
    }
    var isBroken = false
    do throws(ProviderFailure) {
      try await follow(answer, &stream, deliver)
    } catch .cut {
      // The connection broke; `ended` knows whether anything is missing.
      isBroken = true
    }
    try await deliver(stream.finishText())
    return try isBroken ? stream.ended() : stream.ended(isWhole: call.isWhole)
  }

  private var eventMachine: EventStreamMachine {
    EventStreamMachine(
      lineByteCountMax: limits.lineByteCountMax, eventByteCountMax: limits.lineByteCountMax)
  }

  private func follow(
    _ answer: ProviderAnswer, _ stream: inout ChatStreamMachine, _ deliver: Deliver
  ) async throws(ProviderFailure) {
    var events = eventMachine
    var byteCount = 0
    while let bytes = try await answer.next() {
      byteCount += bytes.count
      guard byteCount <= limits.answerByteCountMax else { throw .tooLarge }
      guard try await follow(bytes, &events, &stream, deliver) else { return }
    }
  }

  /// Whether the stream continues behind these bytes.
  private func follow(
    _ bytes: [UInt8], _ events: inout EventStreamMachine, _ stream: inout ChatStreamMachine,
    _ deliver: Deliver
  ) async throws(ProviderFailure) -> Bool {
    let more: [[UInt8]]
    do { more = try events.receive(bytes) } catch { throw .tooLarge }
    for event in more {
      let action = try stream.received(event)
      if action == .stop { return false }
      try await deliver(action)
    }
    return true
  }
}

extension ChatStreamMachine.Action {
  fileprivate var text: String? {
    switch self {
    case .handOn(let text), .startOver(let text): text
    case .readOn, .stop: nil
    }
  }
}

extension ProviderFailure {
  /// The provider took the request, and this is for what it replied.
  fileprivate var isOfReply: Bool {
    switch self {
    case .replyInvalid, .replyCut, .refused(.content, status: 0): true
    default: false
    }
  }
}

/// Tokens as the provider counts them, or estimated where it does not.
private struct TokenCounts: Sendable {
  var prompt = 0
  var reply = 0

  init() {}

  init(_ outcome: ChatOutcome, of request: ModelRequest) {
    prompt = outcome.promptTokenCount ?? TokenEstimate.count(of: request.messages)
    reply = outcome.replyTokenCount ?? TokenEstimate.count(outcome.text)
  }

  mutating func add(_ other: TokenCounts) {
    prompt += other.prompt
    reply += other.reply
  }
}

/// A request that was checked before anything is sent.
private struct Call {
  let request: ModelRequest
  private let schema: ReplySchema?

  init(_ request: ModelRequest, _ limits: ChatLimits) throws(ProviderFailure) {
    self.request = request
    let promptByteCount = request.messages.reduce(0) { $0 + $1.text.utf8.count }
    guard promptByteCount <= limits.promptByteCountMax else { throw .promptTooLong }
    do {
      schema = try request.schema.map { try ReplySchema($0) }
    } catch {
      throw .refused(.schema, status: 0)
    }
  }

  /// Whether nothing can be missing of a text: where JSON is wanted, the schema tells.
  func isWhole(_ text: String) -> Bool {
    guard let schema else { return false }
    return JSONValue(reply: text)
      .map { schema.violation(in: $0) == nil } ?? false
  }

  /// The reply as a value of the schema; nil where it need not be one.
  func value(of text: String) throws(ProviderFailure) -> JSONValue? {
    guard let schema, request.mustFollowSchema else { return nil }
    let value = JSONValue(reply: text) {
      schema.violation(in: $0) == nil
    }
    guard let value else {
      throw .replyInvalid("the reply is not valid JSON")
    }
    if let violation = schema.violation(in: value) { throw .replyInvalid(violation) }
    return value
  }
}
