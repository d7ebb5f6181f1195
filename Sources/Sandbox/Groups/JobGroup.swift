import CSandbox
import Domain
import Glibc

/// What the processes of a job have used together.
struct GroupUsage: Sendable, Hashable {
  var cpuTime: Duration = .zero
  var memoryPeakByteCount = 0
  /// How many processes the kernel ended because memory was used up.
  var memoryKillCount = 0
  /// How many forks it refused.
  var refusedForkCount = 0
}

/// The control groups of one job: one folder with version 2, one for each controller with version 1.
protocol JobGroup: Sendable {
  /// The files that a process joins by.
  var joinPaths: [String] { get }
  /// Where the processes are that belong to it.
  var processesPath: String { get }
  /// Where their threads are.
  var threadsPath: String { get }
  /// How /proc names it in a process's `cgroup`, at the end of a line.
  var folders: [String] { get }
  func limit(memoryByteCount: Int, processCount: Int) throws(GroupError)
  func usage() -> GroupUsage
  /// No more forks.
  func close()
  /// Ends every process in it at once where the kernel can do that; false where it cannot.
  func killAtOnce() -> Bool
}

extension JobGroup {
  var processIDs: [pid_t] {
    (GroupFiles.text(processesPath) ?? "").split(separator: "\n").compactMap { pid_t($0) }
  }

  var threadIDs: [pid_t] {
    (GroupFiles.text(threadsPath) ?? "").split(separator: "\n").compactMap { pid_t($0) }
  }

  /// Whether one of its threads runs, or waits for nothing but a processor.
  var isReady: Bool {
    threadIDs.contains { thread in
      // `17 (a name) R 1 ...`: a name may hold anything, and ends with the last bracket.
      let state = GroupFiles.text("/proc/\(thread)/stat")?.split(separator: ")").last
      return state?.first { $0 != " " } == "R"
    }
  }

  /// Whether a process is in it.
  private func holds(_ process: pid_t) -> Bool {
    let lines = (GroupFiles.text("/proc/\(process)/cgroup") ?? "").split(separator: "\n")
    return lines.contains { line in folders.contains { $0.hasSuffix(Self.path(in: line)) } }
  }

  private static func path(in line: Substring) -> Substring {
    // `4:memory:/a/b`; a group's folder ends with the path.
    line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last ?? line
  }

  /// Ends every process in it. One that has taken over the number of another meanwhile is spared: its
  /// descriptor is taken first, and then looked whether it belongs here.
  ///
  /// - Parameter spared: a process that is to end by itself, so that it can still wait for its children: else
  ///   they stay as zombies until the host's first process gets round to them.
  func kill(sparing spared: pid_t? = nil) {
    if spared == nil, killAtOnce() { return }
    close()
    for process in processIDs where process > 1 && process != spared {
      let descriptor = hsb_process(process)
      guard descriptor >= 0 else { continue }
      if holds(process) { _ = hsb_signal(descriptor, SIGKILL) }
      Glibc.close(descriptor)
    }
  }

  func make() throws(GroupError) {
    for folder in folders { try GroupFiles.make(folder) }
  }

  /// Ends all its processes and removes it.
  ///
  /// - Returns: false where it is still there after `limit`.
  func remove(within limit: Duration = .seconds(5)) -> Bool {
    let end = ContinuousClock.now + limit
    var pause: useconds_t = 500
    while true {
      var isGone = true
      for folder in folders where rmdir(folder) != 0 && errno != ENOENT { isGone = false }
      if isGone { return true }
      guard ContinuousClock.now < end else { return false }
      kill()
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }
}

/// Version 1: a hierarchy for each controller.
struct JobGroupV1: JobGroup {
  let memory: String
  let pids: String
  let cpuacct: String

  /// In these folders of the slot, one for each hierarchy.
  init(_ name: String, in slot: GroupTree.V1) {
    memory = "\(slot.memory)/\(name)"
    pids = "\(slot.pids)/\(name)"
    cpuacct = "\(slot.cpuacct)/\(name)"
  }

  var joinPaths: [String] { folders.map { "\($0)/cgroup.procs" } }
  var processesPath: String { "\(pids)/cgroup.procs" }
  var threadsPath: String { "\(pids)/tasks" }
  /// Without doubles: controllers may share a hierarchy.
  var folders: [String] { Array(Set([memory, pids, cpuacct])).sorted() }

  func limit(memoryByteCount: Int, processCount: Int) throws(GroupError) {
    try GroupFiles.write("\(memory)/memory.limit_in_bytes", "\(memoryByteCount)")
    // Memory and swap together; only where the kernel counts swap.
    let both = "\(memory)/memory.memsw.limit_in_bytes"
    if GroupFiles.exists(both) { try GroupFiles.write(both, "\(memoryByteCount)") }
    try GroupFiles.write("\(pids)/pids.max", "\(processCount)")
  }

  func usage() -> GroupUsage {
    GroupUsage(
      cpuTime: .nanoseconds(GroupFiles.number("\(cpuacct)/cpuacct.usage") ?? 0),
      memoryPeakByteCount: GroupFiles.number("\(memory)/memory.max_usage_in_bytes") ?? 0,
      memoryKillCount: GroupFiles.number("\(memory)/memory.oom_control", "oom_kill") ?? 0,
      refusedForkCount: GroupFiles.number("\(pids)/pids.events", "max") ?? 0)
  }

  func close() { try? GroupFiles.write("\(pids)/pids.max", "0") }

  func killAtOnce() -> Bool { false }
}

/// Version 2: one folder.
struct JobGroupV2: JobGroup {
  let folder: String

  init(_ name: String, in slot: String) { folder = "\(slot)/\(name)" }

  var joinPaths: [String] { [processesPath] }
  var processesPath: String { "\(folder)/cgroup.procs" }
  var threadsPath: String { "\(folder)/cgroup.threads" }
  var folders: [String] { [folder] }

  func limit(memoryByteCount: Int, processCount: Int) throws(GroupError) {
    try GroupFiles.write("\(folder)/memory.max", "\(memoryByteCount)")
    // Only where the kernel counts swap.
    let swap = "\(folder)/memory.swap.max"
    if GroupFiles.exists(swap) { try GroupFiles.write(swap, "0") }
    // Half a job is worth nothing: memory that is used up ends all of it.
    try GroupFiles.write("\(folder)/memory.oom.group", "1")
    try GroupFiles.write("\(folder)/pids.max", "\(processCount)")
  }

  func usage() -> GroupUsage {
    GroupUsage(
      cpuTime: .microseconds(GroupFiles.number("\(folder)/cpu.stat", "usage_usec") ?? 0),
      memoryPeakByteCount: GroupFiles.number("\(folder)/memory.peak") ?? 0,
      memoryKillCount: GroupFiles.number("\(folder)/memory.events", "oom_kill") ?? 0,
      refusedForkCount: GroupFiles.number("\(folder)/pids.events", "max") ?? 0)
  }

  func close() { try? GroupFiles.write("\(folder)/pids.max", "0") }

  /// Since Linux 5.14.
  func killAtOnce() -> Bool { (try? GroupFiles.write("\(folder)/cgroup.kill", "1")) != nil }
}
