import CSandbox
import Domain
import Glibc

/// A user of the host with control groups of its own, for one job at a time, and what waits there for the
/// next one.
///
/// What waits holds nothing of any job, and is used for one. It belongs to the thread that has started it.
final class Cell {
  private let setup: SlotSetup
  private var groups: SlotGroups?
  private var waiting: LaunchedProcess?
  /// Of a command that was started ahead of its job: with what, and its streams.
  private var ahead: (start: SandboxJob, streams: JobStreams)?
  private(set) var waitingSince = ContinuousClock.now
  private var jobCount = 0
  /// Groups that could not be removed yet.
  private var left: [any JobGroup] = []

  init(_ setup: SlotSetup) { self.setup = setup }

  deinit { discard() }

  var userID: UInt32? { groups?.userID }
  var version: Int? { groups?.tree.version }

  /// The folders of jobs that are over and are still there.
  var remains: [String] { left.flatMap(\.folders).filter(GroupFiles.exists) }

  /// What waits here for a job; nil where nothing does, or it has ended.
  var start: SandboxJob? {
    guard let waiting, let ahead, waiting.isAlive else { return nil }
    return ahead.start
  }

  // MARK: - Jobs

  /// Runs a job to its end, from its launch on.
  func run(
    _ job: SandboxJob, bell: CancellationBell, received: @escaping @Sendable (SandboxEvent) -> Void
  ) throws(SandboxError) -> JobRun.Report {
    let process = try launched()
    defer { remove(process) }
    try limit(process, to: job.limits)
    let streams = try give(job, to: process, isAhead: false)
    return try JobRun(job, process, streams, bell: bell, received: received).play()
  }

  /// Runs a job with the command that waits for it.
  ///
  /// - Returns: nil where that has ended meanwhile; nothing of the job has run then.
  func continueAhead(
    _ job: SandboxJob, bell: CancellationBell, received: @escaping @Sendable (SandboxEvent) -> Void
  ) throws(SandboxError) -> JobRun.Report? {
    guard start != nil, let process = waiting, let streams = ahead?.streams else { return nil }
    (waiting, ahead) = (nil, nil)
    defer { remove(process) }
    try limit(process, to: job.limits)
    let used = process.group.usage().cpuTime
    guard streams.write(LaunchRequest.work(of: job)) else {
      throw .failed("no memory is left for the files of a job (\(errno))")
    }
    if setup.givesWay { process.takeTurn() }
    guard process.start() else { return nil }
    let run = JobRun(
      job, process, streams, usedBefore: used, gaveWay: setup.givesWay, bell: bell,
      received: received)
    do throws(SandboxError) { return try run.play() } catch {
      if case .failed = error, !run.hasBegun { return nil }
      throw error
    }
  }

  // MARK: - What waits

  /// Readies a launcher, which takes any job. What fails here fails again, and is told, when a job comes.
  func prepare() {
    if waiting == nil { waiting = try? launch() }
  }

  /// Starts a command ahead of its job, in the place of whatever waits here.
  func prepare(_ start: SandboxJob) {
    discard()
    do throws(SandboxError) {
      let process = try launch()
      waiting = process
      try limit(process, to: start.limits)
      ahead = (start, try give(start, to: process, isAhead: true))
      waitingSince = .now
    } catch {
      discard()
    }
  }

  private func discard() {
    ahead = nil
    guard let process = waiting else { return }
    waiting = nil
    remove(process)
  }

  private func launched() throws(SandboxError) -> LaunchedProcess {
    if let process = waiting, ahead == nil {
      waiting = nil
      if process.isAlive { return process }
      remove(process)
    }
    return try launch()
  }

  // MARK: - Processes

  private func limit(_ process: LaunchedProcess, to limits: SandboxLimits) throws(SandboxError) {
    do throws(GroupError) {
      // Bubblewrap and the first process of the sandbox are not the job's.
      try process.group.limit(
        memoryByteCount: limits.memoryByteCount, processCount: limits.processCount + 2)
    } catch {
      throw Self.unavailable(error)
    }
  }

  private func give(
    _ job: SandboxJob, to process: LaunchedProcess, isAhead: Bool
  ) throws(SandboxError) -> JobStreams {
    let arguments = setup.bubblewrap.arguments(for: job, isAhead: isAhead)
    guard let streams = JobStreams(input: isAhead ? nil : job.input),
      let filter = Self.file(setup.filters[job.profile] ?? []),
      let request = Self.file(
        LaunchRequest.bytes(
          of: job, userID: process.userID, arguments: arguments,
          givesWay: isAhead && setup.givesWay))
    else { throw .failed("no descriptor or memory is left for a job (\(errno))") }
    guard process.send(streams.given + [filter.raw, streams.work, request.raw]) else {
      throw Self.failure(of: process)
    }
    streams.closeTheirs()
    return streams
  }

  private func remove(_ process: LaunchedProcess) {
    process.end()
    if !process.group.remove() { left.append(process.group) }
    left = left.filter { !$0.remove(within: .zero) }
  }

  private func launch() throws(SandboxError) -> LaunchedProcess {
    for path in [setup.launcherPath, setup.bubblewrap.path] where access(path, X_OK) != 0 {
      throw .unavailable([
        SandboxFinding(
          .programs, isKept: false,
          "\(path) cannot be executed: \(String(cString: strerror(errno)))")
      ])
    }
    do throws(GroupError) { return try launchIntoGroup() } catch { throw Self.unavailable(error) }
  }

  private func launchIntoGroup() throws(GroupError) -> LaunchedProcess {
    let groups = try claimed()
    jobCount += 1
    let group = try groups.makeJob(jobCount)
    do throws(GroupError) {
      return try LaunchedProcess(
        launcher: setup.launcherPath, group: group, userID: groups.userID)
    } catch {
      _ = group.remove(within: .zero)
      throw error
    }
  }

  private func claimed() throws(GroupError) -> SlotGroups {
    if let groups { return groups }
    let tree = if let tree = setup.tree { tree } else { try GroupTree.discover() }
    let new = try SlotGroups.claim(from: setup.userIDs, in: tree)
    groups = new
    SlotGroups.clearAbandoned(in: tree)
    return new
  }

  /// Why a launcher is not there any more.
  private static func failure(of process: LaunchedProcess) -> SandboxError {
    while let message = process.receive() {
      if case .failed(let step, let errorNumber) = message {
        return MissingRight.error(step: step, errorNumber: errorNumber)
      }
    }
    return .failed("the launcher ended before its job")
  }

  private static func unavailable(_ error: GroupError) -> SandboxError {
    .unavailable([
      SandboxFinding(
        .controlGroups, isKept: false,
        "\(error): this server needs write access to its own control group, with the controllers memory "
          + "and pids (as root; under systemd with Delegate=yes)")
    ])
  }

  private static func file(_ bytes: [UInt8]) -> Descriptor? {
    Descriptor(bytes.withUnsafeBytes { hsb_sealed_file($0.baseAddress, $0.count) })
  }
}
