import BenchmarkSupport
import HitoClient

/// What a connection costs the server in memory while nothing happens on it: after HELLO, and after
/// its first call.
struct IdleConnections {
  /// Opened before the first look, so that what the allocator keeps for good is there already.
  private static let warmUpCount = 100
  private static let connectingAtOnce = 8
  static let targetKiB = 64.0

  let server: BenchServer
  let count: Int

  func measure(_ report: inout Report) async throws {
    let token = try server.adminToken()
    let first = try await connect(Self.warmUpCount, token)
    let before = try await server.settledMemory()
    let clients = try await connect(count, token)
    let idle = (try await server.settledMemory() - before) / Double(count)
    for client in clients { _ = try await client.health.check(HealthCheckRequest()) }
    let used = (try await server.settledMemory() - before) / Double(count)
    for client in first + clients { client.close() }
    say("\(count) idle connections: \(number(idle)) KiB each, \(number(used)) after a call each")
    report.figures += [
      Figure("rpc.idle_connection_kib", idle, unit: "KiB"),
      Figure("rpc.used_connection_kib", used, unit: "KiB"),
    ]
    report.promises.append(
      Promise(
        "an idle TLS connection costs at most 64 KiB", holds: idle <= Self.targetKiB,
        isBinding: true))
  }

  private func connect(_ count: Int, _ token: String) async throws -> [HitoClient] {
    let server = self.server
    var clients: [HitoClient] = []
    while clients.count < count {
      let step = min(Self.connectingAtOnce, count - clients.count)
      let address = server.address
      let authority = server.dataDirectory + "/tls/ca.pem"
      clients += try await withThrowingTaskGroup(of: HitoClient.self) { group in
        for _ in 0..<step {
          group.addTask {
            try await HitoClient.connect(
              address: address, tls: .authority(file: authority), token: token)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    return clients
  }
}
