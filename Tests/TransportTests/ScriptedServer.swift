import NIOCore
import NIOPosix
import OpenSSL
import Synchronization
import Wire

@testable import Transport

/// Speaks TLS like any server and answers frames as a test says.
final class ScriptedServer: Sendable {
  /// What is answered to a frame: the number of its connection (from 0), the frame, the answer.
  typealias Script = @Sendable (Int, RawFrame) -> [UInt8]

  /// One connection. `@unchecked Sendable`: used on its channel's loop only.
  private final class Player: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    private let number: Int
    private let script: Script
    private let heard: @Sendable ([UInt8]) -> Void
    private var bytes: [UInt8] = []

    init(
      _ number: Int, _ heard: @escaping @Sendable ([UInt8]) -> Void, _ script: @escaping Script
    ) {
      self.number = number
      self.heard = heard
      self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      bytes.append(contentsOf: unwrapInboundIn(data).readableBytesView)
      while let frame = RawClient.takeFrame(&bytes) {
        if frame.kind == .hello { heard(frame.payload) }
        let answer =
          frame.kind == .hello
          ? RawClient.frame(.hello, stream: 0, Hello().serverPayload())
          : script(number, frame)
        if answer == ScriptedServer.hangUp { return context.close(promise: nil) }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: answer)), promise: nil)
      }
    }
  }

  /// An answer that ends the connection.
  static let hangUp: [UInt8] = [0]

  private let channel: any Channel
  let certificates: TestCertificates
  let port: Int

  /// - Parameter heard: is told the payload of each HELLO.
  init(
    hello heard: @escaping @Sendable ([UInt8]) -> Void = { _ in }, _ script: @escaping Script
  ) async throws {
    let certificates = try TestCertificates()
    let tls = try certificates.serverTLS()
    let count = Atomic(0)
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let number = count.wrappingAdd(1, ordering: .relaxed).oldValue
          try channel.pipeline.syncOperations.addHandlers(
            TLSHandler(
              session: try tls.accept(), scratch: LoopScratch(), handshakeTimeout: .seconds(60)),
            Player(number, heard, script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.certificates = certificates
    port = channel.localAddress?.port ?? 0
  }

  deinit { channel.close(promise: nil) }

  func client(
    _ change: (inout ClientConfiguration) -> Void = { _ in }
  ) throws -> HitoTransport {
    var configuration = ClientConfiguration(
      host: "127.0.0.1", port: port, tls: try certificates.clientTLS())
    configuration.connectTimeout = .seconds(60)
    change(&configuration)
    return HitoTransport(configuration)
  }

  // MARK: Answers

  static func end(
    _ stream: UInt32, _ status: StatusCode = .ok, message: String = "", isNotStarted: Bool = false
  ) -> [UInt8] {
    var trailer = EndTrailer(status: status, message: message)
    trailer.isNotStarted = isNotStarted
    return RawClient.frame(.end, stream: stream, trailer.block())
  }

  static func message(_ stream: UInt32, _ text: String) -> [UInt8] {
    RawClient.frame(.message, stream: stream, Array(text.utf8))
  }

  /// A GOAWAY that says that `lastStream` was the last one that was started.
  static func goAway(_ lastStream: UInt32, _ reason: GoAwayReason = .noError) -> [UInt8] {
    RawClient.frame(
      .goAway, stream: 0, GoAway(lastStream: lastStream, reason: reason).payload)
  }
}
