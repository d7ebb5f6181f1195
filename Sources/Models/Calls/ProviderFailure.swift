package import Domain

/// How one attempt to reach a provider ended badly. Holds nothing that came from the provider but
/// numbers, so that all of it may be logged.
package enum ProviderFailure: Error, Sendable, Hashable {
  package enum Refusal: String, Sendable, Hashable {
    case key = "the provider refuses the key"
    case notFound = "the provider knows neither this address nor this model"
    case quota = "the provider's account has used up its quota"
    case content = "the provider's content filter refuses"
    case request = "the provider refuses the request"
    case schema = "the schema uses what replies are not checked against"
  }

  /// No connection, or it closed before an answer began.
  case unreachable
  /// The answer ended before its end.
  case cut
  /// No first byte, or no further one, for longer than is allowed.
  case slow
  case serverError(status: Int, retryAfter: Duration?)
  case rateLimited(retryAfter: Duration?)
  case promptTooLong
  /// The same of a request whose refusal says so in words, and perhaps how much would be taken.
  case inputTooLarge(InputLimit)
  /// The provider does not take a parameter of the request, or names one in refusing something else.
  case parameterRefused(ParameterRefusal, status: Int)
  case refused(Refusal, status: Int)
  /// There are no vectors of these texts; fewer of them, or others, may fare better.
  case textsFailed
  /// The answer is not what the protocol says.
  case malformed
  /// The answer is longer than is read.
  case tooLarge
  /// The model's reply is not what was asked for; the text is ours, without any of the reply.
  case replyInvalid(String)
  case replyCut
  /// Too many calls of ours wait already.
  case overloaded
  /// The provider failed so often that it is left alone for a while.
  case circuitOpen
  /// The whole call's time is up.
  case timedOut
  case cancelled

  /// Another attempt may go better.
  package var isTransient: Bool {
    switch self {
    case .unreachable, .cut, .slow, .rateLimited, .malformed: true
    case .serverError(let status, _): [500, 502, 503, 504].contains(status)
    default: false
    }
  }

  /// What the circuit breaker learns from it: true where the provider itself failed, false where
  /// it answered, nil where the attempt tells nothing.
  package var blamesProvider: Bool? {
    switch self {
    case .unreachable, .cut, .slow, .serverError, .malformed, .tooLarge: true
    case .rateLimited, .promptTooLong, .inputTooLarge, .parameterRefused, .refused, .replyInvalid,
      .replyCut:
      false
    case .textsFailed, .overloaded, .circuitOpen, .timedOut, .cancelled: nil
    }
  }

  /// How long the provider asks to wait.
  package var retryAfter: Duration? {
    switch self {
    case .serverError(_, let retryAfter), .rateLimited(let retryAfter): retryAfter
    default: nil
    }
  }

  /// The HTTP status, where there was one that matters.
  package var status: Int? {
    switch self {
    case .serverError(let status, _), .refused(_, let status), .parameterRefused(_, let status):
      status == 0 ? nil : status
    case .rateLimited: 429
    default: nil
    }
  }

  /// A fixed name for logs.
  package var name: String {
    switch self {
    case .unreachable: "unreachable"
    case .cut: "cut"
    case .slow: "slow"
    case .serverError: "server_error"
    case .rateLimited: "rate_limited"
    case .promptTooLong, .inputTooLarge: "prompt_too_long"
    case .parameterRefused: "parameter_refused"
    case .refused: "refused"
    case .textsFailed: "texts_failed"
    case .malformed: "malformed"
    case .tooLarge: "too_large"
    case .replyInvalid: "reply_invalid"
    case .replyCut: "reply_cut"
    case .overloaded: "overloaded"
    case .circuitOpen: "circuit_open"
    case .timedOut: "timed_out"
    case .cancelled: "cancelled"
    }
  }

  /// What a caller is told, in a fixed text.
  package var text: String {
    switch self {
    case .unreachable: "the model's provider cannot be reached"
    case .cut: "the provider's answer was cut"
    case .slow: "the model's provider is too slow"
    case .serverError(let status, _): "the model's provider failed (status \(status))"
    case .rateLimited: "the model's provider asks to wait"
    case .promptTooLong, .inputTooLarge: "the text is longer than the model reads"
    case .parameterRefused(_, let status): Self.refused(.request, status: status).text
    case .textsFailed: "the provider makes no vector of the text"
    case .refused(let refusal, let status):
      status == 0 ? refusal.rawValue : "\(refusal.rawValue) (status \(status))"
    case .malformed: "the provider's answer is not what its protocol says"
    case .tooLarge: "the provider's answer is too long"
    case .replyInvalid(let reason): reason
    case .replyCut: "the reply reached its limit before its end"
    case .overloaded: "too many calls wait for the model"
    case .circuitOpen: "the model's provider failed repeatedly and is left alone for a while"
    case .timedOut: "the call took too long"
    case .cancelled: "the caller went away"
    }
  }

  /// The failure where nothing that it names was sent: then it is for something else.
  var whereNothingIsLeftOut: ProviderFailure {
    guard case .parameterRefused(_, let status) = self else { return self }
    return status >= 500
      ? .serverError(status: status, retryAfter: nil) : .refused(.request, status: status)
  }

  package var languageModelError: LanguageModelError {
    switch self {
    case .unreachable, .cut, .serverError, .malformed, .tooLarge, .textsFailed, .overloaded,
      .circuitOpen:
      .unavailable(text)
    case .rateLimited(let retryAfter): .rateLimited(retryAfter: retryAfter)
    case .promptTooLong, .inputTooLarge: .promptTooLong
    case .refused, .parameterRefused: .refused(text)
    case .replyInvalid(let reason): .replyInvalid(reason)
    case .replyCut: .replyCut
    case .slow, .timedOut: .timedOut
    case .cancelled: .cancelled
    }
  }

  package var embedderError: EmbedderError {
    switch self {
    case .overloaded: .overloaded
    case .cancelled: .cancelled
    case .promptTooLong, .inputTooLarge, .parameterRefused, .refused(.content, _),
      .refused(.request, _):
      .refused(text)
    case .textsFailed, .serverError(status: 500, _): .failed(text)
    default: .unavailable(text)
    }
  }
}
