import BenchmarkSupport
import HitoClient
import Synchronization

/// What a subscriber that waits costs the server in memory beyond its connection.
struct SubscriberMemory {
  private static let connectionCount = 125
  private static let streamCount = 80
  /// Live before the first look, so that what the allocator keeps for good is there already.
  private static let warmUpCount = 5
  private static let limit = Duration.seconds(120)
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
    let liveCount = Mutex(0)
    let connections = clients
    let each = try await withThrowingTaskGroup(of: Void.self) { group in
      func watch(_ some: ArraySlice<HitoClient>) {
        for client in some {
          for _ in 0..<Self.streamCount {
            group.addTask {
              let stream = try await client.progress.watch(WatchRequest())
              for try await response in stream {
                if case .mark(.caughtUp) = response.step { liveCount.withLock { $0 += 1 } }
              }
            }
          }
        }
      }
      func wait(for count: Int) async throws {
        let end = ContinuousClock.now + Self.limit
        while liveCount.withLock({ $0 }) < count {
          guard ContinuousClock.now < end else {
            throw BenchmarkError("subscriptions were not live within \(Self.limit)")
          }
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      watch(connections.prefix(Self.warmUpCount))
      try await wait(for: Self.warmUpCount * Self.streamCount)
      let before = try await server.settledMemory()
      watch(connections.dropFirst(Self.warmUpCount))
      try await wait(for: Self.connectionCount * Self.streamCount)
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
}
