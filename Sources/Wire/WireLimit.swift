/// The numbers of PROTOCOL.md, in one place.
package enum WireLimit {
  /// The minor version that this code speaks (W4.3).
  package static let minorVersion: UInt16 = 1
  package static let helloPayloadByteCountMax = 8192
  package static let framePayloadByteCountDefault = 16384
  package static let framePayloadByteCountMin = 16384
  package static let framePayloadByteCountMax = 1 << 20
  package static let messageByteCountDefault = 4 << 20
  package static let messageByteCountMin = 16384
  package static let concurrentCallCountDefault = 100
  package static let streamCreditDefault = 256 << 10
  package static let connectionCreditDefault = 1 << 20
  package static let creditMax = Int(Int32.max)
  /// Connection credit before the first call whose caller is known (W9.8).
  package static let strangerCredit = 64 << 10
  /// The least that a fragment carries unless it is its message's last, and the least that a CREDIT
  /// grants without being counted (W9.2, W9.7).
  package static let fragmentByteCountMin = 1024
  package static let streamIDMax = UInt32(Int32.max)
  package static let pingIntervalDefault = Duration.seconds(10)

  package static let agentByteCountMax = 128
  package static let serverIDByteCountMax = 128
  package static let tokenByteCountMax = 256
  package static let pathByteCountMax = 256
  package static let idempotencyKeyByteCountMax = 128
  package static let traceparentByteCountMax = 128
  package static let metadataByteCountMax = 8 << 10
  package static let metadataEntryCountMax = 64
  package static let metadataKeyByteCountMax = 64
  package static let statusMessageByteCountMax = 1024
  package static let detailsByteCountMax = 8192
  package static let resumeCursorByteCountMax = 512
  package static let trailerByteCountMax = 2 << 10
  /// Encodings that a HELLO or a CALL may list.
  package static let encodingCountMax = 16
  package static let goAwayTextByteCountMax = 512

  package static let unreadEmptyMessageCountMax = 1024
  /// Unfinished messages of one connection, as a multiple of the maximum message (W6.5).
  package static let unfinishedMessageFactor = 4
  package static let unaryTimeoutDefault = Duration.seconds(30)

  package static let idleDefault = Duration.seconds(1800)
  package static let idleAnonymousDefault = Duration.seconds(30)
  package static let publicStreamsPerConnectionMax = 4
  package static let publicStreamsPerAddressMax = 64

  /// The largest request of a method that is open to everybody (W6.4).
  package static let publicMessageByteCountMax = 16 << 10
  /// Calls without a caller at once, on a connection on which none is known (W5.7).
  package static let strangerCallCountMax = 16
  /// A call that ends by a timeout below this is counted (W12.4).
  package static let hastyTimeout = Duration.milliseconds(10)
}

/// What one side told the other in HELLO about what it accepts.
package struct ReceiveLimits: Sendable, Hashable {
  package var framePayloadByteCountMax: Int
  package var messageByteCountMax: Int
  package var concurrentCallCountMax: Int
  package var streamCredit: Int
  package var connectionCredit: Int

  package init(
    framePayloadByteCountMax: Int = WireLimit.framePayloadByteCountDefault,
    messageByteCountMax: Int = WireLimit.messageByteCountDefault,
    concurrentCallCountMax: Int = WireLimit.concurrentCallCountDefault,
    streamCredit: Int = WireLimit.streamCreditDefault,
    connectionCredit: Int = WireLimit.connectionCreditDefault
  ) {
    self.framePayloadByteCountMax = framePayloadByteCountMax
    self.messageByteCountMax = messageByteCountMax
    self.concurrentCallCountMax = concurrentCallCountMax
    self.streamCredit = streamCredit
    self.connectionCredit = connectionCredit
  }
}
