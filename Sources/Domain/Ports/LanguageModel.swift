package import JSON

/// One turn of a conversation with a model.
package struct ModelMessage: Sendable, Hashable {
  package enum Role: String, Sendable, Hashable {
    case system, user, assistant
  }

  package var role: Role
  package var text: String

  package init(_ role: Role, _ text: String) {
    self.role = role
    self.text = text
  }
}

/// What a model is asked.
package struct ModelRequest: Sendable, Hashable {
  package var messages: [ModelMessage]
  /// JSON Schema of the whole reply; nil for prose.
  package var schema: JSONValue?
  /// False: the provider is told the schema, but the reply comes as it is, for a caller that can have
  /// it mended.
  package var mustFollowSchema: Bool
  /// Names the schema, `a-z_`; providers want one.
  package var schemaName: String
  package var replyTokenCountMax: Int
  /// 0 to 2.
  package var temperature: Double
  /// The same seed and request give the same reply where the provider can do that.
  package var seed: Int
  /// Whose budget and rate the call is charged to.
  package var callerID: EntityID

  package init(
    messages: [ModelMessage], schema: JSONValue? = nil, mustFollowSchema: Bool = true,
    schemaName: String = "reply", replyTokenCountMax: Int = 1500, temperature: Double = 0.2,
    seed: Int = 1, callerID: EntityID
  ) {
    self.messages = messages
    self.schema = schema
    self.mustFollowSchema = mustFollowSchema
    self.schemaName = schemaName
    self.replyTokenCountMax = replyTokenCountMax
    self.temperature = temperature
    self.seed = seed
    self.callerID = callerID
  }
}

/// A model's whole reply.
package struct ModelReply: Sendable, Hashable {
  package var text: String
  /// As the provider counts, or estimated where it does not say.
  package var promptTokenCount: Int
  package var replyTokenCount: Int
  /// Name of the model as the provider calls it.
  package var model: String
  /// The text as the value that the request's schema asked for; nil for prose, and where the reply
  /// need not follow it.
  package var value: JSONValue?

  package init(
    text: String, promptTokenCount: Int, replyTokenCount: Int, model: String,
    value: JSONValue? = nil
  ) {
    self.text = text
    self.promptTokenCount = promptTokenCount
    self.replyTokenCount = replyTokenCount
    self.model = model
    self.value = value
  }
}

/// Why a model did not reply. No text in it holds a prompt, a reply, a key or an address.
package enum LanguageModelError: Error, Sendable, Hashable {
  /// Not now, after retries; a repeat may succeed.
  case unavailable(String)
  /// The provider asks to wait, for longer than this call was ready to.
  case rateLimited(retryAfter: Duration?)
  /// The caller has used up its own rate or budget here; the subject says which.
  case quotaExceeded(subject: String, maximum: Int64, retryAfter: Duration?)
  /// The request is longer than the model reads.
  case promptTooLong
  /// The reply reached `replyTokenCountMax` before its end, so that it holds no schema.
  case replyCut
  /// The reply is not what was asked for (no JSON, another schema), also after the retries.
  case replyInvalid(String)
  /// The provider refuses the request itself: wrong key, unknown model, content filter.
  case refused(String)
  case timedOut
  /// The caller went away first; the call to the provider was ended.
  case cancelled
}

/// A model that writes. Calling it changes nothing of ours, so that every repeat is safe (and paid).
package protocol LanguageModel: Sendable {
  /// As it is recorded with what it wrote.
  var name: String { get }

  /// Asks the model. `received` gets the text piece by piece as it comes, in order, and is awaited,
  /// so that a slow reader slows the model; what it throws ends the call and is thrown on as
  /// `.cancelled`. Where the adapter has to ask again after pieces were handed on, `restarted` is
  /// called first: what was handed on is void. With a schema that must be followed the reply is a JSON
  /// value of it, or an error is thrown.
  ///
  /// Cancelling the task ends the call to the provider at once.
  func reply(
    to request: ModelRequest,
    restarted: @Sendable () async throws -> Void,
    received: @Sendable (String) async throws -> Void
  ) async throws(LanguageModelError) -> ModelReply
}

/// What callers have used of models, kept across restarts.
package protocol ModelUsageStore: Sendable {
  /// Used by `callerID` since `since`.
  func usage(of callerID: EntityID, since: Timestamp) async throws(StoreError) -> ModelUsage
  /// Adds one call.
  func record(_ usage: ModelUsage, of callerID: EntityID, at now: Timestamp)
    async throws(StoreError)
}

/// Tokens and money of one or more calls.
package struct ModelUsage: Sendable, Hashable {
  package var promptTokenCount: Int64
  package var replyTokenCount: Int64
  /// In millionths of the currency that prices are configured in.
  package var costMicros: Int64

  package init(promptTokenCount: Int64 = 0, replyTokenCount: Int64 = 0, costMicros: Int64 = 0) {
    self.promptTokenCount = promptTokenCount
    self.replyTokenCount = replyTokenCount
    self.costMicros = costMicros
  }
}

extension TokenEstimate {
  /// Tokens of a conversation: each message has some around it.
  package static func count(of messages: [ModelMessage]) -> Int {
    messages.reduce(0) { $0 + count($1.text) + 4 }
  }
}
