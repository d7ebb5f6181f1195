import RPC

@testable import Transport

/// One life of a server: from its start until it is killed or drained.
final class SimulatedServer {
  private let backend: SimulatedBackend
  let embedded: EmbeddedServer
  private(set) var isDraining = false

  init(
    _ loop: EmbeddedLoop, _ store: SimulatedStore, _ configuration: ServerConfiguration,
    pause: @escaping @Sendable () -> Duration
  ) {
    backend = SimulatedBackend(loop, store, pause: pause)
    embedded = EmbeddedServer(loop, backend, configuration)
  }

  var isAlive: Bool { backend.isAlive }

  var takesConnections: Bool { isAlive && !isDraining }

  /// What it does from now on has no effect.
  func kill() { backend.kill() }

  func drain(grace: Duration) {
    isDraining = true
    for connection in embedded.core.registry.drain(grace: grace) { connection.drain(grace: grace) }
  }
}

/// The handlers of one life of a server.
///
/// `@unchecked Sendable`: used on one loop only.
private final class SimulatedBackend: EmbeddedBackend, @unchecked Sendable {
  private let loop: EmbeddedLoop
  private let store: SimulatedStore
  /// The time that the next piece of work takes.
  private let pause: @Sendable () -> Duration
  private(set) var isAlive = true

  init(_ loop: EmbeddedLoop, _ store: SimulatedStore, pause: @escaping @Sendable () -> Duration) {
    self.loop = loop
    self.store = store
    self.pause = pause
  }

  func kill() { isAlive = false }

  func write(_ request: Blob, key: String?) async throws -> Blob {
    store.began(request)
    await work()
    guard isAlive else { throw RPCError(.unavailable, "this server was killed") }
    let reply = store.commit(request, key: key ?? request.text)
    // Killed here, the write is there and nobody was told.
    await work()
    return reply
  }

  func work() async { await loop.sleep(pause()) }
}
