import Domain
import EventLog
import Foundation
import HitoClient
import InMemoryStore
import Logging
import OpenSSL
import RPC
import Service
import Synchronization
import Transport

/// A server over real sockets and TLS on a store that outlives it, so that it can be stopped and
/// started again at the same port.
final class RestartableServer: Sendable {
  private struct Running {
    var server: HitoServer
    var hub: EventHub
    var relay: _Concurrency.Task<Void, Never>
  }

  let store = InMemoryStore()
  let folder: String
  let token = TokenSecret()
  private let clock = WallTime()
  private let ids = UUIDv7Generator()
  private let port = Mutex(0)
  private let running = Mutex<Running?>(nil)
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  init() async throws {
    folder = NSTemporaryDirectory() + "hito-client-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Certificates.createAuthority(
      certificateFile: "\(folder)/ca.pem", keyFile: "\(folder)/ca.key")
    try Certificates.createServerCertificate(
      authorityCertificateFile: "\(folder)/ca.pem", authorityKeyFile: "\(folder)/ca.key",
      certificateFile: "\(folder)/server.pem", keyFile: "\(folder)/server.key")
    let now = clock.now()
    let user = Domain.User(
      id: ids.next(at: now), externalID: nil, displayName: "Ana", email: nil, role: .learner,
      language: "es", timeZone: "UTC", createdAt: now, updatedAt: now)
    store.seed(user)
    store.seed(
      TokenRecord(
        id: ids.next(at: now), userID: user.id, role: .learner, hash: token.hash, label: "",
        scopes: [], createdAt: now, expiresAt: now.advanced(by: .seconds(3600))))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var address: String { "127.0.0.1:\(port.withLock { $0 })" }

  func client(interceptors: [any ClientInterceptor] = []) throws(RPCError) -> HitoClient {
    try HitoClient.make(
      address: address, tls: .authority(file: "\(folder)/ca.pem"), token: token.text,
      interceptors: interceptors)
  }

  func start() async throws {
    let hub = EventHub()
    let relay = EventRelay(log: store, hub: hub, sequencer: store, logger: logger)
    var options = Services.Options(
      clock: clock, ids: ids,
      info: ServerInfo(serverID: "test", version: "0", startedAt: clock.now()),
      secret: [UInt8](repeating: 7, count: 32))
    options.committed = { relay.wake() }
    let services = Services(
      ports: ServicePorts(
        users: store, courses: store, goals: store, snapshots: store, writes: store,
        tokens: store, log: store, archive: nil, runs: store,
        validation: ValidationPorts(
          validations: store, queue: store, tests: store, validator: nil)),
      hub: hub, options: options)
    let server = HitoServer(
      configuration: ServerConfiguration(port: port.withLock { $0 }),
      tls: try .server(
        certificateFile: "\(folder)/server.pem", keyFile: "\(folder)/server.key"),
      router: try services.router(logger: logger), authenticator: services.authenticator,
      logger: logger)
    let bound = try await server.start()
    port.withLock { $0 = bound }
    let task = _Concurrency.Task<Void, Never> { try? await relay.run() }
    running.withLock { $0 = Running(server: server, hub: hub, relay: task) }
  }

  /// Stops as `hito serve` does on SIGTERM.
  func stop() async {
    guard let stopped = running.withLock({ $0.take() }) else { return }
    stopped.hub.drain()
    await stopped.server.drain(grace: .milliseconds(200))
    stopped.relay.cancel()
    await stopped.relay.value
  }
}

private struct WallTime: TimeSource {
  func now() -> Domain.Timestamp {
    Domain.Timestamp(microsecondsSinceEpoch: Int64(Date.now.timeIntervalSince1970 * 1_000_000))
  }
}
