import SeededRandom
import Testing
import Wire

@Suite struct ClientCallMachineTests {
  private let mine = ReceiveLimits()

  private func peers(streamCredit: Int = 10_000) -> ReceiveLimits {
    var limits = ReceiveLimits(streamCredit: streamCredit)
    limits.framePayloadByteCountMax = 6000
    return limits
  }

  private func open(
    _ call: inout ClientCallMachine, blockByteCount: Int = 2000, streamCredit: Int = 10_000,
    connection: Int = 100_000
  ) -> ClientCallMachine.OpenAction {
    var window = SendWindow(initial: connection)
    return call.opened(
      mine: mine, peers: peers(streamCredit: streamCredit), blockByteCount: blockByteCount,
      connection: &window)
  }

  private func fragment(_ call: inout ClientCallMachine) -> ClientCallMachine.Fragment? {
    var window = SendWindow(initial: 100_000)
    return call.nextFragment(connection: &window, framePayloadByteCountMax: 6000)
  }

  @Test func `a request that fits rides in CALL and half-closes`() {
    var call = ClientCallMachine(requestByteCount: 4000)
    #expect(!call.isOpen)
    #expect(open(&call) == .callWithMessage([.hasMessage, .end]))
    #expect(call.isOpen)
    #expect(!call.isBlocked)
    #expect(fragment(&call) == nil)
    #expect(call.finish() == .nothing)
  }

  @Test(arguments: [(4001, 10_000, 100_000), (3000, 2999, 100_000), (3000, 10_000, 2999)])
  func `a request that does not fit follows in fragments`(
    byteCount: Int, streamCredit: Int, connection: Int
  ) {
    var call = ClientCallMachine(requestByteCount: byteCount)
    #expect(open(&call, streamCredit: streamCredit, connection: connection) == .call([]))
    #expect(call.isBlocked)
    let first = fragment(&call)
    #expect(first?.range.lowerBound == 0)
    #expect(first?.flags == (first?.isLast == true ? .end : .more))
  }

  @Test func `messages are handed over one at a time, and none after the last`() {
    var call = ClientCallMachine(requestByteCount: nil)
    #expect(open(&call) == .call([]))
    #expect(call.messageHandedOver(byteCount: 7000) == .send)
    #expect(call.messageHandedOver(byteCount: 1) == .refuse)
    #expect(fragment(&call) == .init(range: 0..<6000, flags: .more, isLast: false))
    #expect(call.finish() == .nothing)
    #expect(fragment(&call) == .init(range: 6000..<7000, flags: .end, isLast: true))
    #expect(call.messageHandedOver(byteCount: 1) == .refuse)
    #expect(call.finish() == .nothing)
  }

  @Test func `a call that waits for its stream holds one message`() {
    var call = ClientCallMachine(requestByteCount: nil)
    #expect(call.messageHandedOver(byteCount: 10) == .hold)
    #expect(call.messageHandedOver(byteCount: 10) == .refuse)
    #expect(open(&call) == .callWithMessage(.hasMessage))
    #expect(call.messageHandedOver(byteCount: 10) == .send)
  }

  @Test func `a half-close is said by CALL, by the last fragment or by END`() {
    var before = ClientCallMachine(requestByteCount: nil)
    #expect(before.finish() == .nothing)
    #expect(open(&before) == .call(.end))
    var after = ClientCallMachine(requestByteCount: nil)
    _ = open(&after)
    #expect(after.finish() == .sendEnd)
    #expect(after.finish() == .nothing)
  }

  @Test func `an ended call sends nothing and gives no credit`() {
    var queued = ClientCallMachine(requestByteCount: 4)
    #expect(queued.ended() == .leaveQueue)
    var call = ClientCallMachine(requestByteCount: nil)
    _ = open(&call)
    #expect(call.fragmentReceived(byteCount: 9, flags: .more) == .hold)
    #expect(call.unfinishedByteCount == 9)
    #expect(call.ended() == .closeStream)
    #expect(call.ended() == .nothing)
    #expect(call.messageHandedOver(byteCount: 1) == .refuse)
    #expect(call.finish() == .nothing)
    #expect(call.fragmentReceived(byteCount: 1, flags: []) == nil)
    #expect(call.consume(1 << 20) == 0)
    #expect(fragment(&call) == nil)
  }

  /// Whatever the caller and the credit do: every message that was taken goes out whole and in order,
  /// the half-close is said once and last, and nothing is sent beyond credit.
  @Test func `random callers are sent in order and within credit`() throws {
    for seed in 0..<2000 {
      var random = SeededGenerator(state: UInt64(seed))
      var call = ClientCallMachine(requestByteCount: nil)
      var window = SendWindow(initial: 20_000)
      var granted = 20_000
      var (takenByteCount, sentByteCount, halfCloseCount) = (0, 0, 0)
      func note(_ flags: FrameFlags, _ byteCount: Int) {
        #expect(halfCloseCount == 0)
        if flags.contains(.end) { halfCloseCount += 1 }
        sentByteCount += byteCount
      }
      for _ in 0..<60 {
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where !call.isOpen:
          let action = call.opened(
            mine: mine, peers: peers(streamCredit: 20_000), blockByteCount: 500, connection: &window
          )
          switch action {
          case .call(let flags): note(flags, 0)
          case .callWithMessage(let flags): note(flags, takenByteCount)
          }
        case 1:
          let byteCount = Int.random(in: 0...30_000, using: &random)
          if call.messageHandedOver(byteCount: byteCount) != .refuse { takenByteCount += byteCount }
        case 2:
          while let next = call.nextFragment(
            connection: &window, framePayloadByteCountMax: 8000)
          {
            note(next.flags, next.range.count)
          }
        case 3 where call.isOpen:
          let credit = UInt32.random(in: 1...9000, using: &random)
          try call.creditReceived(credit)
          try window.creditReceived(credit)
          granted += Int(credit)
        case 4 where Int.random(in: 0..<9, using: &random) == 0:
          if call.finish() == .sendEnd { note(.end, 0) }
        default: break
        }
        #expect(sentByteCount <= takenByteCount)
        #expect(sentByteCount <= granted)
        if call.isOpen, !call.isBlocked { #expect(sentByteCount == takenByteCount) }
      }
    }
  }
}
