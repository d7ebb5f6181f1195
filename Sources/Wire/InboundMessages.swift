/// The rules on the fragments that one side of a call receives (W6, W5.8, W5.10): what is complete,
/// what is too much. The bytes themselves are the owner's.
///
///     between messages --MORE--> in a message --last fragment--> between messages
///           |                                                          |
///           +------------------------- END ---------------------------+--> half-closed
package struct InboundMessages: Sendable, Hashable {
  private enum State: Hashable {
    case betweenMessages
    case inMessage(byteCount: Int)
    case halfClosed
  }

  private var state = State.betweenMessages
  /// Messages that have begun.
  private var messageCount = 0
  private var unreadEmptyCount = 0
  private let byteCountMax: Int
  private let isSingle: Bool
  /// Whether the message that began last is compressed.
  package private(set) var isCompressed = false

  /// What a fragment means for its owner.
  package enum Action: Sendable, Hashable {
    /// Keep the bytes; the message continues.
    case hold
    /// The message is complete with these bytes.
    case deliver(isLast: Bool)
    /// The peer half-closed without a message.
    case close
    case refuse(CallFault)
    case fail(WireFault)
  }

  /// `isSingle` when exactly one message may come.
  package init(byteCountMax: Int, isSingle: Bool) {
    self.byteCountMax = byteCountMax
    self.isSingle = isSingle
  }

  package var isHalfClosed: Bool { state == .halfClosed }

  /// Bytes of the message that is not complete yet.
  package var unfinishedByteCount: Int {
    if case .inMessage(let byteCount) = state { byteCount } else { 0 }
  }

  /// A fragment arrived, in CALL or MESSAGE (or END from the server, which never has MORE).
  package mutating func fragmentReceived(byteCount: Int, flags: FrameFlags) -> Action {
    let hasMore = flags.contains(.more)
    let sum: Int
    switch state {
    case .halfClosed:
      return .fail(WireFault(.protocolError, "a message after the half-close"))
    case .betweenMessages:
      messageCount += 1
      isCompressed = flags.contains(.compressed)
      sum = byteCount
    case .inMessage(let before):
      if flags.contains(.compressed) {
        return .fail(WireFault(.protocolError, "COMPRESSED inside a message"))
      }
      sum = before + byteCount
    }
    if hasMore, byteCount == 0 {
      return .fail(WireFault(.protocolError, "an empty fragment with MORE"))
    }
    if isSingle, messageCount > 1 {
      return .refuse(CallFault(.invalidArgument, "more than one message for this method"))
    }
    guard sum <= byteCountMax else {
      return .refuse(
        CallFault(.resourceExhausted, "a message larger than \(byteCountMax) bytes"))
    }
    if hasMore {
      state = .inMessage(byteCount: sum)
      return .hold
    }
    if sum == 0 {
      unreadEmptyCount += 1
      guard unreadEmptyCount <= WireLimit.unreadEmptyMessageCountMax else {
        return .refuse(CallFault(.resourceExhausted, "too many unread empty messages"))
      }
    }
    let isLast = flags.contains(.end)
    state = isLast ? .halfClosed : .betweenMessages
    return .deliver(isLast: isLast)
  }

  /// The owner handed an empty message to its reader.
  package mutating func emptyMessageRead() {
    unreadEmptyCount -= 1
  }

  /// The peer half-closed without a message: CALL with END only, or the client's END frame.
  package mutating func halfCloseReceived() -> Action {
    switch state {
    case .halfClosed:
      return .fail(WireFault(.protocolError, "a second half-close"))
    case .inMessage:
      return .fail(WireFault(.protocolError, "a half-close inside a message"))
    case .betweenMessages:
      state = .halfClosed
      if isSingle, messageCount == 0 {
        return .refuse(
          CallFault(.invalidArgument, "the call ended without its request message"))
      }
      return .close
    }
  }
}
