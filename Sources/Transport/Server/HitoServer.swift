internal import Glibc
package import Logging
internal import NIOCore
internal import NIOPosix
package import OpenSSL
package import RPC
internal import Synchronization

/// Why a server cannot listen, with what to do about it.
package struct ListenError: Error, CustomStringConvertible {
  package let description: String

  init(host: String, port: Int, cause: any Error) {
    let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    let reason =
      switch (cause as? IOError)?.errnoCode {
      case EADDRINUSE: "another program listens there; stop it, or choose another port"
      case EADDRNOTAVAIL: "this machine has no such address; choose one of its own, or 0.0.0.0"
      case EACCES: "ports below 1024 need a privilege; choose a higher one"
      default: "\(cause)"
      }
    description = "cannot listen on \(address): \(reason)"
  }
}

/// A server: listens, accepts, and drains.
package final class HitoServer: Sendable {
  private enum Phase {
    case idle
    case listening([any Channel])
    case draining
  }

  let core: ServerCore
  private let group: MultiThreadedEventLoopGroup
  private let executors: [ObjectIdentifier: LoopExecutor]
  private let tls: Mutex<TLSContext>
  private let phase = Mutex(Phase.idle)
  /// Once the loops are gone.
  let lastStatistics = Mutex<ServerTotals?>(nil)

  package init(
    configuration: ServerConfiguration, tls: TLSContext, router: Router,
    authenticator: any Authenticator, observer: (any CallObserver)? = nil, logger: Logger
  ) {
    core = ServerCore(
      configuration: configuration, router: router, authenticator: authenticator,
      logger: logger, observer: observer)
    self.tls = Mutex(tls)
    group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.threadCount))
    var executors: [ObjectIdentifier: LoopExecutor] = [:]
    for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = LoopExecutor(loop) }
    self.executors = executors
  }

  /// Binds and listens. Answers with the port. Throws a `ListenError` that says what to do.
  package func start() async throws -> Int {
    // A peer that is gone must be an error of a write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let configuration = core.configuration
    let logger = core.logger
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            AcceptGate(connectionCountMax: configuration.connectionCountMax, logger: logger))
        }
      }
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // One small read a turn: the calls of a peer that sends without end cost the others of its loop
      // no more time than those of one buffer, some 90.
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 8192)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.initialize(channel) }
      }
    let channel: any Channel
    do {
      channel = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
    } catch {
      throw ListenError(host: configuration.host, port: configuration.port, cause: error)
    }
    phase.withLock { $0 = .listening([channel]) }
    beginProbes()
    let port = channel.localAddress?.port ?? configuration.port
    core.logger.info(
      "listening", metadata: ["host": "\(configuration.host)", "port": "\(port)"])
    return port
  }

  /// Uses other certificates for connections from now on; the ones that are there keep theirs.
  package func replaceTLS(_ context: TLSContext) {
    tls.withLock { $0 = context }
  }

  /// Stops accepting, lets running calls end within `grace` and their clients read the replies within
  /// as long again, then closes what is left and frees the threads. The server cannot be started again.
  package func drain(grace: Duration) async {
    let channels = phase.withLock { phase in
      defer { phase = .draining }
      if case .listening(let channels) = phase { return channels }
      return []
    }
    for channel in channels { try? await channel.close() }
    for connection in core.registry.drain(grace: grace) { connection.drain(grace: grace) }
    // The connections end their calls and close by themselves; the margin is for closing.
    let limit = grace * 2 + .seconds(3)
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await self.core.registry.waitUntilEmpty() }
      tasks.addTask {
        try? await Task.sleep(for: limit)
        for connection in self.core.registry.all { connection.abort() }
      }
      await tasks.next()
      tasks.cancelAll()
    }
    // Cancelled handlers get a moment to return: their tasks run on these threads.
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await self.core.handlers.waitUntilIdle() }
      tasks.addTask { try? await Task.sleep(for: .seconds(3)) }
      await tasks.next()
      tasks.cancelAll()
    }
    let last = await statistics()
    lastStatistics.withLock { $0 = last }
    try? await group.shutdownGracefully()
  }

  /// What is running: connections with their calls, and counts since the start.
  package func snapshot() async -> ServerSnapshot {
    var snapshot = ServerSnapshot()
    let totals = core.registry.totals
    snapshot.totals = totals.closed
    snapshot.acceptedConnectionCount = totals.accepted
    snapshot.refusedConnectionCount = totals.refused
    let loops = Dictionary(grouping: core.registry.all) { ObjectIdentifier($0.loop) }
    for connections in loops.values {
      for start in stride(from: 0, to: connections.count, by: Self.snapshotTurn) {
        let turn = connections[start..<min(start + Self.snapshotTurn, connections.count)]
        guard let found = try? await look(at: turn) else { continue }
        snapshot.connections += found.connections
        snapshot.totals.add(found.totals)
      }
    }
    snapshot.connections.sort { $0.id < $1.id }
    return snapshot
  }

  /// Connections that a loop describes before it does something else.
  private static let snapshotTurn = 128

  /// Connections of one loop.
  private func look(
    at connections: ArraySlice<ServerConnection>
  ) async throws -> (connections: [ServerSnapshot.Connection], totals: CallCounters) {
    guard let loop = connections.first?.loop else { return ([], CallCounters()) }
    return try await loop.submit { [core] in
      var totals = CallCounters()
      for connection in connections { totals.add(connection.record.counters) }
      let now = core.now()
      return (connections.compactMap { $0.snapshot(now: now) }, totals)
    }.get()
  }

  var loopExecutors: [LoopExecutor] { Array(executors.values) }

  private func initialize(_ channel: any Channel) throws {
    guard
      let executor = executors[ObjectIdentifier(channel.eventLoop)],
      let id = core.registry.admit(channel)
    else {
      throw ChannelError.eof
    }
    do {
      let session = try tls.withLock { $0 }.accept()
      try channel.pipeline.syncOperations.addHandlers(
        TLSHandler(
          session: session, scratch: executor.scratch,
          handshakeTimeout: TimeAmount(core.configuration.handshakeTimeout)),
        ServerConnection(id: id, core: core, executor: executor))
    } catch {
      core.registry.abandon(id)
      throw error
    }
  }
}
