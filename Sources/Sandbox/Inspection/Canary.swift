import Domain
import Glibc

/// Tries every promise of a sandbox with programs that would break it. It blocks its thread for about a
/// second.
final class Canary {
  private static let limits = SandboxLimits(
    cpuTime: .seconds(2), wallTime: .seconds(5), memoryByteCount: 64 << 20, processCount: 24,
    outputByteCount: 64 << 10, diskByteCount: 1 << 20, fileCount: 64)
  private static let shortWall = Duration.milliseconds(150)
  private static let shortCPU = Duration.milliseconds(150)

  private let slot: Slot
  private let configurationSummary: String
  /// Whether programs are started before they are told what to try.
  private var isAhead = false
  private var findings: [SandboxPromise: SandboxFinding] = [:]

  init(_ slot: Slot, configurationSummary: String) {
    self.slot = slot
    self.configurationSummary = configurationSummary
  }

  func inspect() -> SandboxInspection {
    let mountsBefore = GroupFiles.text("/proc/self/mountinfo")
    do {
      for isAhead in [false, true] {
        self.isAhead = isAhead
        try inspectSelf()
        try inspectNothingAllowed(.systemCalls, "calls")
        try inspectNothingAllowed(.noNetwork, "network")
        try inspectNothingAllowed(.files, "files")
        try inspectInheritance()
      }
      isAhead = false
      try inspectDisk()
      try inspectLimits()
      inspectRemains(mountsBefore)
    } catch {
      note(error)
    }
    let all = SandboxPromise.allCases.map { promise in
      findings[promise] ?? SandboxFinding(promise, isKept: false, SandboxFinding.notTried)
    }
    let version = slot.version.map { "cgroup v\($0)" } ?? "no control groups"
    return SandboxInspection(
      findings: all, summary: "bubblewrap, \(version), \(configurationSummary)")
  }

  // MARK: - Each promise

  private func inspectSelf() throws(SandboxError) {
    var job = self.job(["self"])
    job.collects = [try path("mark")]
    let report = try run(job)
    keep(.programs, "the launcher and bubblewrap are there")
    keep(.controlGroups, "cgroup v\(slot.version ?? 0) with memory, pids and processor time")
    keep(.namespaces, "of users, processes, mounts, network and IPC")
    let lines = CanaryOutput(report.result)
    record(lines.user(report.owners, of: report.userID))
    record(lines.capabilities())
    record(lines.processes())
  }

  private func inspectNothingAllowed(
    _ promise: SandboxPromise, _ probe: String
  ) throws(SandboxError) {
    record(CanaryOutput(try run(job([probe])).result).nothingSaid(promise))
  }

  private func inspectInheritance() throws(SandboxError) {
    // Seen by every program that this process starts, were it not kept from the sandbox.
    record(CanaryOutput(try run(job(["inheritance"])).result).inheritance())
  }

  private func inspectDisk() throws(SandboxError) {
    for folder in [SandboxFolder.work, SandboxFolder.temporary] {
      let result = try run(job(["disk", folder])).result
      let finding = CanaryOutput(result).disk(folder, Self.limits)
      record(finding)
      if !finding.isKept { return }
    }
  }

  private func inspectLimits() throws(SandboxError) {
    record(try end(.memory, "memory") { $0.outcome == .limitReached(.memory) })
    let forks = try run(job(["processes"])).result
    record(CanaryOutput(forks).processes(forks.limitsMet, Self.limits))
    var spin = Self.limits
    spin.cpuTime = Self.shortCPU
    record(
      try end(.cpuTime, "spin", spin) {
        $0.outcome == .limitReached(.cpuTime) && $0.cpuTime < Self.limits.cpuTime
      })
    var wait = Self.limits
    wait.wallTime = Self.shortWall
    record(try end(.wallTime, "wait", wait) { Self.hasStalled($0) })
    record(
      try end(.output, "flood") {
        $0.outcome == .limitReached(.output) && $0.output.isTruncated
          && $0.output.bytes.count == Self.limits.outputByteCount
      })
    record(try end(.kill, "stubborn", wait) { Self.hasStalled($0) })
  }

  private static func hasStalled(_ result: SandboxResult) -> Bool {
    if case .stalled = result.outcome { return true }
    return false
  }

  private func end(
    _ promise: SandboxPromise, _ probe: String, _ limits: SandboxLimits = Canary.limits,
    _ isExpected: (SandboxResult) -> Bool
  ) throws(SandboxError) -> SandboxFinding {
    let result = try run(job([probe], limits)).result
    return SandboxFinding(
      promise, isKept: isExpected(result), "a job that would break it ended as \(result.outcome)")
  }

  private func inspectRemains(_ mountsBefore: String?) {
    var remains = slot.remains
    for userID in slot.userIDs {
      // The launcher of the next job is root's; whatever runs as the slot's user is left of a job.
      remains += Self.processes(of: userID).map { "process \($0)" }
    }
    if GroupFiles.text("/proc/self/mountinfo") != mountsBefore {
      remains.append("another mount table")
    }
    record(
      SandboxFinding(
        .cleanUp, isKept: remains.isEmpty,
        remains.isEmpty
          ? "nothing was left of the jobs" : "left: \(remains.joined(separator: ", "))"))
  }

  private static func processes(of userID: UInt32) -> [String] {
    GroupFiles.folders(in: "/proc").filter { name in
      guard name.first?.isNumber == true else { return false }
      let status = GroupFiles.text("/proc/\(name)/status") ?? ""
      return status.contains("\nUid:\t\(userID)\t") && isAlive(status)
    }
  }

  /// Whether a process that has this `/proc/PID/status` can still do something. One that ends gives up its memory first,
  /// leaves its control group then, and may wait long for the rest where all processors are busy. A dead one holds
  /// nothing but its number, until the host's first process takes note of it.
  static func isAlive(_ status: String) -> Bool {
    !status.contains("\nState:\tZ") && status.contains("\nVmSize:")
  }

  // MARK: - Jobs

  private func job(_ probe: [String], _ limits: SandboxLimits = Canary.limits) -> SandboxJob {
    var job = SandboxJob(profile: .run, command: ["/init", "probe"] + probe, limits: limits)
    if isAhead {
      job.command = ["/init", "probe", "told"]
      job.input = Array(probe.joined().utf8)
      job.startsAhead = true
    }
    return job
  }

  private func path(_ text: String) throws(SandboxError) -> SandboxPath {
    do throws(SandboxPath.Fault) { return try SandboxPath(text) } catch {
      throw .failed("\(error)")
    }
  }

  private func run(_ job: SandboxJob) throws(SandboxError) -> JobRun.Report {
    guard let bell = CancellationBell() else { throw .failed("no descriptor is left") }
    slot.expect(job)
    return try slot.run(job, bell: bell) { _ in }
  }

  private func keep(_ promise: SandboxPromise, _ text: String) {
    record(SandboxFinding(promise, isKept: true, text))
  }

  /// What was found broken stays so, whatever is tried after it.
  private func record(_ finding: SandboxFinding) {
    if findings[finding.promise]?.isKept != false { findings[finding.promise] = finding }
  }

  /// A job that could not be run to its end.
  private func note(_ error: SandboxError) {
    if case .unavailable(let broken) = error {
      for finding in broken { record(finding) }
    } else {
      record(SandboxFinding(.namespaces, isKept: false, "a job could not be run: \(error)"))
    }
  }
}
