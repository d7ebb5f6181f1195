import BenchmarkSupport
import Domain
import Sandbox

/// Tries the ways that a job goes in the build that is measured: an optimised one ends objects earlier than the
/// one of the tests.
struct SandboxCheck {
  let sandbox: BubblewrapSandbox

  private static let script = "script=$(cat); eval \"$script\""
  private static let callerID = EntityID(high: 0, low: 2)

  func run() async throws {
    // The first one finds nothing that waits for it, most of the others do.
    for startsAhead in [false] + Array(repeating: true, count: 8) {
      try await tryFiles(startsAhead)
      try await tryLimits(startsAhead)
      try await tryLongStreams(startsAhead)
    }
    try await tryCancellation()
  }

  private func job(_ script: String, _ startsAhead: Bool) -> SandboxJob {
    var job = SandboxJob(
      profile: .run, command: ["/bin/sh", "-c", Self.script], input: Array(script.utf8))
    job.startsAhead = startsAhead
    return job
  }

  private func expect(_ isTrue: Bool, _ what: String, _ result: SandboxResult) throws {
    guard isTrue else { throw BenchmarkError("\(what): \(result.outcome)") }
  }

  private func tryFiles(_ startsAhead: Bool) async throws {
    var job = job("cat a/b; echo made > c; echo told >&3; exit 3", startsAhead)
    job.files = [SandboxFile(try SandboxPath("a/b"), Array("read\n".utf8))]
    job.collects = [try SandboxPath("c")]
    job.reportDescriptor = 3
    let result = try await sandbox.run(job, for: Self.callerID)
    try expect(
      result.outcome == .exited(code: 3) && result.output.bytes == Array("read\n".utf8)
        && result.report.bytes == Array("told\n".utf8)
        && result.files == [try SandboxPath("c"): Array("made\n".utf8)],
      "a job with files, a report and something to read back", result)
  }

  private func tryLimits(_ startsAhead: Bool) async throws {
    var job = job("while :; do :; done", startsAhead)
    job.limits.cpuTime = .milliseconds(50)
    let result = try await sandbox.run(job, for: Self.callerID)
    try expect(result.outcome == .limitReached(.cpuTime), "a job without an end", result)
  }

  private func tryLongStreams(_ startsAhead: Bool) async throws {
    let count = 300_000
    var job = job(
      ": \(String(repeating: "a", count: count))\nprintf %s \"$script\"", startsAhead)
    job.limits.outputByteCount = 1 << 20
    let result = try await sandbox.run(job, for: Self.callerID)
    try expect(result.output.bytes == job.input, "a job with a long input and output", result)
  }

  private func tryCancellation() async throws {
    let job = job("sleep 60", true)
    let began = AsyncStream<Void>.makeStream()
    let ended = Task {
      try await sandbox.run(job, for: Self.callerID, until: nil) { event in
        if event == .began { began.continuation.finish() }
      }
    }
    for await _ in began.stream {}
    ended.cancel()
    do {
      try expect(false, "a job that was cancelled", try await ended.value)
    } catch let error as SandboxError where error == .cancelled {
    }
  }
}
