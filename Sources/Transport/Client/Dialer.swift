internal import NIOCore
internal import NIOPosix
internal import OpenSSL
internal import RPC
internal import Synchronization

/// Makes connections to the addresses of a client, one attempt at a time.
final class Dialer: Sendable {
  /// One attempt at one address, up to the server's HELLO, of which `connection.ready` tells.
  struct Attempt: Sendable {
    let connection: ClientConnection
    fileprivate let endpoint: ClientConfiguration
  }

  /// One for each address.
  private let endpoints: [ClientConfiguration]
  private let attemptCount = Atomic(0)

  /// - Parameter others: addresses beside the configuration's own.
  init(_ configuration: ClientConfiguration, others: [(host: String, port: Int)]) {
    endpoints =
      [configuration]
      + others.map { other in
        var endpoint = configuration
        (endpoint.host, endpoint.port) = (other.host, other.port)
        return endpoint
      }
  }

  var addressCount: Int { endpoints.count }

  /// An address, for people.
  func place(_ address: Int) -> String { endpoints[address].place }

  /// An attempt that has not begun.
  func connect(
    to address: Int, on loop: any EventLoop, _ owner: ClientConnection.Owner
  ) -> Attempt {
    let number = attemptCount.wrappingAdd(1, ordering: .relaxed).newValue
    let endpoint = endpoints[address]
    return Attempt(
      connection: ClientConnection(
        configuration: endpoint, loop: loop, number: number, owner: owner),
      endpoint: endpoint)
  }

  /// What callers are told when no address answered: the last attempt's error, with all addresses where
  /// there are several.
  func failure(_ last: (any Error)?) -> RPCError {
    guard endpoints.count > 1 else {
      if let said = last as? RPCError {
        if said.code == .unavailable { return said }
        return RPCError(.unavailable, "cannot connect to \(endpoints[0].place): \(said.message)")
      }
      let error = RPCError(.unavailable, "cannot connect to \(endpoints[0].place)")
      return last.map { error.caused(by: $0) } ?? error
    }
    let names = endpoints.map(\.place).joined(separator: ", ")
    let error = RPCError(.unavailable, "no server answers at \(names)")
    return ((last as? RPCError)?.cause ?? last).map { error.caused(by: $0) } ?? error
  }
}

extension Dialer.Attempt {
  func begin() {
    let (connection, endpoint) = (connection, endpoint)
    let timeout = TimeAmount.nanoseconds(
      Int64(clamping: Int(endpoint.connectTimeout / .nanoseconds(1))))
    ClientBootstrap(group: connection.loop)
      .connectTimeout(timeout)
      .resolver(endpoint.resolver?(connection.loop))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connect(host: endpoint.host, port: endpoint.port)
      // Not in the initializer, which runs for each address of a name: only the channel that wins
      // may tell the connection how it ends.
      .flatMapThrowing { channel in
        let session = try endpoint.tls.connect(host: endpoint.serverName ?? endpoint.host)
        try channel.pipeline.syncOperations.addHandlers(
          TLSHandler(session: session, scratch: LoopScratch(), handshakeTimeout: timeout),
          connection)
      }
      .whenFailure { error in
        connection.end(
          RPCError(.unavailable, "cannot connect to \(endpoint.place)")
            .caused(by: NetworkFailure(error)))
      }
    let helloTimer = connection.loop.scheduleTask(in: timeout + timeout) {
      connection.end(RPCError(.unavailable, "the server did not answer in time"))
      connection.context?.close(promise: nil)
    }
    connection.ready.futureResult.whenComplete { _ in helloTimer.cancel() }
  }
}

extension ClientConfiguration {
  fileprivate var place: String { "\(host):\(port)" }
}
