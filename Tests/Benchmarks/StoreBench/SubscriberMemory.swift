import BenchmarkSupport
import HitoClient

/// What a subscriber that waits costs the server in memory beyond its connection.
struct SubscriberMemory {
  private static let connectionCount = 125
  private static let streamCount = 80
  /// Live before the first look, so that what the allocator keeps for good is there already.
  private static let warmUpCount = 5
  static let targetKiB = 16.0

  let server: BenchServer
  let learners: [Learner]

  func measure(_ report: inout Report) async throws {
    var clients: [HitoClient] = []
    defer { for client in clients { client.close() } }
    for number in 0..<Self.connectionCount {
      clients.append(try await server.connect(token: learners[number % learners.count].token))
      _ = try await clients[number].health.check(HealthCheckRequest())
    }
    let arrivals = Arrivals()
    let connections = clients
    let each = try await withThrowingTaskGroup(of: Void.self) { group in
      for client in connections.prefix(Self.warmUpCount) {
        for _ in 0..<Self.streamCount {
          group.addTask { try await Self.watch(client, arrivals) }
        }
      }
      try await arrivals.waitForSubscribers(Self.warmUpCount * Self.streamCount)
      let before = try await server.settledMemory()
      for client in connections.dropFirst(Self.warmUpCount) {
        for _ in 0..<Self.streamCount {
          group.addTask { try await Self.watch(client, arrivals) }
        }
      }
      try await arrivals.waitForSubscribers(Self.connectionCount * Self.streamCount)
      let used = try await server.settledMemory() - before
      group.cancelAll()
      return used / Double((Self.connectionCount - Self.warmUpCount) * Self.streamCount)
    }
    say("\(Self.connectionCount * Self.streamCount) subscribers: \(number(each)) KiB each")
    report.figures.append(
      Figure("progress.subscriber_kib", each, unit: "KiB, beyond its connection"))
    report.promises.append(
      Promise(
        "a subscriber that waits costs at most 16 KiB beyond its connection",
        holds: each <= Self.targetKiB, isBinding: false))
  }

  /// Until it is cancelled.
  private static func watch(_ client: HitoClient, _ arrivals: Arrivals) async throws {
    let stream = try await client.progress.watch(WatchRequest())
    for try await response in stream {
      if case .mark(.caughtUp) = response.step { arrivals.isLive() }
    }
  }
}
