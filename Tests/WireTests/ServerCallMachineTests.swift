import SeededRandom
import Testing
import Wire

@Suite struct ServerCallMachineTests {
  private func call(
    isSingle: Bool = true, streamCredit: Int = 10_000, isCallerKnown: Bool = true
  ) -> ServerCallMachine {
    ServerCallMachine(
      messages: CallMachine(
        mine: ReceiveLimits(), peers: ReceiveLimits(streamCredit: streamCredit),
        receivesSingleMessage: isSingle),
      startsWithRequest: isSingle, isCallerKnown: isCallerKnown)
  }

  private func release(
    hasHandler: Bool = true, isBlocked: Bool = false, isStarted: Bool? = nil
  ) -> ServerCallMachine.Release {
    ServerCallMachine.Release(
      hasHandler: hasHandler, isBlocked: isBlocked, isStarted: isStarted ?? hasHandler)
  }

  @Test func `W7.2 what ends before a handler has it was not started`() {
    var unknown = call(isCallerKnown: false)
    #expect(unknown.handlerReturned(isSuccess: false)?.isStarted == false)
    var waiting = call(isCallerKnown: true)
    #expect(waiting.ended()?.isStarted == false)
    var serving = call(isCallerKnown: true)
    serving.handlerStarted()
    #expect(serving.ended()?.isStarted == true)
  }

  @Test func `W13.1 no handler starts before its caller is known`() {
    var unary = call(isCallerKnown: false)
    #expect(unary.isAwaitingCaller)
    _ = unary.messages.fragmentReceived(byteCount: 5, flags: .end)
    #expect(unary.inputChanged() == .wait)
    #expect(unary.callerFound() == true)
    #expect(unary.inputChanged() == .startHandler)
    var stream = call(isSingle: false, isCallerKnown: false)
    #expect(stream.inputChanged() == .wait)
    #expect(stream.callerFound() == true)
    #expect(!stream.isHandlerRunning)
    #expect(stream.inputChanged() == .startHandler)
  }

  @Test func `a call whose caller nobody knows ends, and one that ended before stays ended`() {
    var refused = call(isCallerKnown: false)
    #expect(refused.isHandlerRunning)
    #expect(refused.handlerReturned(isSuccess: false) == release(isStarted: false))
    #expect(refused.ended() == nil)
    var cancelled = call(isCallerKnown: false)
    #expect(cancelled.ended() == release(isStarted: false))
    #expect(cancelled.isHandlerRunning)
    #expect(cancelled.callerFound() == false)
    #expect(!cancelled.isHandlerRunning)
    #expect(cancelled.hasEnded)
  }

  @Test func `W5.8 a handler starts when no second message can come`() {
    var unary = call()
    _ = unary.messages.fragmentReceived(byteCount: 5, flags: [])
    #expect(unary.inputChanged() == .wait)
    _ = unary.messages.halfCloseReceived()
    #expect(unary.inputChanged() == .startHandler)
    unary.handlerStarted()
    #expect(unary.inputChanged() == .wakeReader)
  }

  @Test func `a unary call whose reply fits END ends while its handler returns`() {
    var unary = call()
    unary.handlerStarted()
    #expect(unary.isHandlerRunning)
    #expect(unary.ended() == release())
    #expect(unary.hasEnded)
    #expect(unary.isHandlerRunning)
    #expect(unary.handlerReturned(isSuccess: true) == nil)
    #expect(!unary.isHandlerRunning)
    #expect(unary.ended() == nil)
  }

  @Test func `END follows the last fragment of a reply that waited`() {
    var unary = call()
    unary.handlerStarted()
    unary.messages.messageWaits(byteCount: 15_000)
    #expect(unary.replyHandedOver() == .keep)
    #expect(unary.handlerReturned(isSuccess: true) == nil)
    #expect(!unary.hasEnded)
    var window = SendWindow(initial: 100_000)
    #expect(
      unary.messages.nextFragment(connection: &window, framePayloadByteCountMax: 20_000)
        == CallMachine.Fragment(range: 0..<10_000, isLast: false))
    _ = try? unary.messages.creditReceived(5000)
    #expect(
      unary.messages.nextFragment(connection: &window, framePayloadByteCountMax: 20_000)
        == CallMachine.Fragment(range: 10_000..<15_000, isLast: true))
    #expect(unary.waitingMessageSent() == .end(release()))
    #expect(unary.ended() == nil)
  }

  @Test func `a reply that went out in fragments ends at once`() {
    var unary = call()
    unary.handlerStarted()
    #expect(unary.replyHandedOver() == .end(release()))
    #expect(unary.handlerReturned(isSuccess: true) == nil)
  }

  @Test func `a reply after the end is dropped`() {
    var unary = call()
    unary.handlerStarted()
    #expect(unary.ended() == release())
    #expect(unary.replyHandedOver() == .drop)
  }

  @Test func `a stream's last message is sent before its END, an error does not wait`() {
    var stream = call(isSingle: false)
    stream.handlerStarted()
    stream.messages.messageWaits(byteCount: 500)
    #expect(stream.waitingMessageSent() == .wakeWriter)
    var failed = stream
    #expect(failed.handlerReturned(isSuccess: false) == release(isBlocked: true))
    #expect(!failed.messages.isMessageWaiting)
    #expect(stream.handlerReturned(isSuccess: true) == nil)
    #expect(stream.waitingMessageSent() == .end(release(isBlocked: true)))
  }

  @Test func `a call without a handler says so when it ends`() {
    var refused = call(isSingle: false)
    _ = refused.messages.fragmentReceived(byteCount: 7, flags: .more)
    #expect(refused.ended() == release(hasHandler: false))
    #expect(refused.ended() == nil)
  }

  /// Whatever happens in whatever order: a call ends exactly once, its handler is reported once, no
  /// more is sent than credit allows, and everything that was counted is given back.
  @Test func `random lives of calls keep the books`() {
    for seed in 0..<2000 {
      var life = RandomServerCall(seed: UInt64(seed))
      for _ in 0..<60 { life.step() }
      life.finish()
      #expect(life.endCount == 1)
      #expect(life.openCallCount == 0)
      #expect(life.runningHandlerCount == 0)
      #expect(life.buffered.kept == KeptBytes())
      #expect(life.sentByteCount <= life.grantedByteCount)
    }
  }
}

/// An owner of one call that does what the machine says, driven by random events.
private struct RandomServerCall {
  private var random: SeededGenerator
  private var machine: ServerCallMachine
  private var window = SendWindow(initial: 40_000)
  private let isUnary: Bool
  private var hasReplied = false
  private var kept = KeptBytes()
  private var queuedByteCount = 0
  var buffered = BufferedBytes(inputByteCountMax: .max, outputByteCountMax: .max)
  var openCallCount = 1
  var runningHandlerCount = 1
  var endCount = 0
  var sentByteCount = 0
  var grantedByteCount = 30_000

  init(seed: UInt64) {
    random = SeededGenerator(state: seed)
    isUnary = Bool.random(using: &random)
    machine = ServerCallMachine(
      messages: CallMachine(
        mine: ReceiveLimits(messageByteCountMax: 20), peers: ReceiveLimits(streamCredit: 30_000),
        receivesSingleMessage: isUnary),
      startsWithRequest: isUnary, isCallerKnown: Bool.random(using: &random))
    inputChanged()
  }

  mutating func step() {
    defer { settle() }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: fragment()
    case 1: if !machine.hasEnded { input(machine.messages.halfCloseReceived()) }
    case 2: handOver()
    case 3: flush()
    case 4: credit()
    case 5: handlerReturns()
    case 6: callerIsFound()
    default: if Int.random(in: 0..<10, using: &random) == 0 { perform(machine.ended()) }
    }
  }

  /// The connection is gone, then the handler returns.
  mutating func finish() {
    perform(machine.ended())
    if machine.isHandlerRunning { returned(isSuccess: false) }
    settle()
  }

  private mutating func settle() {
    let now =
      machine.hasEnded
      ? KeptBytes()
      : KeptBytes(input: queuedByteCount, output: machine.messages.waitingByteCount)
    #expect(buffered.changed(from: kept, to: now) == true)
    kept = now
  }

  private mutating func callerIsFound() {
    guard machine.isAwaitingCaller else { return }
    #expect(machine.callerFound() == true)
    inputChanged()
  }

  private mutating func inputChanged() {
    guard machine.inputChanged() == .startHandler else { return }
    machine.handlerStarted()
    queuedByteCount = 0
  }

  private mutating func fragment() {
    guard !machine.hasEnded else { return }
    let byteCount = Int.random(in: 0...9, using: &random)
    let flags: FrameFlags = [.more, [], .end].randomElement(using: &random) ?? []
    let action = machine.messages.fragmentReceived(byteCount: byteCount, flags: flags)
    queuedByteCount += byteCount
    input(action)
  }

  private mutating func input(_ action: InboundMessages.Action) {
    switch action {
    case .hold: break
    case .refuse, .fail: perform(machine.ended())
    case .deliver, .close: inputChanged()
    }
  }

  private mutating func handOver() {
    guard machine.isHandlerRunning, !machine.isAwaitingCaller, !machine.hasEnded,
      !machine.messages.isMessageWaiting, !hasReplied
    else { return }
    hasReplied = isUnary
    machine.messages.messageWaits(byteCount: Int.random(in: 0...25_000, using: &random))
    let first = machine.messages.nextFragment(connection: &window, framePayloadByteCountMax: 8000)
    if let first { _ = sent(first) }
    guard isUnary else { return }
    switch machine.replyHandedOver() {
    case .drop, .keep: break
    case .end(let release): perform(release)
    }
  }

  private mutating func sent(_ fragment: CallMachine.Fragment) -> Bool {
    sentByteCount += fragment.range.count
    return fragment.isLast
  }

  private mutating func flush() {
    while let next = machine.messages.nextFragment(
      connection: &window, framePayloadByteCountMax: 8000)
    {
      #expect(!machine.hasEnded)
      guard sent(next) else { continue }
      if case .end(let release) = machine.waitingMessageSent() { perform(release) }
    }
  }

  private mutating func credit() {
    guard !machine.hasEnded else { return }
    let byteCount = UInt32.random(in: 1...10_000, using: &random)
    _ = try? machine.messages.creditReceived(byteCount)
    _ = try? window.creditReceived(byteCount)
    grantedByteCount += Int(byteCount)
  }

  private mutating func handlerReturns() {
    guard machine.isHandlerRunning, Int.random(in: 0..<5, using: &random) == 0 else { return }
    returned(isSuccess: Bool.random(using: &random))
  }

  private mutating func returned(isSuccess: Bool) {
    let release = machine.handlerReturned(isSuccess: isSuccess)
    runningHandlerCount -= 1
    perform(release)
  }

  private mutating func perform(_ release: ServerCallMachine.Release?) {
    guard let release else { return }
    #expect(machine.hasEnded)
    #expect(!machine.messages.isMessageWaiting)
    endCount += 1
    openCallCount -= 1
    if !release.hasHandler { runningHandlerCount -= 1 }
  }
}
