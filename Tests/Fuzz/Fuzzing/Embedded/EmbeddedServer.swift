import Logging
import NIOCore
import NIOEmbedded
import RPC
import Wire

@testable import Transport

/// A server without sockets: its connections are embedded channels of one loop.
final class EmbeddedServer {
  let loop: EmbeddedLoop
  let core: ServerCore

  init(
    _ loop: EmbeddedLoop, _ backend: any EmbeddedBackend = EmptyBackend(),
    _ configuration: ServerConfiguration = ServerConfiguration()
  ) {
    self.loop = loop
    var logger = Logger(label: "fuzz")
    logger.logLevel = .critical
    core = ServerCore(
      configuration: configuration, router: EmbeddedMethods.router(loop, backend),
      authenticator: EmbeddedAuthenticator(loop: loop), logger: logger, now: { loop.now })
  }

  /// Accepts a connection. With `tls` its bytes are encrypted, otherwise it begins behind TLS.
  func accept(
    tls: TLSHandler? = nil, socket: EmbeddedSocket = EmbeddedSocket()
  ) -> (channel: EmbeddedChannel, connection: ServerConnection)? {
    let channel = EmbeddedChannel(handler: socket, loop: loop.loop)
    guard let id = core.registry.admit(channel) else {
      _ = try? channel.close().wait()
      return nil
    }
    let connection = ServerConnection(id: id, core: core, executor: loop.executor)
    let handlers: [any ChannelHandler] =
      tls.map { [$0, connection] as [any ChannelHandler] }
      ?? [connection]
    do {
      try channel.pipeline.syncOperations.addHandlers(handlers)
    } catch {
      fatalError("\(error)")
    }
    channel.connect(to: EmbeddedSocket.address, promise: nil)
    if tls == nil {
      channel.pipeline.fireUserInboundEventTriggered(TLSEvent.handshakeCompleted(peerName: nil))
    }
    loop.run()
    return (channel, connection)
  }
}

/// Does what a socket does and an embedded channel does not: closes the output alone.
final class EmbeddedSocket: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  /// Whether its side says nothing more.
  private(set) var isOutputClosed = false

  static let address: SocketAddress = {
    do {
      return try SocketAddress(ipAddress: "127.0.0.1", port: 1)
    } catch {
      fatalError("\(error)")
    }
  }()

  func close(
    context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
  ) {
    isOutputClosed = true
    guard mode == .all else {
      promise?.succeed()
      return
    }
    context.close(mode: mode, promise: promise)
  }
}

extension EmbeddedChannel {
  /// All bytes that were sent since it was asked last.
  func takeOutput() -> [UInt8] {
    var bytes: [UInt8] = []
    while let buffer = try? readOutbound(as: ByteBuffer.self) {
      bytes += Array(buffer.readableBytesView)
    }
    return bytes
  }

  /// Bytes arrive, in one read.
  func receive(_ bytes: some Sequence<UInt8>) {
    guard isActive else { return }
    _ = try? writeInbound(ByteBuffer(bytes: bytes))
  }
}
