import NIOCore
import NIOEmbedded
import RPC
import Wire

@testable import Transport

/// A script of what an application does with a client's connection, and of what a server sends it: good
/// frames and bad ones. Every call ends once, and nothing is left when the connection is gone.
enum ClientConnectionEntry {
  static func run(_ bytes: [UInt8]) {
    var script = ClientScript(bytes)
    script.run()
  }
}

/// One call of the script, as its reader sees it.
///
/// `@unchecked Sendable`: used on one loop only.
private final class ScriptedCall: @unchecked Sendable {
  let call: ClientCall
  var endCount = 0
  /// Whether a send has not returned.
  var isSending = false
  var sendsOpen = 0

  init(_ call: ClientCall) { self.call = call }

  func read() async {
    do throws(RPCError) {
      while try await call.next({ bytes, _ in bytes.count }) != nil {}
    } catch {
      require(call.endError != nil, "a reader failed, and its call has not")
    }
    endCount += 1
  }

  func send(_ bytes: [UInt8]) async {
    sendsOpen += 1
    isSending = true
    do throws(RPCError) {
      try await call.send(call.connection.outgoing(bytes))
    } catch {}
    isSending = false
    sendsOpen -= 1
  }
}

private struct ClientScript {
  private var input: FuzzInput
  private let loop = EmbeddedLoop()
  private let client: EmbeddedClient
  private var calls: [ScriptedCall] = []
  private var checker = FrameChecker(.client)
  private var ledger = CreditLedger()
  private var pending: [UInt8] = []
  private var isHonest = true
  private var isGreeted = false

  init(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let choice = input.byte()
    let size = input.size()
    client = EmbeddedClient(loop) { configuration in
      configuration.compresses = choice & 1 == 1
      guard choice & 2 != 0 else { return }
      configuration.limits.streamCredit = size
      configuration.limits.connectionCredit = size * 2
    }
    self.input = input
  }

  mutating func run() {
    var stepCount = 0
    while !input.isEmpty, client.channel.isActive, stepCount < 400 {
      stepCount += 1
      let operation = input.byte()
      step(operation & 15)
      if operation & 0x40 == 0 { deliver() }
      check()
    }
    deliver()
    check()
    end()
  }

  private mutating func step(_ operation: UInt8) {
    switch operation {
    case 0, 1: start()
    case 2: if let call = call(), !call.isSending { send(on: call) }
    case 3: call()?.call.finishSending()
    case 4: if let call = call() { input.flag() ? call.call.cancel() : call.call.abandon() }
    case 5: hello()
    case 6: frame(.message, FrameFlags(rawValue: input.byte() & 10), stream: stream(), message())
    case 7: end(of: stream())
    case 8, 9: credit()
    case 10: frame(.head, stream: stream(), ResponseHead.block([("a", "b")], []))
    case 11:
      isHonest = false
      pending += input.bytes()
    case 12:
      isHonest = false
      frame(
        FrameKind(rawValue: input.byte() % 11) ?? .hello, FrameFlags(rawValue: input.byte()),
        stream: UInt32(input.byte()), input.bytes())
    case 13: loop.advance(by: .milliseconds(input.size()))
    case 14: pingOrGoAway()
    default: deliver()
    }
  }

  // MARK: The application

  private mutating func call() -> ScriptedCall? {
    let index = Int(input.byte())
    return calls.isEmpty ? nil : calls[index % calls.count]
  }

  private mutating func start() {
    guard calls.count < 120 else { return }
    let choice = input.byte()
    let method = EmbeddedMethods.all[Int(choice) % EmbeddedMethods.all.count]
    let call = client.call(
      method, method.kind.hasSingleRequest ? message() : nil,
      key: choice & 0x20 == 0 ? nil : "key",
      timeout: choice & 0x40 == 0 ? nil : .milliseconds(input.size()))
    let scripted = ScriptedCall(call)
    calls.append(scripted)
    call.start()
    loop.start { await scripted.read() }
  }

  private mutating func send(on call: ScriptedCall) {
    let bytes = message()
    loop.start { await call.send(bytes) }
  }

  // MARK: The server

  private mutating func frame(
    _ kind: FrameKind, _ flags: FrameFlags = [], stream: UInt32, _ payload: [UInt8] = []
  ) {
    let header = FrameHeader(kind, flags: flags, stream: stream, payloadByteCount: payload.count)
    var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    bytes.withUnsafeMutableBytes { header.write(to: $0) }
    pending += bytes + payload
  }

  private mutating func hello() {
    var hello = Hello()
    let choice = input.byte()
    hello.minorVersion = UInt16(choice & 1)
    if choice & 2 != 0 { hello.encodings = Encodings([.deflate]) }
    hello.limits.concurrentCallCountMax = choice & 4 == 0 ? 100 : Int(choice >> 4)
    if choice & 8 != 0 {
      hello.limits.streamCredit = input.size()
      hello.limits.connectionCredit = input.size()
    }
    // A second one is refused, and changes nothing.
    if !isGreeted {
      ledger.connection.granted = hello.limits.connectionCredit
      ledger.streamCredit = hello.limits.streamCredit
    }
    isGreeted = true
    frame(.hello, stream: 0, hello.serverPayload())
  }

  private mutating func stream() -> UInt32 { UInt32(input.byte() & 31) * 2 + 1 }

  private mutating func message() -> [UInt8] {
    let choice = input.byte()
    return choice < 96 ? [UInt8](repeating: choice, count: input.size()) : input.bytes()
  }

  private mutating func end(of stream: UInt32) {
    let choice = input.byte()
    var trailer = EndTrailer(status: StatusCode(wireValue: UInt16(choice & 31)), message: "m")
    trailer.isNotStarted = choice & 0x40 != 0
    let hasMessage = choice & 0x80 != 0
    frame(
      .end, hasMessage ? .hasMessage : [], stream: stream,
      trailer.block(minorVersion: 1) + (hasMessage ? message() : []))
  }

  private mutating func credit() {
    let stream = input.flag() ? stream() : 0
    let byteCount = input.byte() < 250 ? UInt32(input.size()) : input.number32()
    frame(.credit, stream: stream, withUnsafeBytes(of: byteCount.bigEndian) { Array($0) })
    ledger.grant(Int(byteCount), stream: stream)
  }

  private mutating func pingOrGoAway() {
    let choice = input.byte()
    let opaque = withUnsafeBytes(of: UInt64(choice >> 2).bigEndian) { Array($0) }
    switch choice & 3 {
    case 0: frame(.ping, stream: 0, opaque)
    case 1, 2: frame(.pong, stream: 0, opaque)
    default:
      frame(
        .goAway, stream: 0,
        GoAway(
          lastStream: UInt32(input.byte()), reason: GoAwayReason(wireValue: UInt16(choice >> 4))
        ).payload)
    }
  }

  // MARK: Delivery

  private mutating func deliver() {
    if !pending.isEmpty { client.channel.receive(pending) }
    pending = []
    loop.run()
  }

  private mutating func check() {
    for frame in checker.take(client.channel.takeOutput()) {
      ledger.sent(frame.messageByteCount, stream: frame.header.stream)
      if isHonest { ledger.check(stream: frame.header.stream) }
    }
    client.connection.requireSound()
    for call in calls { require(call.endCount <= 1, "a call ended twice") }
  }

  private mutating func end() {
    _ = try? client.channel.close().wait()
    loop.run()
    client.connection.requireGone()
    for call in calls {
      require(call.endCount == 1, "a call ended \(call.endCount) times")
      require(call.sendsOpen == 0, "a send of a call that has ended waits")
    }
    _ = try? client.channel.finish(acceptAlreadyClosed: true)
  }
}
