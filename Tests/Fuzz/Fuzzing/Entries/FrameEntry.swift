import NIOCore
import Wire

@testable import Transport

/// `side | 7 sizes of pieces | bytes`: the frame decoder gives the same frames, and the same fault,
/// however the bytes are cut.
enum FrameEntry {
  private struct Frame: Hashable {
    let header: FrameHeader
    let payload: [UInt8]
  }

  private struct Result: Hashable {
    var frames: [Frame] = []
    var fault: WireFault?
  }

  /// The part of a connection that looks at headers.
  private enum Side {
    case server(ServerConnectionMachine)
    case client(ClientConnectionMachine)

    func check(_ header: FrameHeader) throws(WireFault) -> FrameKind {
      switch self {
      case .server(let machine): try machine.check(header)
      case .client(let machine): try machine.check(header)
      }
    }

    mutating func received(_ hello: Hello) {
      switch self {
      case .server(var machine):
        machine.helloReceived(hello)
        self = .server(machine)
      case .client(var machine):
        machine.helloReceived(hello)
        self = .client(machine)
      }
    }
  }

  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let isServer = input.flag()
    let sizes = (0..<7).map { _ in Int(input.byte()) + 1 }
    let wire = input.remainder()
    let whole = decode(wire, sizes: [max(wire.count, 1)], isServer: isServer)
    let cut = decode(wire, sizes: sizes, isServer: isServer)
    require(whole == cut, "frames depend on how they are cut")
  }

  private static func decode(_ wire: [UInt8], sizes: [Int], isServer: Bool) -> Result {
    var side = side(isServer)
    var result = Result()
    var carry = FrameCarry()
    var rest = wire[...]
    var turn = 0
    while !rest.isEmpty, result.fault == nil {
      let size = sizes[turn % sizes.count]
      var buffer = ByteBuffer(bytes: rest.prefix(size))
      rest = rest.dropFirst(size)
      turn += 1
      carry.join(&buffer)
      let byteCount = buffer.withUnsafeReadableBytes { read($0, &side, &result) }
      buffer.moveReaderIndex(forwardBy: byteCount)
      carry.keep(&buffer, ByteBufferAllocator())
      require(
        carry.byteCount < FrameHeader.byteCount + WireLimit.framePayloadByteCountDefault
          || result.fault != nil, "more is kept than a frame")
    }
    return result
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, _ side: inout Side, _ result: inout Result
  ) -> Int {
    var reader = FrameReader(bytes)
    do throws(WireFault) {
      while let frame = try reader.next({ header throws(WireFault) in try side.check(header) }) {
        result.frames.append(Frame(header: frame.header, payload: Array(frame.payload)))
        if frame.kind == .hello { side.received(try Hello(payload: frame.payload)) }
      }
    } catch {
      result.fault = error
    }
    return reader.byteCount
  }

  private static func side(_ isServer: Bool) -> Side {
    let now = Moment.now
    guard isServer else {
      return .client(
        ClientConnectionMachine(
          limits: ReceiveLimits(), keepaliveIdle: .seconds(30), keepaliveTimeout: .seconds(20),
          now: now))
    }
    var machine = ServerConnectionMachine(configuration: .init(), now: now)
    machine.handshakeCompleted(now: now)
    return .server(machine)
  }
}
