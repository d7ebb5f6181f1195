/// One call at the server, from its CALL to its END: when its handler starts, when END may be written,
/// and what the end gives back.
///
///     awaiting request --handler starts--> serving --success, output waits--> finishing
///            |                                |                                   |
///            |                 handler returned, or reply sent          last fragment sent
///            v                                v                                   v
///     ended <------------ and for an error, CANCEL or a lost connection in every state
///
/// The stream and the handler end separately: a cancelled handler runs on without a stream, and a
/// handler may have returned while its last message waits for credit. So `finishing` and `ended`
/// say whether the handler still runs.
///
/// Our own misuse (a handler that starts twice, or returns without having started) is ignored, and
/// asserted in debug builds.
package struct ServerCallMachine: Sendable, Hashable {
  private enum State: Hashable {
    case awaitingRequest
    case serving
    case finishing(isHandlerRunning: Bool)
    case ended(isHandlerRunning: Bool)
  }

  /// What the end of a call gives back to its connection. Exactly one for each call.
  package struct Release: Sendable, Hashable {
    /// Whether a handler was started, which reports its own end.
    package var hasHandler: Bool
    /// Bytes of a message that was not complete.
    package var unfinishedByteCount: Int
    /// Bytes of a reply that was counted because it waited for credit.
    package var replyByteCount: Int
    /// Whether a message waited for credit.
    package var isBlocked: Bool

    package init(
      hasHandler: Bool, unfinishedByteCount: Int, replyByteCount: Int, isBlocked: Bool
    ) {
      self.hasHandler = hasHandler
      self.unfinishedByteCount = unfinishedByteCount
      self.replyByteCount = replyByteCount
      self.isBlocked = isBlocked
    }
  }

  private var state = State.awaitingRequest
  package var messages: CallMachine
  private var countedReplyByteCount = 0

  package init(messages: CallMachine) {
    self.messages = messages
  }

  /// Whether the stream has ended: nothing is sent or delivered any more.
  package var hasEnded: Bool {
    if case .ended = state { true } else { false }
  }

  /// Whether a handler was started and has not returned.
  package var isHandlerRunning: Bool {
    switch state {
    case .awaitingRequest: false
    case .serving: true
    case .finishing(let isRunning), .ended(let isRunning): isRunning
    }
  }
}

// MARK: The request and the handler

extension ServerCallMachine {
  package enum InputAction: Sendable, Hashable {
    /// The request is not complete.
    case wait
    /// It is certain that no second message comes (W5.8).
    case startHandler
    case wakeReader
  }

  /// A message or the half-close arrived.
  package func inputChanged() -> InputAction {
    guard state == .awaitingRequest else { return .wakeReader }
    return messages.inbound.isHalfClosed ? .startHandler : .wait
  }

  /// The handler of a call that has not ended starts.
  package mutating func handlerStarted() {
    guard state == .awaitingRequest else { return assertionFailure("a second handler") }
    state = .serving
  }

  /// The handler returned or threw. With a release: write END and perform it.
  package mutating func handlerReturned(isSuccess: Bool) -> Release? {
    switch state {
    case .serving, .finishing(isHandlerRunning: true):
      if isSuccess, messages.isMessageWaiting {
        state = .finishing(isHandlerRunning: false)
        return nil
      }
      return end(isHandlerRunning: false)
    case .ended(isHandlerRunning: true):
      state = .ended(isHandlerRunning: false)
      return nil
    case .awaitingRequest, .finishing(isHandlerRunning: false), .ended(isHandlerRunning: false):
      assertionFailure("a handler that does not run has returned")
      return nil
    }
  }
}

// MARK: The reply and the end

extension ServerCallMachine {
  package enum ReplyAction: Sendable, Hashable {
    /// All of it is out: write END.
    case end(Release)
    /// So many bytes are kept until the client grants credit; END follows the last.
    case keep(byteCount: Int)
    /// The call had ended before.
    case drop
  }

  /// The handler's only reply was handed over, and did not fit an END frame.
  package mutating func replyHandedOver() -> ReplyAction {
    guard state == .serving else { return .drop }
    guard messages.isMessageWaiting else { return .end(end(isHandlerRunning: true)) }
    state = .finishing(isHandlerRunning: true)
    countedReplyByteCount = messages.waitingByteCount
    return .keep(byteCount: countedReplyByteCount)
  }

  package enum SentAction: Sendable, Hashable {
    case wakeWriter
    /// It was the last one: write END.
    case end(Release)
  }

  /// The last fragment of the message that waited is out.
  package mutating func waitingMessageSent() -> SentAction {
    guard case .finishing(let isRunning) = state else { return .wakeWriter }
    return .end(end(isHandlerRunning: isRunning))
  }

  /// The stream ends now, whatever the handler does: an error, CANCEL, the connection is gone, or the
  /// reply went out with END. Nil when it had ended before.
  package mutating func ended() -> Release? {
    hasEnded ? nil : end(isHandlerRunning: isHandlerRunning)
  }

  private mutating func end(isHandlerRunning: Bool) -> Release {
    let release = Release(
      hasHandler: state != .awaitingRequest,
      unfinishedByteCount: messages.inbound.unfinishedByteCount,
      replyByteCount: countedReplyByteCount, isBlocked: messages.isMessageWaiting)
    state = .ended(isHandlerRunning: isHandlerRunning)
    countedReplyByteCount = 0
    messages.dropMessage()
    return release
  }
}
