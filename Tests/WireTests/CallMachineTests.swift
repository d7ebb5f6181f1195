import Testing
import Wire

@Suite struct CallMachineTests {
  private func inbound(_ byteCountMax: Int = 100, single: Bool = false) -> InboundMessages {
    InboundMessages(byteCountMax: byteCountMax, isSingle: single)
  }

  private func isFault(_ action: InboundMessages.Action) -> Bool {
    if case .fail(let fault) = action { fault.reason == .protocolError } else { false }
  }

  private func status(_ action: InboundMessages.Action) -> StatusCode? {
    if case .refuse(let fault) = action { fault.code } else { nil }
  }

  @Test func `W6.1 fragments make a message`() {
    var messages = inbound()
    #expect(messages.fragmentReceived(byteCount: 60, flags: .more) == .hold)
    #expect(messages.unfinishedByteCount == 60)
    #expect(messages.fragmentReceived(byteCount: 40, flags: []) == .deliver(isLast: false))
    #expect(messages.unfinishedByteCount == 0)
    #expect(messages.fragmentReceived(byteCount: 1, flags: .end) == .deliver(isLast: true))
    #expect(messages.isHalfClosed)
  }

  @Test func `W6.4 the sum of the fragments is limited`() {
    var messages = inbound()
    #expect(messages.fragmentReceived(byteCount: 60, flags: .more) == .hold)
    #expect(status(messages.fragmentReceived(byteCount: 41, flags: .more)) == .resourceExhausted)
    var whole = inbound()
    #expect(status(whole.fragmentReceived(byteCount: 101, flags: [])) == .resourceExhausted)
  }

  @Test func `W6.3 an empty fragment that continues is a fault`() {
    var messages = inbound()
    #expect(isFault(messages.fragmentReceived(byteCount: 0, flags: .more)))
  }

  @Test func `W6.7 and W5.10 half-closes have their place`() {
    var inside = inbound()
    _ = inside.fragmentReceived(byteCount: 1, flags: .more)
    #expect(isFault(inside.halfCloseReceived()))
    var twice = inbound()
    #expect(twice.halfCloseReceived() == .close)
    #expect(isFault(twice.halfCloseReceived()))
    #expect(isFault(twice.fragmentReceived(byteCount: 1, flags: [])))
  }

  @Test func `W5.8 a single request is one message`() {
    var none = inbound(single: true)
    #expect(status(none.halfCloseReceived()) == .invalidArgument)
    var two = inbound(single: true)
    #expect(two.fragmentReceived(byteCount: 1, flags: []) == .deliver(isLast: false))
    #expect(status(two.fragmentReceived(byteCount: 1, flags: [])) == .invalidArgument)
    var one = inbound(single: true)
    _ = one.fragmentReceived(byteCount: 1, flags: [])
    #expect(one.halfCloseReceived() == .close)
  }

  @Test func `W6.8 unread empty messages are counted`() {
    var messages = inbound()
    for _ in 0..<1024 {
      #expect(messages.fragmentReceived(byteCount: 0, flags: []) == .deliver(isLast: false))
    }
    messages.emptyMessageRead()
    #expect(messages.fragmentReceived(byteCount: 0, flags: []) == .deliver(isLast: false))
    #expect(status(messages.fragmentReceived(byteCount: 0, flags: [])) == .resourceExhausted)
  }

  @Test func `W9.3 a stream's credit is checked before anything else`() {
    let limits = ReceiveLimits(streamCredit: 10)
    var call = CallMachine(mine: limits, peers: limits, receivesSingleMessage: false)
    #expect(call.fragmentReceived(byteCount: 10, flags: .more) == .hold)
    guard case .fail(let fault) = call.fragmentReceived(byteCount: 1, flags: []) else {
      Issue.record("too much was accepted")
      return
    }
    #expect(fault.reason == .flowControl)
  }

  @Test func `W9.5 credit goes back in steps, and not after the half-close`() {
    let limits = ReceiveLimits(streamCredit: 100)
    var call = CallMachine(mine: limits, peers: limits, receivesSingleMessage: false)
    _ = call.fragmentReceived(byteCount: 30, flags: [])
    #expect(call.consume(10) == 0)
    #expect(call.consume(15) == 25)
    _ = call.fragmentReceived(byteCount: 30, flags: .end)
    #expect(call.consume(35) == 0)
  }

  @Test func `W9.2 the smallest of four limits is sent`() {
    let peers = ReceiveLimits(streamCredit: 50)
    func first(of byteCount: Int, connection: Int, frame: Int) -> Int? {
      var call = CallMachine(mine: ReceiveLimits(), peers: peers, receivesSingleMessage: false)
      var window = SendWindow(initial: connection)
      call.messageWaits(byteCount: byteCount)
      let next = call.nextFragment(connection: &window, framePayloadByteCountMax: frame)
      #expect(window.available == connection - (next?.range.count ?? 0))
      return next?.range.count
    }
    #expect(first(of: 99, connection: 1000, frame: 80) == 50)
    #expect(first(of: 99, connection: 1000, frame: 20) == 20)
    #expect(first(of: 99, connection: 7, frame: 20) == 7)
    #expect(first(of: 3, connection: 1000, frame: 20) == 3)
    #expect(first(of: 3, connection: 0, frame: 20) == nil)
  }

  @Test func `a message goes out whole, or in fragments that cover it once`() throws {
    let peers = ReceiveLimits(streamCredit: 50)
    var call = CallMachine(mine: ReceiveLimits(), peers: peers, receivesSingleMessage: false)
    var window = SendWindow(initial: 1000)
    func isWhole(_ byteCount: Int, block: Int = 0) -> Bool {
      call.takeWhole(
        byteCount: byteCount, blockByteCount: block, connection: &window,
        framePayloadByteCountMax: 40)
    }
    #expect(!isWhole(41))
    #expect(!isWhole(30, block: 11))
    #expect(window.available == 1000)
    #expect(isWhole(30, block: 10))
    #expect(!isWhole(21))
    call.messageWaits(byteCount: 45)
    var ranges: [Range<Int>] = []
    while let next = call.nextFragment(connection: &window, framePayloadByteCountMax: 12) {
      ranges.append(next.range)
      #expect(!next.isLast)
    }
    #expect(ranges == [0..<12, 12..<20])
    #expect(call.isMessageWaiting)
    try call.creditReceived(25)
    while let next = call.nextFragment(connection: &window, framePayloadByteCountMax: 20) {
      ranges.append(next.range)
      #expect(next.isLast == (next.range.upperBound == 45))
    }
    #expect(ranges == [0..<12, 12..<20, 20..<40, 40..<45])
    #expect(!call.isMessageWaiting)
    #expect(window.available == 1000 - 75)
  }

  @Test func `an empty message needs no credit`() {
    var call = CallMachine(
      mine: ReceiveLimits(), peers: ReceiveLimits(streamCredit: 0), receivesSingleMessage: false)
    var window = SendWindow(initial: 0)
    call.messageWaits(byteCount: 0)
    #expect(
      call.nextFragment(connection: &window, framePayloadByteCountMax: 9)
        == CallMachine.Fragment(range: 0..<0, isLast: true))
    #expect(call.nextFragment(connection: &window, framePayloadByteCountMax: 9) == nil)
  }

  @Test func `W9.4 CREDIT adds up to its limit`() throws {
    var window = SendWindow(initial: 0)
    #expect(throws: WireFault.self) { try window.creditReceived(0) }
    try window.creditReceived(UInt32(Int32.max))
    #expect(window.available == Int(Int32.max))
    #expect(throws: WireFault.self) { try window.creditReceived(1) }
    window.take(5)
    try window.creditReceived(5)
  }

  @Test func `a window's parts always sum up to the initial amount`() throws {
    var random = SystemRandomNumberGenerator()
    var window = ReceiveWindow(initial: 1000)
    var held = 0
    var waiting = 0
    for _ in 0..<10_000 {
      if Bool.random(using: &random) {
        let count = Int.random(in: 0...window.granted, using: &random)
        try window.received(count)
        held += count
      } else {
        let count = Int.random(in: 0...held, using: &random)
        held -= count
        waiting += count
        let grant = window.consume(count)
        waiting -= grant
      }
      #expect(window.granted + held + waiting == 1000)
    }
  }
}
