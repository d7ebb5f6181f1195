import NIOCore
import NIOEmbedded
import OpenSSL
import RPC
import Wire

@testable import Transport

/// A client's connection without a socket.
final class EmbeddedClient {
  let loop: EmbeddedLoop
  let channel: EmbeddedChannel
  let connection: ClientConnection

  /// Never used: the connections begin behind TLS.
  private static let tls: TLSContext = {
    do {
      return try .client(authorityFile: nil)
    } catch {
      fatalError("\(error)")
    }
  }()

  init(_ loop: EmbeddedLoop, _ change: (inout ClientConfiguration) -> Void = { _ in }) {
    self.loop = loop
    var configuration = ClientConfiguration(
      host: "localhost", port: 1, tls: Self.tls, token: "good")
    change(&configuration)
    connection = ClientConnection(
      configuration: configuration, loop: loop.loop, number: 1,
      owner: ClientConnection.Owner(
        retired: { _ in }, served: { _ in }, callEnded: { _ in }, ended: { _, _ in }),
      clock: { loop.now })
    channel = EmbeddedChannel(handler: EmbeddedSocket(), loop: loop.loop)
    do {
      try channel.pipeline.syncOperations.addHandler(connection)
    } catch {
      fatalError("\(error)")
    }
    channel.connect(to: EmbeddedSocket.address, promise: nil)
    channel.pipeline.fireUserInboundEventTriggered(TLSEvent.handshakeCompleted(peerName: nil))
    loop.run()
  }

  func call(
    _ method: MethodDescriptor, _ message: [UInt8]? = nil, key: String? = nil,
    timeout: Duration? = nil, token: String? = nil
  ) -> ClientCall {
    ClientCall(
      connection, method, CallOptions(timeout: timeout, token: token), idempotencyKey: key,
      deadline: timeout.map { loop.now + $0 }, firstMessage: message.map(connection.outgoing))
  }
}
