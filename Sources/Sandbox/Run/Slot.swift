import CSandbox
import Domain
import Glibc

/// A place for one job at a time: a user and control groups of its own, and a launcher that waits for the
/// next job. It belongs to one thread, which lives as long as this does: the kernel ends what a thread has
/// started when that thread ends.
final class Slot {
  private let setup: SlotSetup
  private let bubblewrap: BubblewrapCommand
  private let filters: [SandboxJob.Profile: [UInt8]]
  private var groups: SlotGroups?
  private var prepared: LaunchedProcess?
  private var jobCount = 0
  /// Groups that could not be removed yet.
  private var left: [any JobGroup] = []
  private let closed: @Sendable () -> Void

  /// - Parameter closed: called when nothing of this is left.
  init(_ setup: SlotSetup, closed: @escaping @Sendable () -> Void) {
    self.setup = setup
    self.closed = closed
    bubblewrap = BubblewrapCommand(path: setup.bubblewrapPath)
    filters = Dictionary(
      uniqueKeysWithValues: SandboxJob.Profile.allCases.map {
        ($0, SeccompProgram.filter(for: $0).bytes)
      })
  }

  deinit {
    discardPrepared()
    groups = nil
    closed()
  }

  var userID: UInt32? { groups?.userID }
  var version: Int? { groups?.tree.version }

  /// The folders of jobs that are over and are still there.
  var remains: [String] { left.flatMap(\.folders).filter(GroupFiles.exists) }

  /// Runs a job to its end.
  func run(
    _ job: SandboxJob, bell: CancellationBell, received: @escaping @Sendable (SandboxEvent) -> Void
  ) throws(SandboxError) -> JobRun.Report {
    let process = try launched()
    defer {
      process.end()
      if !process.group.remove() { left.append(process.group) }
      left = left.filter { !$0.remove(within: .zero) }
    }
    do throws(GroupError) {
      // Bubblewrap and the first process of the sandbox are not the job's.
      try process.group.limit(
        memoryByteCount: job.limits.memoryByteCount, processCount: job.limits.processCount + 2)
    } catch {
      throw Self.unavailable(error)
    }
    let pipes = [Pipe(), Pipe(), Pipe()].compactMap(\.self)
    guard let userID, pipes.count == 3, let input = Self.file(job.input),
      let filter = Self.file(filters[job.profile] ?? []),
      let request = Self.file(
        LaunchRequest.bytes(of: job, userID: userID, arguments: bubblewrap.arguments(for: job)))
    else { throw .failed("no descriptor or memory is left for a job (\(errno))") }
    // Their descriptors are used by number: an optimised build would end them after their last mention.
    defer { withExtendedLifetime(pipes) {} }
    let given = [input.raw] + pipes.map(\.writer) + [filter.raw, request.raw]
    guard process.send(given) else { throw Self.failure(of: process) }
    for pipe in pipes { pipe.closeWriter() }
    return try JobRun(
      job, process, readers: pipes.map(\.reader), bell: bell, received: received
    ).play()
  }

  /// Readies the launcher of the next job, off the way of the job that asks for it. What fails here fails
  /// again, and is told, when the job comes.
  func prepare() {
    guard prepared == nil else { return }
    prepared = try? launch()
  }

  private func launched() throws(SandboxError) -> LaunchedProcess {
    if let process = prepared {
      prepared = nil
      if process.isAlive { return process }
      process.end()
      if !process.group.remove() { left.append(process.group) }
    }
    return try launch()
  }

  private func launch() throws(SandboxError) -> LaunchedProcess {
    for path in [setup.launcherPath, setup.bubblewrapPath] where access(path, X_OK) != 0 {
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
      return try LaunchedProcess(launcher: setup.launcherPath, group: group)
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

  private func discardPrepared() {
    guard let process = prepared else { return }
    prepared = nil
    process.end()
    _ = process.group.remove()
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
