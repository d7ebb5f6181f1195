import ArgumentParser
import Fuzzing
import Glibc

/// Runs the simulation of clients, network and servers, seed after seed.
@main
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hito-simulate",
    abstract: "Simulates clients, network and servers: one run for each seed.")

  @Option(help: "The first seed.")
  var seed: UInt64 = 1

  @Option(help: "How many seeds.")
  var count: UInt64 = 1

  @Flag(help: "Says what each seed came to.")
  var verbose = false

  func run() throws {
    Self.fixHashing()
    let began = ContinuousClock.now
    var (calls, failed, writes, retries) = (0, 0, 0, 0)
    var (kills, drains, cuts) = (0, 0, 0)
    var time = Duration.zero
    for seed in self.seed..<self.seed + count {
      let report = Simulation.run(seed: seed)
      if verbose { print("seed \(seed): \(report)") }
      calls += report.callCount
      failed += report.failedCallCount
      writes += report.acknowledgedWriteCount
      retries += report.retryCount
      kills += report.killCount
      drains += report.drainCount
      cuts += report.cutCount
      time += report.time
    }
    print(
      """
      \(count) seeds from \(seed) in \(ContinuousClock.now - began), \(time) simulated: \(calls) calls \
      (\(failed) failed), \(writes) writes acknowledged, \(retries) repeated; \(kills) servers \
      killed, \(drains) drained, \(cuts) connections cut
      """)
  }

  /// The order of dictionaries is another one in each process, unless the process is told otherwise
  /// before it starts: so it starts again.
  private static func fixHashing() {
    guard getenv("SWIFT_DETERMINISTIC_HASHING") == nil else { return }
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
  }
}
