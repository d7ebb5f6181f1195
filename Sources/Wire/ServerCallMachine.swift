/// One call at the server, from its CALL to its END: when its handler starts, when END may be written,
/// and what the end gives back.
///
///     awaiting caller --known--> awaiting request --handler starts--> serving
///            |                          |                                |
///            |                          |                 success, output waits--> finishing
///            |                          |                                |             |
///            |                          |   handler returned, or reply sent   last fragment sent
///            v                          v                                v             v
///     ended <-------- and for an error, CANCEL or a lost connection in every state
///
/// Nothing of a call is decoded or run before its caller is known (W13.1). Calls that need none, and
/// those whose caller is known at once, begin with awaiting the request.
///
/// The stream and the handler end separately: a cancelled handler runs on without a stream, and a
/// handler may have returned while its last message waits for credit. So `finishing` and `ended`
/// say whether the handler still runs. The look-up of the caller counts as one.
///
/// Our own misuse (a handler that starts twice, or returns without having started) is ignored, and
/// asserted in debug builds.
package struct ServerCallMachine: Sendable, Hashable {
  private enum State: Hashable {
    case awaitingCaller
    case awaitingRequest
    case serving
    case finishing(isHandlerRunning: Bool)
    case ended(isHandlerRunning: Bool)
  }

  /// What the end of a call gives back to its connection. Exactly one for each call.
  package struct Release: Sendable, Hashable {
    /// Whether a handler was started, which reports its own end.
    package var hasHandler: Bool
    /// Whether a message waited for credit.
    package var isBlocked: Bool
    /// Whether a handler was given the call: otherwise nothing was done (W7.2).
    package var isStarted: Bool

    package init(hasHandler: Bool, isBlocked: Bool, isStarted: Bool) {
      self.hasHandler = hasHandler
      self.isBlocked = isBlocked
      self.isStarted = isStarted
    }
  }

  private var state: State
  package var messages: CallMachine
  /// Whether the handler is given the whole request when it starts.
  private let startsWithRequest: Bool

  /// `isCallerKnown` also where nobody asks who calls.
  package init(messages: CallMachine, startsWithRequest: Bool, isCallerKnown: Bool) {
    self.messages = messages
    self.startsWithRequest = startsWithRequest
    state = isCallerKnown ? .awaitingRequest : .awaitingCaller
  }

  /// Whether the stream has ended: nothing is sent or delivered any more.
  package var hasEnded: Bool {
    if case .ended = state { true } else { false }
  }

  /// Whether the caller must be looked up before anything is done with the request.
  package var isAwaitingCaller: Bool { state == .awaitingCaller }

  /// Whether a handler (or the look-up of the caller) was started and has not returned.
  package var isHandlerRunning: Bool {
    switch state {
    case .awaitingRequest: false
    case .awaitingCaller, .serving: true
    case .finishing(let isRunning), .ended(let isRunning): isRunning
    }
  }
}

// MARK: The caller, the request and the handler

extension ServerCallMachine {
  /// The caller was looked up and is known. False when the call has ended meanwhile: then all of it
  /// has.
  package mutating func callerFound() -> Bool {
    switch state {
    case .awaitingCaller:
      state = .awaitingRequest
      return true
    case .ended(isHandlerRunning: true):
      state = .ended(isHandlerRunning: false)
      return false
    case .awaitingRequest, .serving, .finishing, .ended(isHandlerRunning: false):
      assertionFailure("a caller that was not looked up")
      return false
    }
  }

  package enum InputAction: Sendable, Hashable {
    /// The caller is not known, or the request is not complete.
    case wait
    /// Of a unary call: it is certain that no second message comes (W5.8).
    case startHandler
    case wakeReader
  }

  /// A message or the half-close arrived, or the caller is known.
  package func inputChanged() -> InputAction {
    switch state {
    case .awaitingCaller: .wait
    case .awaitingRequest:
      startsWithRequest && !messages.inbound.isHalfClosed ? .wait : .startHandler
    case .serving, .finishing, .ended: .wakeReader
    }
  }

  /// The handler of a call that has not ended starts.
  package mutating func handlerStarted() {
    guard state == .awaitingRequest else { return assertionFailure("a second handler") }
    state = .serving
  }

  /// The handler returned or threw, or the look-up of the caller failed. With a release: write END
  /// and perform it.
  package mutating func handlerReturned(isSuccess: Bool) -> Release? {
    switch state {
    case .awaitingCaller: return end(isHandlerRunning: false)
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
    /// What is left of it is kept; END follows the last fragment.
    case keep
    /// The call had ended before.
    case drop
  }

  /// The handler's only reply was handed over, and did not fit an END frame.
  package mutating func replyHandedOver() -> ReplyAction {
    guard state == .serving else { return .drop }
    guard messages.isMessageWaiting else { return .end(end(isHandlerRunning: true)) }
    state = .finishing(isHandlerRunning: true)
    return .keep
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
      hasHandler: state != .awaitingRequest, isBlocked: messages.isMessageWaiting,
      isStarted: state != .awaitingCaller && state != .awaitingRequest)
    state = .ended(isHandlerRunning: isHandlerRunning)
    messages.dropMessage()
    return release
  }
}
