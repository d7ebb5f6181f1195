internal import Transport

/// Where a subscription stands, and what to do when its stream ends. A pure value: it never waits.
///
///     connecting --message--> streaming --error that passes--> waiting --> connecting
///          |                      |
///          |                      +-- any other error: given up
///          +-- error before the first message: as above, or given up at once where that is asked for
package struct ResumeMachine: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    /// Open the stream again after this time.
    case reconnect(after: Duration)
    case giveUp
  }

  /// After this the stream continues; nil before the first message of one that began without.
  package private(set) var cursor: String?
  /// How often the stream broke and was to be taken up again.
  package private(set) var interruptionCount = 0
  private let givesUpAtFirst: Bool
  private let renewal: TokenRenewal
  /// Since the stream was last opened.
  private var hasReceivedHere = false
  /// Streams in a row whose token was refused before their first message.
  private var refusalCount = 0
  private var hasReceived = false
  private var failureCount = 0

  /// Whether a stream whose token is refused is taken up again under another.
  package enum TokenRenewal: Sendable, Hashable {
    /// There is no other.
    case none
    /// After its first message; before it the stream has repeated itself.
    case afterMessage
    /// Also once before it.
    case always
  }

  /// - Parameters:
  ///   - cursor: where the stream begins, if that is known.
  ///   - givesUpAtFirst: whether a stream that fails before its first message is not tried again.
  package init(
    cursor: String?, givesUpAtFirst: Bool = false, renewal: TokenRenewal = .none
  ) {
    self.renewal = renewal
    self.cursor = cursor
    self.givesUpAtFirst = givesUpAtFirst
  }

  /// A message has arrived.
  package mutating func received(cursor: String) {
    if !cursor.isEmpty { self.cursor = cursor }
    hasReceived = true
    hasReceivedHere = true
    failureCount = 0
    refusalCount = 0
  }

  /// The stream has ended: with an error, or in order (nil), which servers do when they drain.
  ///
  /// - Parameter jitter: 0 to 1, so that a thousand watchers do not come back as one.
  package mutating func ended(_ error: RPCError?, jitter: Double) -> Step {
    if let resume = error?.resumeCursor, !resume.isEmpty { cursor = resume }
    let hasReceivedHere = hasReceivedHere
    self.hasReceivedHere = false
    if let error, error.code == .unauthenticated {
      guard error.isFromServer, renews(hasReceivedHere) else { return .giveUp }
      if !hasReceivedHere {
        interruptionCount += 1
        return .reconnect(after: .zero)
      }
    } else {
      guard hasReceived || !givesUpAtFirst, error.map(Self.passes) ?? true else { return .giveUp }
    }
    failureCount += 1
    interruptionCount += 1
    let backoff = RetryPolicy().backoff(beforeRetry: failureCount, jitter: jitter)
    return .reconnect(after: max(backoff, error.map { RetryAdvice($0).delay } ?? .zero))
  }

  private mutating func renews(_ hasReceivedHere: Bool) -> Bool {
    if hasReceivedHere { return renewal != .none }
    refusalCount += 1
    return renewal == .always && refusalCount == 1
  }

  /// Whether the same request can succeed later.
  private static func passes(_ error: RPCError) -> Bool {
    switch error.code {
    // A certificate that is not trusted will not be trusted later.
    case .unavailable: !error.isCertificateRefused && !RetryAdvice(error).isLasting
    // Our own limits and deadlines are met again the next time.
    case .resourceExhausted, .cancelled, .deadlineExceeded, .aborted: error.isFromServer
    default: false
    }
  }
}
