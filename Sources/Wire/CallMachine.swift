/// One call as one side of the connection sees it: the messages that come in, and credit both ways.
///
/// Three kinds of misuse: the peer breaks the protocol (`.fail`, the connection ends), the peer asks
/// too much of this call (`.refuse`, the call ends), or our own code sends after the end (the owner
/// keeps no machine for an ended call, so that cannot be said).
package struct CallMachine: Sendable, Hashable {
  package private(set) var inbound: InboundMessages
  private var receiveWindow: ReceiveWindow
  package var sendWindow: SendWindow

  /// `mine` is what this side granted, `peers` what the other side did.
  package init(mine: ReceiveLimits, peers: ReceiveLimits, receivesSingleMessage: Bool) {
    inbound = InboundMessages(
      byteCountMax: mine.messageByteCountMax, isSingle: receivesSingleMessage)
    receiveWindow = ReceiveWindow(initial: mine.streamCredit)
    sendWindow = SendWindow(initial: peers.streamCredit)
  }

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

  /// How many of `byteCount` message bytes may be sent in one frame now; 0 = wait for credit.
  package func sendableByteCount(
    of byteCount: Int, connection: SendWindow, framePayloadByteCountMax: Int
  ) -> Int {
    min(byteCount, framePayloadByteCountMax, sendWindow.available, connection.available)
  }
}
