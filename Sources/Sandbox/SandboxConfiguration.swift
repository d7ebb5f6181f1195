package import Domain
import Glibc

/// How a sandbox is set up.
package struct SandboxConfiguration: Sendable {
  /// The launcher, `hito-sandbox`.
  package var launcherPath: String
  package var bubblewrapPath: String
  /// Jobs at a time, each as a user of its own.
  package var slotCount: Int
  /// The most that a job may ask for.
  package var limitsMax: SandboxLimits
  /// Users of the host that nobody else is; the first free ones are taken, one more than there are slots.
  package var userIDs: Range<UInt32>
  /// Jobs that wait, of everybody and of one caller.
  package var waitingMax: Int
  package var callerWaitingMax: Int

  /// Numbers that neither Debian nor systemd gives to anybody.
  package static let standardUserIDs: Range<UInt32> = 60_800..<60_864
  package static let standardLimitsMax = SandboxLimits(
    cpuTime: .seconds(60), wallTime: .seconds(120), memoryByteCount: 1 << 30, processCount: 512,
    outputByteCount: 16 << 20, reportByteCount: 16 << 20, fileByteCount: 256 << 20,
    diskByteCount: 512 << 20, fileCount: 65_536, descriptorCount: 1024,
    collectedByteCount: 256 << 20)

  package init(
    launcherPath: String = SandboxConfiguration.launcherBesideThisProgram,
    bubblewrapPath: String = "/usr/bin/bwrap", slotCount: Int? = nil,
    limitsMax: SandboxLimits = SandboxConfiguration.standardLimitsMax,
    userIDs: Range<UInt32> = SandboxConfiguration.standardUserIDs, waitingMax: Int = 10_000,
    callerWaitingMax: Int = 1000
  ) {
    self.launcherPath = launcherPath
    self.bubblewrapPath = bubblewrapPath
    self.slotCount = slotCount ?? Self.slotCount(memoryByteCount: limitsMax.memoryByteCount)
    self.limitsMax = limitsMax
    self.userIDs = userIDs
    self.waitingMax = waitingMax
    self.callerWaitingMax = callerWaitingMax
  }

  /// As many jobs as there are processors, and no more than half of the machine's memory holds if each
  /// takes all that it may; at least one.
  private static func slotCount(memoryByteCount: Int) -> Int {
    let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    let processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    return max(1, min(processorCount, memory / 2 / max(1, memoryByteCount)))
  }

  /// How many commands each slot keeps waiting for their jobs, if there are users enough: one for each command,
  /// one for each slot, two for inspections; half of them are left for another server.
  var aheadCount: Int {
    let users = userIDs.count / 2 - 2
    return min(max(0, users / max(1, slotCount) - 1), Self.aheadCountMax)
  }

  /// What validations begin with: checks, tests, and tests of another language.
  private static let aheadCountMax = 3

  /// `hito-sandbox` in the folder of the program that runs: both are products of this package.
  package static var launcherBesideThisProgram: String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let path = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
    let folder = path.lastIndex(of: UInt8(ascii: "/")).map { path[..<$0] } ?? []
    return String(decoding: folder, as: UTF8.self) + "/hito-sandbox"
  }
}
