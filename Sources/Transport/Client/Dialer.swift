internal import NIOCore
internal import NIOPosix
internal import OpenSSL
internal import RPC
internal import Synchronization

/// Connects to one of several addresses: the one that answered last is tried first, then the others in
/// their order.
final class Dialer: Sendable {
  /// Who is told what becomes of the attempts.
  struct Owner: Sendable {
    /// A server has answered the attempt of this number. Called on the connection's loop, before
    /// anything else can happen to the connection.
    let established: @Sendable (ClientConnection, Int) -> Void
    /// The connection of this attempt takes no more calls, whether it was established or not.
    let retired: @Sendable (Int) -> Void
    /// Whether further attempts are in vain.
    let isClosed: @Sendable () -> Bool
  }

  /// One for each address.
  private let endpoints: [ClientConfiguration]
  /// The endpoint that answered last.
  private let preferred = Atomic(0)
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

  /// A connection to the first server that answers.
  func connect(on loop: any EventLoop, for owner: Owner) -> EventLoopFuture<ClientConnection> {
    let first = preferred.load(ordering: .relaxed)
    let others = endpoints.indices.filter { $0 != first }
    return attempt(first, then: others[...], on: loop, owner).flatMapErrorThrowing { error in
      throw self.failure(error)
    }
  }

  private func attempt(
    _ index: Int, then rest: ArraySlice<Int>, on loop: any EventLoop, _ owner: Owner
  ) -> EventLoopFuture<ClientConnection> {
    connect(to: endpoints[index], on: loop, owner).map { connection in
      self.preferred.store(index, ordering: .relaxed)
      return connection
    }.flatMapError { error in
      guard let next = rest.first, !owner.isClosed() else { return loop.makeFailedFuture(error) }
      return self.attempt(next, then: rest.dropFirst(), on: loop, owner)
    }
  }

  /// What callers are told when no address answered: the last attempt's error, with all addresses where
  /// there are several.
  private func failure(_ last: any Error) -> any Error {
    guard endpoints.count > 1 else { return last }
    let names = endpoints.map { "\($0.host):\($0.port)" }.joined(separator: ", ")
    return RPCError(.unavailable, "no server answers at \(names)")
      .caused(by: (last as? RPCError)?.cause ?? last)
  }

  /// One attempt at one address, up to the server's HELLO.
  private func connect(
    to endpoint: ClientConfiguration, on loop: any EventLoop, _ owner: Owner
  ) -> EventLoopFuture<ClientConnection> {
    let number = attemptCount.wrappingAdd(1, ordering: .relaxed).newValue
    // Not the owner as a whole: the connection must not keep the transport that keeps it.
    let retired = owner.retired
    let connection = ClientConnection(configuration: endpoint, loop: loop) { retired(number) }
    let timeout = TimeAmount.nanoseconds(
      Int64(clamping: Int(endpoint.connectTimeout / .nanoseconds(1))))
    ClientBootstrap(group: loop)
      .connectTimeout(timeout)
      .resolver(endpoint.resolver?(loop))
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
          RPCError(.unavailable, "cannot connect to \(endpoint.host):\(endpoint.port)")
            .caused(by: NetworkFailure(error)))
      }
    let helloTimer = loop.scheduleTask(in: timeout + timeout) {
      connection.end(RPCError(.unavailable, "the server did not answer in time"))
      connection.context?.close(promise: nil)
    }
    return connection.ready.futureResult.always { _ in helloTimer.cancel() }.map {
      owner.established(connection, number)
      return connection
    }
  }
}
