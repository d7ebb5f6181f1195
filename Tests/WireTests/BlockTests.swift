import Testing
import Wire

@Suite struct BlockTests {
  private func read(_ payload: [UInt8]) -> Result<[UInt8: [UInt8]], WireFault> {
    payload.withUnsafeBytes { bytes in
      do throws(WireFault) {
        var reader = try BlockReader(bytes)
        var fields: [UInt8: [UInt8]] = [:]
        while let field = try reader.next() {
          try reader.requireFirst(field)
          fields[field.tag] = Array(field.value)
        }
        return .success(fields)
      } catch {
        return .failure(error)
      }
    }
  }

  private func call(_ build: (inout BlockWriter) -> Void) -> Result<CallFault?, WireFault> {
    var writer = BlockWriter()
    writer.add(1, "a/b")
    build(&writer)
    return writer.bytes.withUnsafeBytes { bytes in
      do throws(WireFault) {
        return .success(try CallHead.read(bytes).fault)
      } catch {
        return .failure(error)
      }
    }
  }

  @Test func `W3.1 fields are read and what follows the block is left`() throws {
    #expect(read([0, 5, 7, 0, 2, 8, 9, 99]) == .success([7: [8, 9]]))
    #expect(read([0, 0]) == .success([:]))
  }

  @Test(
    arguments: [
      [], [0], [0, 1], [0, 2, 1, 0], [0, 3, 1, 0, 1], [0, 4, 1, 0, 2, 9], [0xFF, 0xFF, 1],
    ] as [[UInt8]])
  func `W3.3 what runs past its end is refused`(_ payload: [UInt8]) {
    guard case .failure(let fault) = read(payload) else {
      Issue.record("\(payload) was read")
      return
    }
    #expect(fault.reason == .protocolError)
  }

  @Test func `W3.2 unknown tags are skipped, known ones occur once`() {
    #expect(
      call {
        $0.add(200, "x")
        $0.add(200, "y")
      } == .success(nil))
    #expect(call { $0.add(1, "a/b") }.failure?.reason == .protocolError)
  }

  @Test func `W3.4 text that is not text is a call error`() {
    #expect(call { $0.add(3, bytes: [0xFF, 0xFE]) }.fault?.code == .invalidArgument)
    #expect(call { $0.add(3, bytes: [65, 0]) }.fault?.code == .invalidArgument)
    #expect(call { $0.add(3, bytes: [UInt8](repeating: 65, count: 129)) }.fault != nil)
    #expect(call { $0.add(3, "") }.fault?.code == .invalidArgument)
    #expect(call { $0.add(3, bytes: [UInt8](repeating: 65, count: 128)) } == .success(nil))
  }

  @Test func `W5.3 metadata has limits on keys, values and sums`() {
    #expect(call { $0.add(6, key: "ok-1_.", value: "".utf8) } == .success(nil))
    #expect(call { $0.add(6, key: "Bad", value: "x".utf8) }.fault?.code == .invalidArgument)
    #expect(call { $0.add(6, key: "", value: "x".utf8) }.fault?.code == .invalidArgument)
    #expect(call { $0.add(6, bytes: [9, 65]) }.failure?.reason == .protocolError)
    #expect(call { $0.add(6, bytes: []) }.failure?.reason == .protocolError)
    let big = String(repeating: "v", count: 8192)
    #expect(call { $0.add(6, key: "k", value: big.utf8) }.fault?.code == .invalidArgument)
    let many: (inout BlockWriter) -> Void = { writer in
      for index in 0..<65 { writer.add(6, key: "k\(index)", value: "".utf8) }
    }
    #expect(call(many).fault?.code == .invalidArgument)
  }

  @Test func `W5.3 a key that ends with -bin has bytes for its value since minor version 1`() throws
  {
    let bytes: [UInt8] = [0, 0xFF, 0xC3]
    var writer = BlockWriter()
    writer.add(1, "a/b")
    writer.add(6, key: "k-bin", value: bytes)
    writer.add(6, key: "t", value: "text".utf8)
    let parts = try writer.bytes.withUnsafeBytes { try CallHead.read($0, minorVersion: 1) }
    #expect(parts.fault == nil)
    #expect(parts.head.metadata.binaryEntries.map(\.1) == [bytes])
    #expect(parts.head.metadata.entries.map(\.0) == ["t"])
    let before = try writer.bytes.withUnsafeBytes { try CallHead.read($0, minorVersion: 0) }
    #expect(before.fault?.code == .invalidArgument)
    var head = ResponseHead.block(
      [("t", "1"), ("no-bin", "text")], [("k-bin", bytes), ("k", bytes)])
    let read = try head.withUnsafeBytes { try ResponseHead.read($0) }
    #expect(read.entries.map(\.0) == ["t"] && read.binaryEntries.map(\.0) == ["k-bin"])
    head.append(0)
    #expect(throws: WireFault.self) { try head.withUnsafeBytes { try ResponseHead.read($0) } }
  }

  @Test func `W4.2 encodings are a byte each, and those of nobody are left out`() throws {
    func encodings(_ bytes: [UInt8]) throws -> Encodings {
      var writer = BlockWriter()
      writer.add(11, bytes: bytes)
      return try writer.bytes.withUnsafeBytes { try Hello(payload: $0).encodings }
    }
    #expect(try encodings([9, 1, 2]).contains(.deflate))
    #expect(try encodings([2, 3]).isEmpty)
    #expect(try encodings([]).isEmpty)
    #expect(throws: WireFault.self) { try encodings([UInt8](repeating: 1, count: 17)) }
  }

  @Test func `W2.4 COMPRESSED stands where a message begins, and HEAD comes from servers`() {
    func isFromClient(_ kind: FrameKind, _ flags: FrameFlags) -> Bool {
      kind.isWellFormedFromClient(FrameHeader(kind, flags: flags, stream: 1, payloadByteCount: 9))
    }
    #expect(isFromClient(.call, [.hasMessage, .compressed, .more]))
    #expect(isFromClient(.message, [.compressed, .end]))
    #expect(!isFromClient(.call, [.compressed, .end]))
    #expect(!isFromClient(.head, []))
    func isFromServer(_ kind: FrameKind, _ flags: FrameFlags) -> Bool {
      kind.isWellFormedFromServer(FrameHeader(kind, flags: flags, stream: 1, payloadByteCount: 9))
    }
    #expect(isFromServer(.message, [.compressed, .more]))
    #expect(isFromServer(.end, [.hasMessage, .compressed]))
    #expect(isFromServer(.head, []))
    #expect(!isFromServer(.end, .compressed))
    #expect(!isFromServer(.head, .hasMessage))
  }

  @Test(arguments: [(3, 16383), (3, 1_048_577), (4, 16383), (6, 2_147_483_648), (7, 4_294_967_295)])
  func `W4.4 limits outside their range are refused`(_ tag: UInt8, _ value: UInt32) {
    var writer = BlockWriter()
    writer.add(tag, value)
    let isRefused = writer.bytes.withUnsafeBytes { (try? Hello(payload: $0)) == nil }
    #expect(isRefused)
  }

  @Test func `END always fits a frame, whatever a handler says`() {
    var trailer = EndTrailer(status: .internal, message: String(repeating: "ñ", count: 5000))
    trailer.details = [UInt8](repeating: 1, count: 8192)
    trailer.resumeCursor = String(repeating: "c", count: 512)
    trailer.trailers = (0..<100).map { ("key\($0)", String(repeating: "v", count: 100)) }
    trailer.serverMicroseconds = .max
    let block = trailer.block()
    #expect(block.count <= WireLimit.framePayloadByteCountMin)
    block.withUnsafeBytes { bytes in
      let read = try? EndTrailer.read(bytes).trailer
      #expect(read?.message == String(repeating: "ñ", count: 512))
      #expect(read?.details.count == 8192)
    }
  }

  @Test func `clipping cuts between scalars and removes NUL`() {
    #expect(WireText.clip("añb", byteCountMax: 2) == "a")
    #expect(WireText.clip("añb", byteCountMax: 3) == "añ")
    #expect(WireText.clip("e\u{301}x", byteCountMax: 2) == "e")
    #expect(WireText.clip("a\0b", byteCountMax: 9) == "ab")
    #expect(WireText.clip("👩‍👩‍👧", byteCountMax: 5) == "👩")
  }

  @Test func `W7.4 an unknown status is UNKNOWN`() {
    #expect(StatusCode(wireValue: 99) == .unknown)
    #expect(StatusCode.allCases.count == 17)
  }
}

extension Result where Success == CallFault?, Failure == WireFault {
  fileprivate var failure: WireFault? { if case .failure(let fault) = self { fault } else { nil } }
  fileprivate var fault: CallFault? { if case .success(let fault) = self { fault } else { nil } }
}
