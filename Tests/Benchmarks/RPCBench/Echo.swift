import BenchmarkSupport
import HitoClient

/// The smallest unary call, HealthService/Check, on one connection: TLS, frames, codec, router and
/// a handler that answers from memory.
struct Echo {
  static let levels = [1, 8, 64]

  let server: BenchServer
  let seconds: Int
  let rounds: Int

  private struct Run {
    var rate: Double
    /// Server CPU of a call, in microseconds.
    var cost: Double
    var latency: Double
  }

  func measure(_ report: inout Report) async throws {
    let client = try await server.connect(token: try server.adminToken())
    defer { client.close() }
    _ = try await run(client, inFlight: 64, .seconds(1))
    var runs: [Int: [Run]] = [:]
    for _ in 0..<rounds {
      for level in Self.levels {
        runs[level, default: []].append(try await run(client, inFlight: level, .seconds(seconds)))
      }
    }
    for level in Self.levels { add(level, runs[level] ?? [], to: &report) }
  }

  private func run(
    _ client: HitoClient, inFlight: Int, _ duration: Duration
  ) async throws -> Run {
    let before = try server.usage()
    let result = try await ClosedLoop(workerCount: inFlight, duration: duration).run { _ in
      _ = try await client.health.check(HealthCheckRequest())
    }
    let used = try server.usage() - before
    return Run(
      rate: result.rate, cost: used.server * 1e6 / Double(result.callCount),
      latency: result.latencies.median)
  }

  private func add(_ level: Int, _ runs: [Run], to report: inout Report) {
    let cost = Samples(runs.map(\.cost)).median
    let rate = Samples(runs.map(\.rate)).median
    say(
      "echo, \(level) in flight: \(number(rate)) calls/s, \(number(1e6 / cost)) calls per "
        + "server CPU second, median \(number(Samples(runs.map(\.latency)).median)) µs")
    let name = level == 1 ? "rpc.echo_w1" : level == 64 ? "rpc.echo_w2" : "rpc.echo_8"
    report.figures += [
      Figure(name, cost, unit: "server CPU µs/call"),
      Figure("rpc.echo_calls_per_second_\(level)", rate, unit: "calls/s"),
    ]
  }
}
