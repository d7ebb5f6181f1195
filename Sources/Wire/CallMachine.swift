/// What both sides of a call share: the messages that come in, the one that goes out, and credit both
/// ways. What a call is to its side is `ServerCallMachine` and `ClientCallMachine`.
///
/// Three kinds of misuse: the peer breaks the protocol (`.fail`, the connection ends), the peer asks
/// too much of this call (`.refuse`, the call ends), or our own code hands over a message while
/// another one waits (the owner asks `isMessageWaiting` first).
package struct CallMachine: Sendable, Hashable {
  /// What one frame carries of the message that waits.
  package struct Fragment: Sendable, Hashable {
    /// Where its bytes are in the message.
    package var range: Range<Int>
    package var isLast: Bool

    package init(range: Range<Int>, isLast: Bool) {
      self.range = range
      self.isLast = isLast
    }
  }

  /// A message that did not go out whole. Its bytes are the owner's.
  private struct WaitingMessage: Hashable {
    var byteCount: Int
    var sentByteCount = 0
  }

  package private(set) var inbound: InboundMessages
  package private(set) var receiveWindow: ReceiveWindow
  package private(set) var sendWindow: SendWindow
  private var waiting: WaitingMessage?

  /// `mine` is what this side granted, `peers` what the other side did.
  package init(mine: ReceiveLimits, peers: ReceiveLimits, receivesSingleMessage: Bool) {
    inbound = InboundMessages(
      byteCountMax: mine.messageByteCountMax, isSingle: receivesSingleMessage)
    receiveWindow = ReceiveWindow(initial: mine.streamCredit)
    sendWindow = SendWindow(initial: peers.streamCredit)
  }
}

// MARK: In

extension CallMachine {
  /// A fragment arrived; `flags` are its frame's.
  package mutating func fragmentReceived(
    byteCount: Int, flags: FrameFlags
  ) -> InboundMessages.Action {
    do throws(WireFault) {
      try receiveWindow.received(byteCount)
    } catch {
      return .fail(error)
    }
    return inbound.fragmentReceived(byteCount: byteCount, flags: flags)
  }

  /// The peer half-closed without a message.
  package mutating func halfCloseReceived() -> InboundMessages.Action {
    inbound.halfCloseReceived()
  }

  /// Bytes were consumed: a whole message by its reader, or a fragment of the one that the reader
  /// waits for on arrival (W9.5). Answers with the stream credit to grant now, 0 for none.
  package mutating func consume(_ byteCount: Int) -> Int {
    // A peer that has half-closed needs none any more.
    inbound.isHalfClosed ? 0 : receiveWindow.consume(byteCount)
  }

  /// The reader took an empty message (W6.8).
  package mutating func emptyMessageRead() {
    inbound.emptyMessageRead()
  }

  /// The peer sent CREDIT for this stream.
  package mutating func creditReceived(_ byteCount: UInt32) throws(WireFault) {
    try sendWindow.creditReceived(byteCount)
  }
}

// MARK: Out

extension CallMachine {
  /// Whether a message that was handed over is not out yet.
  package var isMessageWaiting: Bool { waiting != nil }

  /// The size of the message that waits, with what is out of it; 0 for none.
  package var waitingByteCount: Int { waiting?.byteCount ?? 0 }

  /// Takes the credit for a message that goes out whole, in one frame with `blockByteCount` bytes
  /// before it; false, and nothing is taken, when it cannot.
  package mutating func takeWhole(
    byteCount: Int, blockByteCount: Int = 0, connection: inout SendWindow,
    framePayloadByteCountMax: Int
  ) -> Bool {
    guard
      blockByteCount + byteCount <= framePayloadByteCountMax,
      byteCount <= sendWindow.available, byteCount <= connection.available
    else { return false }
    sendWindow.take(byteCount)
    connection.take(byteCount)
    return true
  }

  /// A message was handed over that cannot go out whole: `nextFragment` says how it goes.
  package mutating func messageWaits(byteCount: Int) {
    assert(waiting == nil)
    waiting = WaitingMessage(byteCount: byteCount)
  }

  /// Takes the credit for as much of the waiting message as one frame may carry now; nil when there is
  /// no message, or not enough credit for a fragment that is worth its frame (W9.2).
  package mutating func nextFragment(
    connection: inout SendWindow, framePayloadByteCountMax: Int
  ) -> Fragment? {
    guard let message = waiting else { return nil }
    let start = message.sentByteCount
    let left = message.byteCount - start
    let byteCount = min(
      left, framePayloadByteCountMax, sendWindow.available, connection.available)
    guard byteCount >= min(left, WireLimit.fragmentByteCountMin) else { return nil }
    sendWindow.take(byteCount)
    connection.take(byteCount)
    let isLast = byteCount == left
    waiting =
      isLast
      ? nil
      : WaitingMessage(
        byteCount: message.byteCount, sentByteCount: start + byteCount)
    return Fragment(range: start..<start + byteCount, isLast: isLast)
  }

  /// The call has ended: what waits will not be sent.
  package mutating func dropMessage() {
    waiting = nil
  }
}
