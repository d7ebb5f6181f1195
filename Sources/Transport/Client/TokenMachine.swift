internal import RPC
internal import Wire

/// Which token a call has, and when the provider is asked for another (BEHAVIOUR.md, C5.8). A pure value: it asks
/// nobody and waits for nothing; time and chance are arguments.
///
///     none --asked--> current --refused--> none --asked--> current
///                       +--margin: asked again, current until then
///     asked in vain, or two tokens in a row refused: rests, and nobody asks
struct TokenMachine: Sendable {
  enum Step: Sendable, Hashable {
    case use(String)
    /// Begin the question where that is new, and look again with `afterQuestion` when it has ended.
    case wait(isNew: Bool)
    case fail
  }

  /// How a question ended.
  enum Answer: Sendable {
    case token(ClientToken)
    case failed(reason: String)
  }

  /// What of it is worth a record.
  enum Outcome: Sendable, Hashable {
    case refreshed(validFor: Duration?)
    case rests(reason: String, time: Duration)
  }

  private struct Current: Sendable {
    let text: String
    var validUntil: Moment?
    var renewAt: Moment?
    /// Whether a call under it had another answer than that it is refused.
    var isProven = false
  }

  private static let marginMax = Duration.seconds(10)

  private let backoff: RetryPolicy
  private var current: Current?
  private var refusedText: String?
  /// Unproven tokens that were refused, in a row.
  private var refusalCount = 0
  private var restCount = 0
  private var restsUntil: Moment?
  private var isAsking = false
  /// Why there is no token.
  private(set) var reason = "the token provider has no token"

  init(backoff: RetryPolicy = RetryPolicy()) {
    self.backoff = backoff
  }

  /// A call needs a token.
  mutating func next(now: Moment) -> Step {
    if let current, current.renewAt.map({ now < $0 }) ?? true { return .use(current.text) }
    if isAsking { return .wait(isNew: false) }
    if let restsUntil, now < restsUntil { return afterQuestion(now: now) }
    isAsking = true
    return .wait(isNew: true)
  }

  /// A call has waited for a question, and does not wait for another.
  func afterQuestion(now: Moment) -> Step {
    guard let current, current.validUntil.map({ now < $0 }) ?? true else { return .fail }
    return .use(current.text)
  }

  mutating func answered(_ answer: Answer, now: Moment, jitter: Double) -> Outcome {
    isAsking = false
    let token: ClientToken
    switch answer {
    case .failed(let reason): return rest(reason, now, jitter)
    case .token(let given): token = given
    }
    if let reason = useless(token) { return rest(reason, now, jitter) }
    current = Current(text: token.text)
    if let time = token.validFor {
      current?.validUntil = now + time
      current?.renewAt = now + (time - min(Self.marginMax, time / 10))
    }
    return .refreshed(validFor: token.validFor)
  }

  /// The server did not take a token. An older one than the current does not matter.
  mutating func refused(_ text: String, now: Moment, jitter: Double) -> Outcome? {
    guard let current, current.text == text else { return nil }
    refusedText = text
    refusalCount = current.isProven ? 0 : refusalCount + 1
    self.current = nil
    guard refusalCount >= 2 else { return nil }
    return rest("the server refuses the tokens of the provider", now, jitter)
  }

  /// The server answered a call under a token.
  mutating func taken(_ text: String) {
    guard current?.text == text, current?.isProven == false else { return }
    current?.isProven = true
    refusalCount = 0
    restCount = 0
  }

  private func useless(_ token: ClientToken) -> String? {
    let bytes = token.text.utf8
    guard !bytes.isEmpty, bytes.count <= WireLimit.tokenByteCountMax, !bytes.contains(0) else {
      return "the token provider gave what may not be sent"
    }
    if token.text == refusedText { return "the token provider gave the token that was refused" }
    if let time = token.validFor, time <= .zero {
      return "the token provider gave a token that is not valid any more"
    }
    return nil
  }

  private mutating func rest(_ reason: String, _ now: Moment, _ jitter: Double) -> Outcome {
    self.reason = reason
    restCount += 1
    let time = backoff.backoff(beforeRetry: restCount, jitter: jitter)
    restsUntil = now + time
    return .rests(reason: reason, time: time)
  }
}
