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
    let limits = ReceiveLimits(messageByteCountMax: 50_000, streamCredit: 10_000)
    var call = CallMachine(mine: limits, peers: limits, receivesSingleMessage: false)
    _ = call.fragmentReceived(byteCount: 3000, flags: [])
    #expect(call.consume(1000) == 0)
    #expect(call.consume(1500) == 2500)
    _ = call.fragmentReceived(byteCount: 3000, flags: .end)
    #expect(call.consume(3500) == 0)
  }

  @Test func `W9.5 credit of a small window goes back at once`() throws {
    var small = ReceiveWindow(initial: 2047)
    try small.received(10)
    #expect(small.consume(10) == 10)
    #expect(small.granted == 2047)
    var usual = ReceiveWindow(initial: 2048)
    try usual.received(511)
    #expect(usual.consume(511) == 0)
    // What is held back leaves room for a fragment.
    #expect(usual.granted >= WireLimit.fragmentByteCountMin)
  }

  @Test func `W9.8 a window grows once, by what it lacks`() throws {
    var window = ReceiveWindow(initial: 64_000)
    try window.received(60_000)
    #expect(window.grow(to: 1_000_000) == 936_000)
    #expect(window.granted == 940_000)
    #expect(window.grow(to: 1_000_000) == 0)
    #expect(window.consume(60_000) == 0)
    try window.received(200_000)
    #expect(window.consume(200_000) == 260_000)
    #expect(window.granted == 1_000_000)
  }

  @Test func `W9.2 no fragment is under 1 KiB unless it is its message's last`() throws {
    let peers = ReceiveLimits(streamCredit: 1)
    var call = CallMachine(mine: ReceiveLimits(), peers: peers, receivesSingleMessage: false)
    var window = SendWindow(initial: 100_000)
    func next() -> CallMachine.Fragment? {
      call.nextFragment(connection: &window, framePayloadByteCountMax: 16_384)
    }
    call.messageWaits(byteCount: 1500)
    #expect(next() == nil)
    try call.creditReceived(1022)
    #expect(next() == nil)
    try call.creditReceived(1)
    #expect(next() == CallMachine.Fragment(range: 0..<1024, isLast: false))
    try call.creditReceived(475)
    #expect(next() == nil)
    try call.creditReceived(1)
    #expect(next() == CallMachine.Fragment(range: 1024..<1500, isLast: true))
    #expect(window.available == 100_000 - 1500)
  }

  @Test func `W9.2 the smallest of four limits is sent`() {
    let peers = ReceiveLimits(streamCredit: 5000)
    func first(of byteCount: Int, connection: Int, frame: Int) -> Int? {
      var call = CallMachine(mine: ReceiveLimits(), peers: peers, receivesSingleMessage: false)
      var window = SendWindow(initial: connection)
      call.messageWaits(byteCount: byteCount)
      let next = call.nextFragment(connection: &window, framePayloadByteCountMax: frame)
      #expect(window.available == connection - (next?.range.count ?? 0))
      return next?.range.count
    }
    #expect(first(of: 9900, connection: 100_000, frame: 8000) == 5000)
    #expect(first(of: 9900, connection: 100_000, frame: 2000) == 2000)
    #expect(first(of: 9900, connection: 1700, frame: 2000) == 1700)
    #expect(first(of: 3, connection: 100_000, frame: 2000) == 3)
    #expect(first(of: 3, connection: 0, frame: 2000) == nil)
  }

  @Test func `a message goes out whole, or in fragments that cover it once`() throws {
    let peers = ReceiveLimits(streamCredit: 6000)
    var call = CallMachine(mine: ReceiveLimits(), peers: peers, receivesSingleMessage: false)
    var window = SendWindow(initial: 100_000)
    func isWhole(_ byteCount: Int, block: Int = 0) -> Bool {
      call.takeWhole(
        byteCount: byteCount, blockByteCount: block, connection: &window,
        framePayloadByteCountMax: 4000)
    }
    #expect(!isWhole(4001))
    #expect(!isWhole(3000, block: 1001))
    #expect(window.available == 100_000)
    #expect(isWhole(3000, block: 1000))
    #expect(!isWhole(3001))
    call.messageWaits(byteCount: 5500)
    var ranges: [Range<Int>] = []
    while let next = call.nextFragment(connection: &window, framePayloadByteCountMax: 1200) {
      ranges.append(next.range)
      #expect(!next.isLast)
    }
    // 600 bytes of credit are left, too few for a fragment.
    #expect(ranges == [0..<1200, 1200..<2400])
    #expect(call.isMessageWaiting)
    try call.creditReceived(2500)
    while let next = call.nextFragment(connection: &window, framePayloadByteCountMax: 2000) {
      ranges.append(next.range)
      #expect(next.isLast == (next.range.upperBound == 5500))
    }
    #expect(ranges == [0..<1200, 1200..<2400, 2400..<4400, 4400..<5500])
    #expect(!call.isMessageWaiting)
    #expect(window.available == 100_000 - 8500)
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
