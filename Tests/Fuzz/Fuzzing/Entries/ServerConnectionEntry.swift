import NIOCore
import NIOEmbedded
import RPC
import Wire

@testable import Transport

/// A script of what a client sends to a server's connection, good frames and bad ones, with time passing
/// and a socket that stops taking. Whatever comes, the server's frames are well formed and within the
/// credit that it was given, and nothing is left when the connection is gone.
enum ServerConnectionEntry {
  static func run(_ bytes: [UInt8]) {
    var script = ServerScript(bytes)
    script.run()
  }
}

private struct ServerScript {
  private var input: FuzzInput
  private let loop = EmbeddedLoop()
  private let server: EmbeddedServer
  private let channel: EmbeddedChannel
  private let connection: ServerConnection
  private var checker = FrameChecker(.server)
  private var ledger = CreditLedger()
  /// What was written and not delivered.
  private var pending: [UInt8] = []
  private var nextStream: UInt32 = 1
  /// Whether all frames so far came from `frame`: then the credit that the server has is known.
  private var isHonest = true

  init(_ bytes: [UInt8]) {
    input = FuzzInput(bytes)
    server = EmbeddedServer(loop)
    guard let accepted = server.accept() else { fatalError("a server that takes nobody") }
    (channel, connection) = accepted
  }

  mutating func run() {
    hello()
    var stepCount = 0
    while !input.isEmpty, channel.isActive, stepCount < 400 {
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

  private mutating func hello() {
    var hello = Hello()
    let choice = input.byte()
    hello.minorVersion = UInt16(choice & 1)
    if choice & 2 != 0 { hello.encodings = Encodings([.deflate]) }
    hello.token = choice & 12 == 0 ? nil : choice & 4 != 0 ? "good" : "slow"
    if choice & 16 != 0 {
      hello.limits.streamCredit = input.size()
      hello.limits.connectionCredit = input.size()
    }
    if choice & 32 != 0 { hello.limits.messageByteCountMax = 16384 + input.size() }
    ledger.connection.granted = hello.limits.connectionCredit
    ledger.streamCredit = hello.limits.streamCredit
    frame(.hello, stream: 0, hello.clientPayload())
    deliver()
  }

  private mutating func frame(
    _ kind: FrameKind, _ flags: FrameFlags = [], stream: UInt32, _ payload: [UInt8] = []
  ) {
    let header = FrameHeader(kind, flags: flags, stream: stream, payloadByteCount: payload.count)
    var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    bytes.withUnsafeMutableBytes { header.write(to: $0) }
    pending += bytes + payload
  }

  private mutating func step(_ operation: UInt8) {
    switch operation {
    case 0, 1, 2, 3: call(isWhole: operation < 2)
    case 4:
      frame(.message, FrameFlags(rawValue: input.byte() & 11), stream: stream(), message())
    case 5: frame(.end, stream: stream())
    case 6: frame(.cancel, stream: stream())
    case 7, 8: credit()
    case 9: pingOrGoAway()
    case 10:
      isHonest = false
      pending += input.bytes()
    case 11:
      isHonest = false
      frame(
        FrameKind(rawValue: input.byte() % 11) ?? .hello, FrameFlags(rawValue: input.byte()),
        stream: UInt32(input.byte()), input.bytes())
    case 12: loop.advance(by: .milliseconds(input.size()))
    case 13:
      channel.isWritable.toggle()
      channel.pipeline.fireChannelWritabilityChanged()
    case 14: if input.byte() > 200 { connection.drain(grace: .milliseconds(input.size())) }
    default: deliver()
    }
  }

  private mutating func stream() -> UInt32 {
    let back = UInt32(input.byte() & 15) * 2
    return nextStream > back + 2 ? nextStream - 2 - back : 1
  }

  private mutating func message() -> [UInt8] {
    let choice = input.byte()
    if choice < 64 { return [UInt8](repeating: choice, count: input.size()) }
    if choice < 96 { return Array("\(input.byte() & 15) \(input.size())".utf8) }
    return input.bytes()
  }

  private mutating func call(isWhole: Bool) {
    let choice = input.byte()
    let metadata: [(String, String)] = choice & 0x80 == 0 ? [] : [("a", "b")]
    var head = CallHead.block(
      path: EmbeddedMethods.all[Int(choice) % EmbeddedMethods.all.count].path,
      timeoutMicroseconds: choice & 0x40 == 0 ? nil : UInt64(input.size()) * 100,
      idempotencyKey: choice & 0x20 == 0 ? nil : "k\(input.byte())",
      token: choice & 0x10 == 0 ? nil : input.choice(of: ["good", "slow", "bad", "other"]),
      metadata: SendableMetadata(metadata))
    if isWhole { head += message() }
    let flags: FrameFlags =
      isWhole ? [.hasMessage, .end] : FrameFlags(rawValue: input.byte() & 5)
    if !isWhole, flags.contains(.hasMessage) { head += message() }
    frame(.call, flags, stream: nextStream, head)
    nextStream += 2
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
        GoAway(lastStream: 0, reason: GoAwayReason(wireValue: UInt16(choice >> 4))).payload)
    }
  }

  private mutating func deliver() {
    if !pending.isEmpty { channel.receive(pending) }
    pending = []
    loop.run()
  }

  private mutating func check() {
    for frame in checker.take(channel.takeOutput()) {
      ledger.sent(frame.messageByteCount, stream: frame.header.stream)
      if isHonest { ledger.check(stream: frame.header.stream) }
      if frame.kind == .end { ledger.ended(frame.header.stream, isHonest: isHonest) }
    }
    connection.requireSound()
  }

  private mutating func end() {
    _ = try? channel.close().wait()
    loop.run()
    // What a look-up of a caller still waits for.
    loop.advance(by: .seconds(1))
    connection.requireGone()
    server.requireEmpty()
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}

/// What a side may send, and has.
struct CreditLedger {
  struct Account {
    var granted = 0
    var used = 0
  }

  var connection = Account()
  var streamCredit = 0
  private var streams: [UInt32: Account] = [:]
  private var endedStreams: Set<UInt32> = []

  mutating func grant(_ byteCount: Int, stream: UInt32) {
    if stream == 0 {
      connection.granted += byteCount
    } else {
      streams[stream, default: Account(granted: streamCredit)].granted += byteCount
    }
  }

  mutating func sent(_ byteCount: Int, stream: UInt32) {
    guard byteCount > 0 else { return }
    connection.used += byteCount
    streams[stream, default: Account(granted: streamCredit)].used += byteCount
  }

  func check(stream: UInt32) {
    require(connection.used <= connection.granted, "more than the connection's credit")
    guard let account = streams[stream] else { return }
    require(account.used <= account.granted, "more than the credit of stream \(stream)")
  }

  mutating func ended(_ stream: UInt32, isHonest: Bool) {
    let isFirst = endedStreams.insert(stream).inserted
    if isHonest { require(isFirst, "stream \(stream) ended twice") }
  }
}
