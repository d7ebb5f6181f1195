import BenchmarkSupport
import HitoClient

/// CreateGoal (a goal with three tasks, so four events and the reply for the idempotency key) beside
/// pgbench with the leanest script that leaves the same behind, on the same database, in turns.
///
/// Both write for 64 learners. Ours go over one connection; pgbench has one for each client. The
/// server runs all the time: it sequences and publishes the events of both, and that is in the CPU of
/// both.
///
/// The vectors are ready on both sides: the script is given one, and the server remembers those of the
/// texts that a learner wrote lately, here the same one each time. With the encoder, which is most of
/// the server's CPU, every text is new.
struct CreateGoal {
  static let levels = [1, 8, 64]
  static let targetRatio = 0.75
  static let targetCPUShare = 1.15

  let server: BenchServer
  let learners: [Learner]
  let pgbench: PgbenchSide
  let seconds: Int
  let rounds: Int

  struct Run {
    var rate: Double
    /// CPU of a call, in microseconds: of the server, and of PostgreSQL.
    var serverCost: Double
    var databaseCost: Double
    /// In milliseconds.
    var latency: Double?
  }

  func measure(_ report: inout Report) async throws {
    let client = try await server.connect()
    defer { client.close() }
    _ = try await ours(client, inFlight: 64, .seconds(1))
    _ = try await pgbench.run(clientCount: 64, seconds: 1)
    var ours: [Int: [Run]] = [:]
    var theirs: [Int: [Run]] = [:]
    var encoded: [Run] = []
    var sequencingRates: [Double] = []
    for round in 0..<rounds {
      for level in Self.levels {
        // Who is first changes, so that a growing database favours nobody.
        for turn in 0..<2 {
          if let rate = try await server.database.waitUntilSequenced() {
            sequencingRates.append(rate)
          }
          if (round + turn).isMultiple(of: 2) {
            ours[level, default: []].append(
              try await self.ours(client, inFlight: level, .seconds(seconds)))
          } else {
            theirs[level, default: []].append(
              try await pgbench.run(clientCount: level, seconds: seconds))
          }
        }
      }
      encoded.append(
        try await self.ours(client, inFlight: 64, .seconds(seconds), textsAreNew: true))
    }
    if !sequencingRates.isEmpty {
      report.figures.append(
        Figure("progress.stamped_per_second", Samples(sequencingRates).median, unit: "events/s"))
    }
    for level in Self.levels {
      add(level, ours: Self.median(ours[level]), theirs: Self.median(theirs[level]), to: &report)
    }
    let withEncoder = Self.median(encoded)
    report.figures += [
      Figure("store.create_goal_encoded_per_second", withEncoder.rate, unit: "calls/s, new texts"),
      Figure(
        "store.create_goal_encoded_server_cpu_us", withEncoder.serverCost,
        unit: "CPU µs/call, new texts"),
    ]
  }

  private func ours(
    _ client: HitoClient, inFlight: Int, _ duration: Duration, textsAreNew: Bool = false
  ) async throws -> Run {
    let tokens = learners.map(\.token)
    let before = try server.usage()
    let result = try await ClosedLoop(workerCount: inFlight, duration: duration).run { worker in
      var request = CreateGoalRequest.sample
      if textsAreNew { request.title += " \(UInt32.random(in: 0...(.max)))" }
      _ = try await client.goals.createGoal(
        request, options: CallOptions(token: tokens[worker % tokens.count]))
    }
    let used = try server.usage() - before
    let count = Double(result.callCount)
    return Run(
      rate: result.rate, serverCost: used.server * 1e6 / count,
      databaseCost: used.database * 1e6 / count, latency: result.latencies.median / 1000)
  }

  private static func median(_ runs: [Run]?) -> Run {
    func median(_ value: (Run) -> Double?) -> Double {
      Samples((runs ?? []).compactMap(value)).median
    }
    return Run(
      rate: median(\.rate), serverCost: median(\.serverCost), databaseCost: median(\.databaseCost),
      latency: median(\.latency))
  }

  private func add(_ level: Int, ours: Run, theirs: Run, to report: inout Report) {
    say(
      "CreateGoal, \(level) in flight: \(number(ours.rate)) calls/s (pgbench "
        + "\(number(theirs.rate))), median \(number(ours.latency ?? .nan)) ms, "
        + "\(number(1e6 / ours.serverCost)) calls per server CPU second, "
        + "\(number(1e6 / (ours.serverCost + ours.databaseCost))) with PostgreSQL's")
    let peer = "pgbench, \(level) client\(level == 1 ? "" : "s")"
    let name = "store.create_goal"
    let comparison = Figure(
      level == 64 ? "\(name).vs_pgbench" : "\(name).vs_pgbench_\(level)", ours.rate,
      unit: "calls/s", peer: peer, theirs: theirs.rate)
    report.figures += [
      comparison,
      Figure("\(name).server_cpu_us_\(level)", ours.serverCost, unit: "CPU µs/call"),
      Figure(
        "\(name).database_cpu_us_\(level)", ours.databaseCost, unit: "CPU µs/call", peer: peer,
        theirs: theirs.databaseCost, isLessBetter: true),
    ]
    guard level == 64, let ratio = comparison.ratio else { return }
    let share = ours.databaseCost / theirs.databaseCost
    report.figures.append(
      Figure(
        "\(name).database_cpu_vs_script", share, unit: "of the script's database CPU", peer: peer,
        theirs: 1, isLessBetter: true))
    report.promises += [
      Promise(
        "CreateGoal reaches three quarters of what pgbench does with the leanest script",
        holds: ratio >= Self.targetRatio, isBinding: true),
      Promise(
        "its database CPU is at most 1.15 times that script's",
        holds: share <= Self.targetCPUShare, isBinding: true),
    ]
  }
}
