import ArgumentParser
import BenchmarkSupport
import Domain
import Glibc
import Sandbox

/// A part of `make bench-validation`: what the sandbox costs beside its command. Unlike the other benchmarks it sees
/// more of Hito than a client does: no client sees the sandbox alone.
@main
struct SandboxBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox", abstract: "Measures what the sandbox costs beside its command.")

  @Flag(
    help: "Measures nothing: tries the ways of a job, as fast code that is built as it is shipped.")
  var check = false

  @Option(help: "Jobs to run.")
  var jobs = 200

  private static let command = ["/bin/true"]
  /// Reads its input, of which there is none, and ends.
  private static let waitingCommand = ["/bin/cat"]
  private static let wallMillisecondsMax = 20.0
  private static let cpuMillisecondsMax = 8.0

  func validate() throws {
    guard (10...10_000).contains(jobs) else { throw ValidationError("--jobs must be 10 to 10000") }
  }

  func run() async throws {
    let sandbox = BubblewrapSandbox()
    let inspection = await sandbox.inspect()
    guard inspection.isSound else {
      throw BenchmarkError("the sandbox does not hold here: \(inspection.broken)")
    }
    try await SandboxCheck(sandbox: sandbox).run()
    if check {
      await sandbox.stop()
      say("the sandbox does what it should in this build")
      return
    }
    let sandboxed = try await measure { try await Self.run(Self.command, in: sandbox) }
    let bare = try await measure { try Self.runBare(Self.command) }
    // What is made ahead is paid for by the jobs: one for each of them.
    let ahead = try await measure {
      try await Self.run(Self.waitingCommand, in: sandbox, startsAhead: true)
    }
    let bareAhead = try await measure { try Self.runBare(Self.waitingCommand) }
    await sandbox.stop()

    var report = Report()
    let wall = sandboxed.wall - bare.wall
    let cpu = sandboxed.cpu - bare.cpu
    say(
      "bare: \(number(bare.wall)) ms, \(number(bare.cpu)) CPU-ms; in the sandbox: "
        + "\(number(sandboxed.wall)) ms (p90 \(number(sandboxed.wallHigh))), \(number(sandboxed.cpu)) CPU-ms"
    )
    say(
      "a command that was started ahead: \(number(ahead.wall)) ms (p90 \(number(ahead.wallHigh))), "
        + "\(number(ahead.cpu)) CPU-ms with all that was made ahead; "
        + "bare: \(number(bareAhead.wall)) ms, \(number(bareAhead.cpu)) CPU-ms")
    report.figures = [
      Figure("validation.sandbox_overhead_wall_ms", wall, unit: "ms/job", isLessBetter: true),
      Figure("validation.sandbox_overhead_cpu_ms", cpu, unit: "CPU ms/job", isLessBetter: true),
      Figure("validation.sandbox_ahead_wall_ms", ahead.wall, unit: "ms/job", isLessBetter: true),
      Figure(
        "validation.sandbox_ahead_overhead_cpu_ms", ahead.cpu - bareAhead.cpu, unit: "CPU ms/job",
        isLessBetter: true),
    ]
    report.promises = [
      Promise(
        "the sandbox adds at most \(number(Self.wallMillisecondsMax)) ms",
        holds: wall <= Self.wallMillisecondsMax, isBinding: false),
      Promise(
        "the sandbox adds at most \(number(Self.cpuMillisecondsMax)) ms of CPU",
        holds: cpu <= Self.cpuMillisecondsMax, isBinding: false),
    ]
    try report.finish()
  }

  /// In milliseconds: the median and the 90th percentile of the wall, the mean of all processors' time.
  private struct Cost {
    var wall: Double
    var wallHigh: Double
    var cpu: Double
  }

  private func measure(_ body: () async throws -> Void) async throws -> Cost {
    try await body()
    let before = Self.cpuMilliseconds()
    var walls: [Double] = []
    for _ in 0..<jobs {
      let start = ContinuousClock.now
      try await body()
      walls.append((ContinuousClock.now - start).inMilliseconds)
    }
    let cpu = (Self.cpuMilliseconds() - before) / Double(jobs)
    let samples = Samples(walls)
    return Cost(wall: samples.median, wallHigh: samples.percentile(90), cpu: cpu)
  }

  /// Of this process and of all that it has started and that have ended.
  private static func cpuMilliseconds() -> Double {
    [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, whose in
      var usage = rusage()
      getrusage(__rusage_who_t(whose.rawValue), &usage)
      let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
      let micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
      return sum + Double(seconds) * 1000 + Double(micros) / 1000
    }
  }

  private static func run(
    _ command: [String], in sandbox: BubblewrapSandbox, startsAhead: Bool = false
  ) async throws {
    var job = SandboxJob(profile: .run, command: command)
    job.startsAhead = startsAhead
    let result = try await sandbox.run(job, for: EntityID(high: 0, low: 1))
    guard result.outcome == .exited(code: 0) else {
      throw BenchmarkError("the command ended as \(result.outcome)")
    }
  }

  private static func runBare(_ command: [String]) throws {
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    defer { posix_spawn_file_actions_destroy(&actions) }
    guard posix_spawn(&process, command[0], &actions, nil, &arguments, nil) == 0 else {
      throw BenchmarkError("cannot start \(command)")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }
}
