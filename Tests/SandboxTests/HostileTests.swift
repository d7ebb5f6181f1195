import Domain
import Foundation
import Testing

@testable import Sandbox

/// Programs that attack the sandbox or the machine, one after the other in one place, so that what each
/// left can be told.
@Suite(.serialized) struct HostileTests {
  private static let users: Range<UInt32> = 61_000..<61_002
  private static let aheadUsers: Range<UInt32> = 61_002..<61_006
  private static let sandbox = BubblewrapSandbox(
    SandboxConfiguration(slotCount: 1, userIDs: users))
  private static let mounts = GroupFiles.text("/proc/self/mountinfo")

  @Test func `are at least forty, in at least three languages`() {
    #expect(HostileProgram.all.count >= 40)
    #expect(Set(HostileProgram.all.map(\.language)).isSuperset(of: ["py", "js", "sh", "c"]))
  }

  @Test(arguments: HostileProgram.all)
  func `are contained, end as they should, and leave the host as it was`(
    program: HostileProgram
  ) async throws {
    let mounts = Self.mounts
    var built: [UInt8]?
    if let building = try program.building() {
      let result = try await Self.sandbox.run(building, for: SharedSandbox.callerID)
      built = result.files.values.first
      try #require(built != nil, "\(program.name) does not compile: \(result.errorText)")
    }
    let job = try program.job(program: built)
    let start = ContinuousClock.now
    let result = try await Self.sandbox.run(job, for: SharedSandbox.callerID)
    program.check(result)
    #expect(ContinuousClock.now - start < job.limits.wallTime + .seconds(30))
    #expect(result.cpuTime < job.limits.cpuTime + .seconds(1))
    #expect(result.output.bytes.count <= job.limits.outputByteCount)
    #expect(result.errors.bytes.count <= job.limits.outputByteCount)
    #expect(Self.remains() == [])
    #expect(GroupFiles.text("/proc/self/mountinfo") == mounts)
  }

  /// The same, by a command that waited for them. Whoever brings the program is the first thing of its job.
  @Test(arguments: HostileProgram.all)
  func `are contained where a command waited for them`(program: HostileProgram) async throws {
    var built: [UInt8]?
    if let building = try program.building() {
      built = try await Self.sandbox.run(building, for: SharedSandbox.callerID).files.values.first
    }
    var job = try program.job(program: built)
    job.command = ["/bin/sh", "-c", "cat; exec \"$0\" \"$@\""] + job.command
    job.startsAhead = true
    let (report, remains) = try Self.runAhead(job)
    #expect(report.wasAhead)
    program.check(report.result)
    #expect(report.result.cpuTime < job.limits.cpuTime + .seconds(1))
    #expect(report.result.output.bytes.count <= job.limits.outputByteCount)
    #expect(remains == [])
    #expect(GroupFiles.text("/proc/self/mountinfo") == Self.mounts)
  }

  /// Without a suspension: what waits belongs to the thread that has started it.
  private static func runAhead(_ job: SandboxJob) throws -> (JobRun.Report, [String]) {
    let configuration = SandboxConfiguration()
    let setup = SlotSetup(
      launcherPath: configuration.launcherPath, bubblewrapPath: configuration.bubblewrapPath,
      userIDs: aheadUsers, starts: AheadStarts(count: 1, limitsMax: configuration.limitsMax))
    let slot = Slot(setup) {}
    slot.expect(job)
    let report = try slot.run(job, bell: #require(CancellationBell())) { _ in }
    return (report, remains(of: aheadUsers))
  }

  /// What is there of the users that hostile programs have run as.
  private static func remains(of users: Range<UInt32> = users) -> [String] {
    var remains: [String] = []
    for name in GroupFiles.folders(in: "/proc") where name.first?.isNumber == true {
      let status = GroupFiles.text("/proc/\(name)/status") ?? ""
      guard Canary.isAlive(status) else { continue }
      for user in users where status.contains("\nUid:\t\(user)\t") {
        remains.append("process \(name)")
      }
    }
    for folder in ["/tmp", "/dev/shm", "/var/tmp", "/sys"] {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        var information = stat()
        guard lstat("\(folder)/\(name)", &information) == 0 else { continue }
        if users.contains(information.st_uid) { remains.append("\(folder)/\(name)") }
      }
    }
    guard let tree = try? GroupTree.discover() else { return remains + ["no control groups"] }
    for user in users {
      let slot = "\(tree.claims)/\(SlotGroups.prefix)\(user)"
      // One job's groups are made before it comes.
      let jobs = GroupFiles.folders(in: slot, prefix: "job-")
      if jobs.count > 1 { remains.append("groups \(jobs)") }
    }
    return remains
  }

  @Test func `do not keep others waiting`() async throws {
    let sandbox = BubblewrapSandbox(
      SandboxConfiguration(slotCount: 2, userIDs: 61_010..<61_014))
    let bad = EntityID(high: 2, low: 1)
    let good = EntityID(high: 2, low: 2)
    _ = try await sandbox.run(shell("true"), for: good)
    // In a shell of its own: one that cannot start another ends with 2.
    var bomb = shell("bomb() { bomb | bomb & }; (bomb); while :; do :; done")
    bomb.limits.cpuTime = .seconds(1)
    var slowest = Duration.zero
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { [bomb] in
          let result = try await sandbox.run(bomb, for: bad)
          #expect(result.outcome == .limitReached(.cpuTime))
        }
      }
      for _ in 0..<8 {
        let start = ContinuousClock.now
        let result = try await sandbox.run(shell("echo served"), for: good)
        #expect(result.text == "served\n")
        slowest = max(slowest, ContinuousClock.now - start)
      }
      try await group.waitForAll()
    }
    // At the worst each waits for one bomb on its way to a place, and shares the processors with another.
    #expect(slowest < .seconds(15))
    await sandbox.stop()
  }
}
