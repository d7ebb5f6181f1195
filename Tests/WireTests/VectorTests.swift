import Foundation
import Testing
import Wire

/// The golden frames that every client reads, too.
struct Vectors {
  let frames: [String: [UInt8]]

  init() throws {
    let file = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Vectors/wire/frames.txt")
    var frames: [String: [UInt8]] = [:]
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    where !line.hasPrefix("#") {
      let parts = line.split(separator: " ")
      try #require(parts.count == 3)
      frames[String(parts[0])] = try Self.bytes(parts[2])
    }
    self.frames = frames
  }

  private static func bytes(_ hex: Substring) throws -> [UInt8] {
    let digits = Array(hex)
    return try stride(from: 0, to: digits.count, by: 2).map {
      try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
    }
  }

  func frame(_ name: String) throws -> [UInt8] { try #require(frames[name]) }

  func payload(_ name: String) throws -> [UInt8] {
    Array(try frame(name).dropFirst(FrameHeader.byteCount))
  }
}

/// A whole frame as our code writes it.
func encoded(
  _ kind: FrameKind, _ flags: FrameFlags = [], stream: UInt32, _ payload: [UInt8] = []
) -> [UInt8] {
  var header = [UInt8](repeating: 0xAA, count: FrameHeader.byteCount)
  header.withUnsafeMutableBytes {
    FrameHeader(kind, flags: flags, stream: stream, payloadByteCount: payload.count).write(to: $0)
  }
  return header + payload
}

@Suite struct VectorTests {
  private let vectors: Vectors
  private let path = "hito.v1.GoalService/CreateGoal"
  private let abc: [UInt8] = [0x0A, 0x03, 0x61, 0x62, 0x63]

  init() throws { vectors = try Vectors() }

  @Test func `HELLO is written as in the vectors`() throws {
    var hello = Hello()
    hello.agent = "test"
    hello.token = "secret"
    #expect(
      encoded(.hello, stream: 0, hello.clientPayload()) == (try vectors.frame("hello-client")))
    hello.serverID = "hito"
    #expect(
      encoded(.hello, stream: 0, hello.serverPayload()) == (try vectors.frame("hello-server")))
  }

  @Test func `HELLO is read as in the vectors, with defaults for what is absent`() throws {
    let client = try vectors.payload("hello-client").withUnsafeBytes {
      try Hello(payload: $0)
    }
    #expect(client.agent == "test")
    #expect(client.token == "secret")
    #expect(client.limits == ReceiveLimits())
    let empty = try vectors.payload("hello-empty").withUnsafeBytes { try Hello(payload: $0) }
    #expect(empty == Hello())
  }

  @Test func `CALL is written as in the vectors`() throws {
    let unary = CallHead.block(
      path: path, timeoutMicroseconds: 30_000_000, idempotencyKey: "key-1")
    #expect(
      encoded(.call, [.end, .hasMessage], stream: 1, unary + abc)
        == (try vectors.frame("call-unary")))
    let all = CallHead.block(
      path: path, timeoutMicroseconds: 1, idempotencyKey: "k",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", token: "token",
      metadata: Metadata.sendable([("a", "1"), ("b", "ñ")], byteCountMax: 8192))
    #expect(
      encoded(.call, .hasMessage, stream: 3, all + Array("x".utf8))
        == (try vectors.frame("call-all-fields")))
  }

  @Test func `CALL is read as in the vectors`() throws {
    try vectors.payload("call-all-fields").withUnsafeBytes { bytes in
      let parts = try CallHead.read(bytes)
      #expect(String(decoding: parts.head.pathBytes, as: UTF8.self) == path)
      #expect(parts.head.timeoutMicroseconds == 1)
      #expect(parts.head.idempotencyKey == "k")
      #expect(parts.head.token == "token")
      #expect(parts.head.traceparent?.hasPrefix("00-0af7") == true)
      #expect(parts.head.metadata.entries.map(\.0) == ["a", "b"])
      #expect(parts.head.metadata.entries.map(\.1) == ["1", "ñ"])
      #expect(Array(parts.message) == Array("x".utf8))
      #expect(parts.fault == nil)
    }
  }

  @Test func `END is written and read as in the vectors`() throws {
    var ok = EndTrailer()
    ok.serverMicroseconds = 1234
    #expect(
      encoded(.end, .hasMessage, stream: 1, ok.block() + abc) == (try vectors.frame("end-ok")))
    var plain = [UInt8](repeating: 0, count: EndTrailer.plainBlockByteCount)
    plain.withUnsafeMutableBytes { EndTrailer.writePlainBlock(serverMicroseconds: 1234, to: $0) }
    #expect(plain == ok.block())
    var error = EndTrailer(status: .notFound, message: "no such goal")
    error.details = [8, 1]
    error.resumeCursor = "cursor-9"
    error.trailers = [("retry", "no")]
    error.serverMicroseconds = 7
    #expect(encoded(.end, stream: 3, error.block()) == (try vectors.frame("end-error")))
    try vectors.payload("end-error").withUnsafeBytes { bytes in
      let (trailer, message) = try EndTrailer.read(bytes)
      #expect(trailer.status == .notFound)
      #expect(trailer.message == "no such goal")
      #expect(trailer.details == [8, 1])
      #expect(trailer.resumeCursor == "cursor-9")
      #expect(trailer.trailers.map(\.0) == ["retry"])
      #expect(trailer.serverMicroseconds == 7)
      #expect(message.isEmpty)
    }
  }

  @Test func `GOAWAY is written and read as in the vectors`() throws {
    let fault = GoAway(
      lastStream: 7, reason: .flowControl, text: "more message bytes than credit")
    #expect(encoded(.goAway, stream: 0, fault.payload) == (try vectors.frame("goaway-fault")))
    let read = try vectors.payload("goaway-first").withUnsafeBytes { try GoAway(payload: $0) }
    #expect(read == GoAway(lastStream: WireLimit.streamIDMax, reason: .noError, text: "draining"))
  }

  @Test func `every header is read and written without change, and needs all its bytes`() throws {
    for (name, frame) in vectors.frames {
      frame.withUnsafeBytes { bytes in
        for count in 0..<FrameHeader.byteCount {
          #expect(FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[..<count])) == nil)
        }
        guard let header = FrameHeader(bytes), let kind = header.kind else {
          Issue.record("\(name) has no header")
          return
        }
        #expect(Int(header.payloadByteCount) == bytes.count - FrameHeader.byteCount)
        let isServers = ["server", "end-", "pong", "credit-s", "goaway", "message-e"]
          .contains { name.contains($0) }
        #expect(
          isServers ? kind.isWellFormedFromServer(header) : kind.isWellFormedFromClient(header),
          "\(name)")
      }
    }
  }

  @Test func `no prefix of a payload is read as something whole or crashes`() throws {
    for name in ["hello-client", "call-all-fields", "end-error", "goaway-fault"] {
      let payload = try vectors.payload(name)
      for count in 0..<payload.count {
        payload.prefix(count).withUnsafeBytes { bytes in
          // Every answer is fine but a crash; a cut block must be refused.
          _ = try? Hello(payload: bytes)
          _ = try? CallHead.read(bytes)
          _ = try? EndTrailer.read(bytes)
          _ = try? GoAway(payload: bytes)
        }
      }
    }
  }

  @Test func `random payloads are refused or read, never a crash`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<64, using: &random)
      var payload = (0..<count).map { _ in UInt8.random(in: 0...12, using: &random) }
      if count > 2 { payload[0] = 0 }
      payload.withUnsafeBytes { bytes in
        _ = try? Hello(payload: bytes)
        _ = try? CallHead.read(bytes)
        _ = try? EndTrailer.read(bytes)
        _ = try? GoAway(payload: bytes)
        _ = FrameHeader(bytes)
      }
    }
  }
}
