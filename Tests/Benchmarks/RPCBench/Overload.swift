import BenchmarkSupport
import HitoClient
import Synchronization

/// Three times the load that saturates the server, with learners at work meanwhile: what is done in time of the load,
/// and how long the learners' calls take.
///
/// The load are scans (a productivity report over events of its caller) of forty users, at a fixed rate whatever
/// the server answers, each with a second of time; the client repeats what was refused, as it always does. The
/// learners make short calls, one at a time each, with a pause between them.
struct Overload {
  static let callers = 40
  static let learners = 8
  static let timeLimit = Duration.seconds(1)
  private static let pause = Duration.milliseconds(20)
  /// Of the client: what does not fit is counted as not done.
  private static let inFlightMax = 8000

  let server: BenchServer
  let seconds: Int

  private struct Users {
    var learners: [HitoClient]
    var goals: [String]
    var callers: [HitoClient]

    func close() { for client in learners + callers { client.close() } }
  }

  private struct Phase {
    /// Scans done in time, a second.
    var goodput: Double
    var offered: Double
    var learners: Samples
    var learnersFailed: Int
  }

  func measure(_ report: inout Report) async throws {
    let users = try await makeUsers()
    defer { users.close() }
    _ = try await phase(users, rate: 0, .seconds(1))
    let idle = try await phase(users, rate: 0, .seconds(seconds))
    let saturation = try await saturation(users)
    var peak = 0.0
    var last: Phase?
    for share in [0.7, 1, 3] {
      // What comes first meets a server that does not know the load yet.
      _ = try await phase(users, rate: saturation * share, .seconds(1))
      let phase = try await phase(users, rate: saturation * share, .seconds(seconds))
      say(
        "\(number(phase.offered)) scans/s wanted: \(number(phase.goodput)) done in time; learners' p99 "
          + "\(number(phase.learners.percentile(99) / 1000)) ms, \(phase.learnersFailed) of "
          + "\(phase.learners.count + phase.learnersFailed) failed")
      peak = max(peak, phase.goodput)
      last = phase
    }
    guard let last else { return }
    let share = last.goodput / peak
    let slowdown = last.learners.percentile(99) / idle.learners.percentile(99)
    report.figures += [
      Figure(
        "rpc.overload_goodput", share, unit: "of the peak's scans in time, at 3 times the load"),
      Figure(
        "rpc.overload_learner_p99_ms", last.learners.percentile(99) / 1000, unit: "ms",
        peer: "the same learners without load", theirs: idle.learners.percentile(99) / 1000,
        isLessBetter: true),
      Figure(
        "rpc.overload_learners_failed", Double(last.learnersFailed), unit: "calls",
        isLessBetter: true),
    ]
    report.promises += [
      Promise(
        "at 3 times the load at least 80 % of the peak is done in time (\(number(share * 100)) %)",
        holds: share >= 0.8, isBinding: false),
      Promise(
        "learners' p99 then at most 5 times that without load (\(number(slowdown)))",
        holds: slowdown <= 5, isBinding: false),
    ]
  }

  // MARK: Users

  private func makeUsers() async throws -> Users {
    let made = try await Learner.make(Self.learners + Self.callers, on: server)
    var users = Users(learners: [], goals: [], callers: [])
    for (number, learner) in made.enumerated() {
      let client = try await server.connect(token: learner.token)
      let isLearner = number < Self.learners
      var goal = ""
      for _ in 0..<(isLearner ? 5 : 40) {
        goal = try await client.goals.createGoal(.sample).goal?.id ?? goal
      }
      if isLearner {
        users.learners.append(client)
        users.goals.append(goal)
      } else {
        users.callers.append(client)
      }
    }
    return users
  }

  /// Scans a second when as many as the server may want are always under way.
  private func saturation(_ users: Users) async throws -> Double {
    let result = try await ClosedLoop(workerCount: 16, duration: .seconds(seconds)).run { worker in
      try await Self.scan(users.callers[worker])
    }
    return result.rate
  }

  private static func scan(_ client: HitoClient) async throws {
    _ = try await client.analytics.getProductivity(
      GetProductivityRequest(days: 30), options: CallOptions(timeout: timeLimit))
  }

  // MARK: A phase

  private func phase(_ users: Users, rate: Double, _ duration: Duration) async throws -> Phase {
    let counts = Counts()
    let end = ContinuousClock.now + duration
    let latencies = await withTaskGroup(of: [Double].self) { group in
      for number in users.learners.indices {
        group.addTask {
          await Self.learn(users.learners[number], users.goals[number], until: end, counts)
        }
      }
      if rate > 0 {
        group.addTask {
          await Self.load(users.callers, rate: rate, until: end, counts)
          return []
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    return Phase(
      goodput: Double(counts.doneInTime.load(ordering: .relaxed)) / duration.inSeconds,
      offered: rate,
      learners: Samples(latencies), learnersFailed: counts.failed.load(ordering: .relaxed))
  }

  private static func learn(
    _ client: HitoClient, _ goal: String, until end: ContinuousClock.Instant,
    _ counts: Counts
  ) async -> [Double] {
    var latencies: [Double] = []
    while ContinuousClock.now < end {
      let start = ContinuousClock.now
      do {
        _ = try await client.goals.getGoal(GetGoalRequest(goalId: goal))
        latencies.append((ContinuousClock.now - start).inMicroseconds)
      } catch {
        counts.failed.add(1, ordering: .relaxed)
      }
      try? await Task.sleep(for: pause)
    }
    return latencies
  }

  /// Begins calls at a rate, whatever becomes of those before them.
  private static func load(
    _ clients: [HitoClient], rate: Double, until end: ContinuousClock.Instant,
    _ counts: Counts
  ) async {
    let start = ContinuousClock.now
    var begun = 0
    await withDiscardingTaskGroup { group in
      while ContinuousClock.now < end {
        let due = Int((ContinuousClock.now - start).inSeconds * rate)
        while begun < due {
          begun += 1
          guard counts.inFlight.load(ordering: .relaxed) < inFlightMax else { continue }
          counts.inFlight.add(1, ordering: .relaxed)
          let client = clients[begun % clients.count]
          group.addTask {
            if (try? await scan(client)) != nil { counts.done.add(1, ordering: .relaxed) }
            counts.inFlight.subtract(1, ordering: .relaxed)
          }
        }
        try? await Task.sleep(for: .milliseconds(2))
      }
      // What ends later is not of this phase.
      counts.doneInTime.store(counts.done.load(ordering: .relaxed), ordering: .relaxed)
      group.cancelAll()
    }
  }

  private final class Counts: Sendable {
    let inFlight = Atomic(0)
    let done = Atomic(0)
    let doneInTime = Atomic(0)
    /// Calls of learners.
    let failed = Atomic(0)
  }
}
