import BenchmarkSupport
import HitoClient
import Synchronization

/// How long it takes from a commit until a subscriber on another connection has the event.
///
/// Counted from when CreateGoal was *sent*: the commit is somewhere after that, so that the figure
/// is an upper bound. From when the reply was there it is shorter, and told beside it.
struct Subscribers {
  static let targetMilliseconds = 50.0
  /// Between two commits; a jitter keeps them from falling into step with the relay.
  private static let pause = 10.0...30.0

  let server: BenchServer
  let learner: Learner
  let commitCount: Int

  private struct Commit {
    var sent: ContinuousClock.Instant
    var answered: ContinuousClock.Instant
  }

  func measure(_ report: inout Report) async throws {
    for count in [1, 100] {
      let (sinceSent, sinceReply) = try await measure(subscriberCount: count)
      say(
        "\(count) subscribers, \(sinceSent.count) deliveries: from sending the call median "
          + "\(number(sinceSent.median)) ms, p99 \(number(sinceSent.percentile(99))) ms, worst "
          + "\(number(sinceSent.maximum)) ms; from its reply median \(number(sinceReply.median)) "
          + "ms, p99 \(number(sinceReply.percentile(99))) ms")
      let p99 = sinceSent.percentile(99)
      let name = "progress.commit_to_subscriber"
      report.figures += [
        Figure(count == 100 ? "\(name)_p99_ms" : "\(name)_\(count)_p99_ms", p99, unit: "ms"),
        Figure("\(name)_\(count)_p50_ms", sinceSent.median, unit: "ms"),
        Figure("\(name)_\(count)_since_reply_p99_ms", sinceReply.percentile(99), unit: "ms"),
      ]
      if count == 100 {
        report.figures += [
          Figure("progress.reply_to_subscriber_p50_ms", sinceReply.median, unit: "ms"),
          Figure("progress.reply_to_subscriber_p99_ms", sinceReply.percentile(99), unit: "ms"),
        ]
      }
      report.promises.append(
        Promise(
          "\(count) subscribers have 99 of 100 events within 50 ms, on an idle machine",
          holds: p99 < Self.targetMilliseconds, isBinding: false))
    }
  }

  private func measure(subscriberCount: Int) async throws -> (Samples, Samples) {
    var clients: [HitoClient] = []
    defer { for client in clients { client.close() } }
    for _ in 0..<subscriberCount {
      clients.append(try await server.connect(token: learner.token))
    }
    let arrivals = Arrivals()
    let (subscribers, count) = (clients, commitCount)
    let commits = try await withThrowingTaskGroup(of: Void.self) { group in
      for client in subscribers {
        group.addTask { try await Self.watch(client, eventCount: count, arrivals) }
      }
      group.addTask {
        try await Task.sleep(for: .seconds(120))
        throw BenchmarkError("subscribers did not get every event within two minutes")
      }
      try await arrivals.waitForSubscribers(subscriberCount)
      let commits = try await commit()
      // Every watcher ends with its last event; the clock never does.
      for _ in subscribers { try await group.next() }
      group.cancelAll()
      return commits
    }
    return join(commits, arrivals)
  }

  /// One subscription, until it has as many events as there are commits.
  private static func watch(
    _ client: HitoClient, eventCount: Int, _ arrivals: Arrivals
  ) async throws {
    let stream = try await client.progress.watch(
      WatchRequest(filter: EventFilter(types: ["goal.created"])))
    var events: [(String, ContinuousClock.Instant)] = []
    for try await response in stream {
      switch response.step {
      case .mark(.caughtUp): arrivals.isLive()
      case .event(let event): events.append((event.entityId, .now))
      default: break
      }
      if events.count == eventCount { break }
    }
    stream.cancel()
    guard events.count == eventCount else { throw BenchmarkError("a subscription ended early") }
    arrivals.add(events)
  }

  private func commit() async throws -> [String: Commit] {
    let client = try await server.connect(token: learner.token)
    defer { client.close() }
    var commits: [String: Commit] = [:]
    for _ in 0..<commitCount {
      let sent = ContinuousClock.now
      let made = try await client.goals.createGoal(.small)
      commits[made.goal?.id ?? ""] = Commit(sent: sent, answered: .now)
      try await Task.sleep(for: .milliseconds(Double.random(in: Self.pause)))
    }
    return commits
  }

  private func join(_ commits: [String: Commit], _ arrivals: Arrivals) -> (Samples, Samples) {
    var sinceSent: [Double] = []
    var sinceReply: [Double] = []
    for (id, time) in arrivals.all {
      guard let commit = commits[id] else { continue }
      sinceSent.append((time - commit.sent).inMilliseconds)
      sinceReply.append((time - commit.answered).inMilliseconds)
    }
    return (Samples(sinceSent), Samples(sinceReply))
  }
}

/// What all subscriptions saw, and when.
final class Arrivals: Sendable {
  private struct State {
    var liveCount = 0
    var events: [(String, ContinuousClock.Instant)] = []
  }

  private let state = Mutex(State())

  func isLive() { state.withLock { $0.liveCount += 1 } }

  func add(_ events: [(String, ContinuousClock.Instant)]) {
    state.withLock { $0.events += events }
  }

  var all: [(String, ContinuousClock.Instant)] { state.withLock { $0.events } }

  func waitForSubscribers(_ count: Int) async throws {
    let end = ContinuousClock.now + .seconds(90)
    while state.withLock({ $0.liveCount }) < count {
      guard ContinuousClock.now < end else {
        throw BenchmarkError("subscriptions were not live within 90 s")
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
