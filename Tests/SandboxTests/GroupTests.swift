import Domain
import Foundation
import Testing

@testable import Sandbox

@Suite struct `Control groups` {
  private static let hybrid = """
    25 20 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
    26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
    27 25 0:24 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
    28 25 0:25 / /sys/fs/cgroup/pids\\040here rw - cgroup cgroup rw,pids
    29 25 0:26 / /no/such/unified rw - cgroup2 cgroup2 rw
    """

  @Test func `of version 1 are found where the server is in each hierarchy`() throws {
    let tree = try GroupTree.discover(
      mounts: Self.hybrid,
      membership: "5:cpu,cpuacct:/a\n4:memory:/docker/abc/b\n3:pids:/\n0::/system.slice\n")
    #expect(
      tree
        == .v1(
          GroupTree.V1(
            memory: "/sys/fs/cgroup/memory/b", pids: "/sys/fs/cgroup/pids here",
            cpuacct: "/sys/fs/cgroup/cpu,cpuacct/a")))
    #expect(tree.version == 1)
  }

  @Test func `of a server whose own is out of sight are made in what is mounted`() throws {
    let mount = try #require(
      GroupMount.all(in: Self.hybrid).first { $0.controllers == ["rw", "memory"] })
    #expect(mount.folder(of: "/docker/abc") == "/sys/fs/cgroup/memory")
    #expect(mount.folder(of: "/../other") == "/sys/fs/cgroup/memory")
    #expect(mount.folder(of: "/elsewhere") == "/sys/fs/cgroup/memory")
  }

  @Test func `that are missing are named`() {
    let error = #expect(throws: GroupError.self) {
      try GroupTree.discover(mounts: Self.hybrid, membership: "4:memory:/\n0::/\n")
    }
    #expect(error?.description.contains("pids") == true)
  }

  // MARK: - Version 2, over a folder with the kernel's files

  /// What the kernel makes in a new group.
  private static let kernelFiles = [
    "cgroup.procs": "", "cgroup.kill": "", "cgroup.subtree_control": "", "memory.max": "max\n",
    "memory.swap.max": "max\n", "memory.oom.group": "0\n", "pids.max": "max\n",
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\n", "memory.peak": "1048576\n",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n",
    "pids.events": "max 9\n",
  ]

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "groups-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func fill(_ folder: String) throws {
    for (name, text) in Self.kernelFiles {
      try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
    }
  }

  @Test func `of version 2 are preferred where they have the controllers`() throws {
    try withFolder { folder in
      try "cpu memory pids\n".write(
        toFile: "\(folder)/cgroup.controllers", atomically: false, encoding: .utf8)
      let mounts = Self.hybrid + "\n30 25 0:27 / \(folder) rw - cgroup2 cgroup2 rw"
      let only = mounts.replacingOccurrences(of: "/no/such/unified", with: folder)
      #expect(
        try GroupTree.discover(mounts: only, membership: "4:memory:/\n3:pids:/\n0::/\n")
          == .v2(folder))
    }
  }

  @Test func `of version 2 are limited and read by their files`() throws {
    try withFolder { folder in
      let group = JobGroupV2("job-1", in: folder)
      try group.make()
      try fill(group.folder)
      try group.limit(memoryByteCount: 1 << 20, processCount: 12)
      func text(_ name: String) -> String? { GroupFiles.text("\(group.folder)/\(name)") }
      #expect(text("memory.max")?.hasPrefix("1048576") == true)
      #expect(text("memory.swap.max")?.hasPrefix("0") == true)
      #expect(text("memory.oom.group")?.hasPrefix("1") == true)
      #expect(text("pids.max")?.hasPrefix("12") == true)
      #expect(
        group.usage()
          == GroupUsage(
            cpuTime: .milliseconds(2500), memoryPeakByteCount: 1 << 20, memoryKillCount: 2,
            refusedForkCount: 9))
      #expect(group.killAtOnce())
      #expect(text("cgroup.kill") == "1")
      #expect(group.joinPaths == ["\(folder)/job-1/cgroup.procs"])
    }
  }

  @Test func `of version 2 without the file of a limit are refused`() throws {
    try withFolder { folder in
      let group = JobGroupV2("job-1", in: folder)
      try group.make()
      #expect(throws: GroupError.self) { try group.limit(memoryByteCount: 1, processCount: 1) }
    }
  }

  @Test func `of version 2 are delegated once`() throws {
    try withFolder { folder in
      try fill(folder)
      try GroupTree.delegate(folder)
      #expect(GroupFiles.text("\(folder)/cgroup.subtree_control") == "+memory +pids")
      // As the kernel shows it then.
      try "memory pids\n".write(
        toFile: "\(folder)/cgroup.subtree_control", atomically: false, encoding: .utf8)
      try GroupTree.delegate(folder)
      #expect(GroupFiles.text("\(folder)/cgroup.subtree_control") == "memory pids\n")
    }
  }

  // MARK: - Version 2 of the kernel, without the controllers, which may belong to version 1 here

  @Test
  func `of the kernel's version 2 end all processes at once, count their time, and are removed`()
    throws
  {
    let point = try #require(
      GroupMount.all(in: GroupFiles.text("/proc/self/mountinfo") ?? "").first { $0.version == 2 }?
        .point,
      "no hierarchy of version 2 is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified")
    let group = JobGroupV2("hito-test-\(getpid())", in: point)
    try group.make()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "while :; do :; done"]
    try process.run()
    try GroupFiles.write(group.processesPath, "\(process.processIdentifier)")
    while group.usage().cpuTime < .milliseconds(50) { usleep(1000) }
    #expect(!group.processIDs.isEmpty)
    #expect(group.killAtOnce())
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(group.remove())
    #expect(!GroupFiles.exists(group.folder))
  }

  // MARK: - Slots

  @Test func `of a slot belong to one server at a time, and what a dead one left is cleared away`()
    throws
  {
    let tree = try GroupTree.discover()
    let users: Range<UInt32> = 60_950..<60_952
    var first: SlotGroups? = try SlotGroups.claim(from: users, in: tree)
    #expect(first?.userID == 60_950)
    let second = try SlotGroups.claim(from: users, in: tree)
    #expect(second.userID == 60_951)
    withExtendedLifetime([first, second]) {
      _ = #expect(throws: GroupError.self) { _ = try SlotGroups.claim(from: users, in: tree) }
    }
    first = nil

    // As if its server had been killed in the middle of a job: a process in a job's groups, and no lock.
    let group = JobGroups.left(by: 60_950, in: tree)
    for folder in group.folders {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sleep")
    process.arguments = ["1000"]
    try process.run()
    for path in group.joinPaths { try GroupFiles.write(path, "\(process.processIdentifier)") }
    SlotGroups.clearAbandoned(in: tree)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    for folder in group.folders { #expect(!GroupFiles.exists(folder)) }
    #expect(!GroupFiles.exists("\(tree.claims)/\(SlotGroups.prefix)60950"))
  }
}

private enum JobGroups {
  /// A job's groups as a server makes them.
  static func left(by userID: UInt32, in tree: GroupTree) -> any JobGroup {
    let slot = "\(SlotGroups.prefix)\(userID)"
    switch tree {
    case .v1(let folders):
      return JobGroupV1(
        "job-7",
        in: GroupTree.V1(
          memory: "\(folders.memory)/\(slot)", pids: "\(folders.pids)/\(slot)",
          cpuacct: "\(folders.cpuacct)/\(slot)"))
    case .v2(let folder): return JobGroupV2("job-7", in: "\(folder)/\(slot)")
    }
  }
}
