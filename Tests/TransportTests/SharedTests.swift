import NIOCore
import RPC
import Testing
import Wire

@testable import Transport

/// What both ends of a connection share, and the small values of the server's.
@Suite struct SharedTests {
  private let start = Moment.now

  // MARK: Frames

  /// Reads `bytes` in pieces of `byteCount`, as a connection does.
  private func frames(in bytes: [UInt8], piece byteCount: Int) throws -> [RawFrame] {
    var carry = FrameCarry()
    var frames: [RawFrame] = []
    for offset in stride(from: 0, to: bytes.count, by: byteCount) {
      var buffer = ByteBuffer(bytes: bytes[offset..<min(offset + byteCount, bytes.count)])
      carry.join(&buffer)
      let used = try buffer.withUnsafeReadableBytes { bytes in
        var reader = FrameReader(bytes)
        while let frame = try reader.next({ $0.kind ?? .ping }) {
          frames.append(
            RawFrame(
              kind: frame.kind, flags: frame.header.flags, stream: frame.header.stream,
              payload: Array(frame.payload)))
        }
        return reader.byteCount
      }
      buffer.moveReaderIndex(forwardBy: used)
      carry.keep(&buffer, ByteBufferAllocator())
    }
    return frames
  }

  @Test(arguments: [1, 2, 9, 10, 11, 37, 1000])
  func `frames are the same in pieces of any size`(piece: Int) throws {
    let bytes =
      RawClient.frame(.message, .more, stream: 1, [1, 2, 3])
      + RawClient.frame(.end, stream: 1) + RawClient.frame(.credit, stream: 0, [0, 0, 0, 9])
      + RawClient.frame(.message, stream: 3, [UInt8](repeating: 5, count: 100))
    let frames = try frames(in: bytes + [0, 0], piece: piece)
    #expect(frames.map(\.kind) == [.message, .end, .credit, .message])
    #expect(frames.map(\.stream) == [1, 1, 0, 3])
    #expect(frames.map(\.payload.count) == [3, 0, 4, 100])
  }

  @Test func `W2.2 a header is refused before its payload came`() {
    let header = RawClient.frame(.message, stream: 1, [1, 2, 3]).prefix(FrameHeader.byteCount)
    Array(header).withUnsafeBytes { bytes in
      var reader = FrameReader(bytes)
      #expect(throws: WireFault.self) {
        _ = try reader.next { _ throws(WireFault) in throw WireFault(.frameTooLarge, "x") }
      }
      #expect(reader.byteCount == 0)
    }
  }

  // MARK: Identity

  @Test func `the answer for HELLO's token is used while it is trusted`() {
    var identity = ConnectionIdentity()
    identity.helloReceived(token: "good")
    #expect(identity.token == "good")
    #expect(identity.principal(at: start) == nil)
    let principal = Principal(userID: "u", role: .learner, tokenID: "t")
    identity.authenticated(
      AuthenticationCache.Answer(principal: principal, validUntil: start + .seconds(10)))
    #expect(identity.principal(at: start + .seconds(9))?.userID == "u")
    #expect(identity.principal(at: start + .seconds(10)) == nil)
  }

  // MARK: Routes

  @Test func `the last route is remembered, and others are still found`() throws {
    let router = try testRouter(Witness())
    var routes = RouteCache()
    func found(_ path: String) -> String? {
      Array(path.utf8).withUnsafeBytes { routes.route($0, in: router)?.method.path }
    }
    for path in [Methods.echo.path, Methods.echo.path, Methods.count.path, Methods.echo.path] {
      #expect(found(path) == path)
    }
    #expect(found("hito.v1.None/None") == nil)
    #expect(found(Methods.echo.path) == Methods.echo.path)
    let noText: [UInt8] = [0xFF, 0]
    noText.withUnsafeBytes { #expect(routes.route($0, in: router) == nil) }
  }
}
