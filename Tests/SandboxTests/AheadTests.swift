import Domain
import Foundation
import Testing

@testable import Sandbox

/// Commands that wait for their jobs, in a slot that belongs to the thread of its test.
@Suite struct `A command that was started ahead of its job` {
  /// SCHED_IDLE, which Swift does not see.
  private static let idlePolicy: Int32 = 5
  private static let maxima = SandboxConfiguration.standardLimitsMax

  /// - Parameter users: of this test alone.
  private static func slot(_ users: Range<UInt32>, count: Int = 1) -> Slot {
    let configuration = SandboxConfiguration()
    let setup = SlotSetup(
      launcherPath: configuration.launcherPath, bubblewrapPath: configuration.bubblewrapPath,
      userIDs: users, starts: AheadStarts(count: count, limitsMax: maxima))
    return Slot(setup) {}
  }

  private static func run(_ job: SandboxJob, in slot: Slot) throws -> JobRun.Report {
    try slot.run(job, bell: #require(CancellationBell())) { _ in }
  }

  /// Reads its input, and then runs it.
  private static func told(_ script: String, _ limits: SandboxLimits = .small) -> SandboxJob {
    var job = SandboxJob(
      profile: .run, command: ["/bin/sh", "-c", "script=$(cat); eval \"$script\""], limits: limits)
    job.input = Array(script.utf8)
    job.startsAhead = true
    return job
  }

  private static func text(_ report: JobRun.Report) -> String {
    report.result.text + report.result.errorText
  }

  @Test func `gets the files and the input of its job, is used once, and is made anew`() throws {
    let slot = Self.slot(61_100..<61_104)
    var job = Self.told("cat a/b.txt; echo kept > mark; ls -A /tmp")
    job.files = [SandboxFile(try path("a/b.txt"), Array("first\n".utf8))]
    job.collects = [try path("mark")]
    let cold = try Self.run(job, in: slot)
    #expect(!cold.wasAhead)
    #expect(Self.text(cold) == "first\n")
    slot.expect(job)
    let first = try Self.run(job, in: slot)
    #expect(first.wasAhead)
    #expect(Self.text(first) == "first\n")
    #expect(first.result.files == [try path("mark"): Array("kept\n".utf8)])
    #expect(first.owners == [first.userID])
    // Whoever waits and whoever runs are strangers.
    #expect(first.userID != cold.userID)
    #expect(try !Self.run(job, in: slot).wasAhead)
    slot.prepare()
    let next = try Self.run(Self.told("ls -A /work /tmp"), in: slot)
    #expect(next.wasAhead)
    #expect(Self.text(next) == "/tmp:\n\n/work:\n")
  }

  @Test func `gives way to all others until its job is there`() throws {
    let users: Range<UInt32> = 61_180..<61_184
    let slot = Self.slot(users)
    let job = Self.told(
      "cat /proc/[0-9]*/stat | while read -r line; do set -- $line; echo ${41}; done")
    slot.expect(job)
    let tree = try GroupTree.discover()
    let deadline = ContinuousClock.now + .seconds(20)
    var commands: [pid_t] = []
    while commands.isEmpty, ContinuousClock.now < deadline {
      commands = Self.processes(of: users, in: tree).filter {
        Self.command($0).hasPrefix("/bin/sh")
      }
    }
    // The shell, and what it starts to read its input.
    #expect(Set(commands.map(Self.policy)) == [Self.idlePolicy])
    let report = try Self.run(job, in: slot)
    #expect(report.wasAhead)
    #expect(Set(report.result.lines) == ["\(SCHED_OTHER)"])
    // Also where the job comes at once, before its launcher has come so far.
    for _ in 0..<100 {
      slot.prepare()
      let soon = try Self.run(job, in: slot)
      #expect(soon.wasAhead)
      #expect(Set(soon.result.lines) == ["\(SCHED_OTHER)"])
    }
  }

  @Test func `gives way no longer with any of its threads`() throws {
    let slot = Self.slot(61_184..<61_188)
    let python = """
      import os, sys, threading
      threading.Thread(target=threading.Event().wait, daemon=True).start()
      sys.stdin.read()
      for thread in os.listdir("/proc/self/task"):
          print(os.sched_getscheduler(int(thread)))
      """
    var job = SandboxJob(profile: .run, command: ["/usr/bin/python3", "-c", python])
    job.startsAhead = true
    slot.expect(job)
    // So that its thread is there before its job is.
    let tree = try GroupTree.discover()
    let deadline = ContinuousClock.now + .seconds(20)
    while Self.processes(of: 61_184..<61_188, in: tree)
      .allSatisfy({ GroupFiles.folders(in: "/proc/\($0)/task").count < 2 }),
      ContinuousClock.now < deadline
    {}
    let report = try Self.run(job, in: slot)
    #expect(report.wasAhead)
    #expect(report.result.lines == ["\(SCHED_OTHER)", "\(SCHED_OTHER)"])
  }

  @Test func `gives its job the limits of the job, and charges it for nothing before it`() throws {
    let slot = Self.slot(61_104..<61_108)
    var limits = SandboxLimits.small
    limits.cpuTime = .milliseconds(300)
    let spin = Self.told("while :; do :; done", limits)
    slot.expect(spin)
    let spun = try Self.run(spin, in: slot)
    #expect(spun.wasAhead)
    #expect(spun.result.outcome == .limitReached(.cpuTime))
    limits = .small
    limits.memoryByteCount = 24 << 20
    let fill = Self.told("head -c 100000000 /dev/zero | tail -c 100000000 | wc -c", limits)
    slot.expect(fill)
    let filled = try Self.run(fill, in: slot)
    #expect(filled.wasAhead)
    #expect(filled.result.outcome == .limitReached(.memory))
    let write = Self.told("head -c 100000 /dev/zero")
    slot.expect(write)
    #expect(try Self.run(write, in: slot).result.outcome == .limitReached(.output))
    let idle = Self.told("true")
    slot.expect(idle)
    let nothing = try Self.run(idle, in: slot)
    #expect(nothing.wasAhead)
    #expect(nothing.result.cpuTime < .milliseconds(100))
  }

  @Test func `is not used for a job that would begin with something else`() throws {
    let slot = Self.slot(61_108..<61_112)
    slot.expect(Self.told("true"))
    var others = Array(repeating: Self.told("true"), count: 5)
    others[0].profile = .compile
    others[1].environment = ["A": "b"]
    others[2].limits.fileByteCount = 1 << 20
    others[3].limits.diskByteCount = 4 << 20
    others[4].startsAhead = false
    for job in others { #expect(try !Self.run(job, in: slot).wasAhead) }
    #expect(try Self.run(Self.told("true"), in: slot).wasAhead)
  }

  @Test func `that died while it waited is told from one that waits`() throws {
    let users: Range<UInt32> = 61_112..<61_116
    let slot = Self.slot(users)
    let job = Self.told("echo done")
    slot.expect(job)
    let tree = try GroupTree.discover()
    // The command, bubblewrap, or the first process of the sandbox: whichever is met first.
    var victim: pid_t?
    let deadline = ContinuousClock.now + .seconds(20)
    while victim == nil, ContinuousClock.now < deadline {
      victim = Self.processes(of: users, in: tree).first { Self.command($0).hasPrefix("/bin/sh") }
    }
    kill(try #require(victim), SIGKILL)
    while Self.processes(of: users, in: tree).contains(where: { $0 == victim }) {}
    let report = try Self.run(job, in: slot)
    #expect(report.result.outcome == .exited(code: 0))
    #expect(Self.text(report) == "done\n")
    #expect(!report.wasAhead)
  }

  @Test func `may end without reading what it is given`() throws {
    let slot = Self.slot(61_116..<61_120)
    var job = SandboxJob(profile: .run, command: ["/bin/sh", "-c", "read one; exit 3"])
    job.startsAhead = true
    job.input = Array("one\n".utf8) + [UInt8](repeating: 0x61, count: 4 << 20)
    slot.expect(job)
    let report = try Self.run(job, in: slot)
    #expect(report.wasAhead)
    #expect(report.result.outcome == .exited(code: 3))
    let all = Self.told(": " + String(repeating: "a", count: 1 << 20) + "\nprintf %s ${#script}")
    slot.expect(all)
    #expect(Self.text(try Self.run(all, in: slot)) == "\(all.input.count)")
  }

  @Test func `says that the files of its job cannot be written`() throws {
    let slot = Self.slot(61_120..<61_124)
    var job = Self.told("true")
    job.files = [SandboxFile(try path("a"), []), SandboxFile(try path("a/b"), [])]
    slot.expect(job)
    let error = #expect(throws: SandboxError.self) { try Self.run(job, in: slot) }
    guard case .invalid = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `leaves nothing behind when its slot goes`() throws {
    let users: Range<UInt32> = 61_124..<61_130
    var slot: Slot? = Self.slot(users, count: 3)
    slot?.expect(Self.told("true"))
    let tree = try GroupTree.discover()
    // Three wait, and a launcher; never more.
    slot?.prepare()
    #expect(Self.groups(of: users, in: tree).count == 4)
    slot = nil
    #expect(Self.groups(of: users, in: tree).isEmpty)
    #expect(Self.processes(of: users, in: tree).isEmpty)
  }

  @Test func `is found by every job that begins as the ones before did`() async throws {
    let sandbox = BubblewrapSandbox(
      SandboxConfiguration(slotCount: 2, userIDs: 61_130..<61_180))
    for number in 0..<12 {
      let result = try await sandbox.run(
        Self.told("echo \(number)"), for: EntityID(high: 3, low: UInt64(number % 3)))
      #expect(result.text == "\(number)\n")
    }
    await sandbox.stop()
    let tree = try GroupTree.discover()
    #expect(Self.groups(of: 61_130..<61_180, in: tree).isEmpty)
  }

  @Test func `is kept for the commands that were used last, in a fixed order`() throws {
    let starts = AheadStarts(count: 3, limitsMax: Self.maxima)
    func start(_ name: String) throws -> SandboxJob {
      var job = Self.told("true")
      job.command = [name]
      return try #require(starts.start(of: job))
    }
    let (a, b, c, d) = (try start("a"), try start("b"), try start("c"), try start("d"))
    // What comes once is not worth it.
    #expect(!starts.note(a))
    #expect(starts.wanted.isEmpty)
    #expect(starts.note(a))
    #expect(starts.wanted == [a, a, a])
    starts.adopt(b)
    #expect(!starts.note(a))
    #expect(starts.wanted == [a, b, a])
    #expect(!starts.note(c))
    #expect(starts.wanted == [a, b, a])
    #expect(starts.note(c))
    #expect(!starts.note(a))
    starts.adopt(d)
    #expect(starts.wanted == [a, d, c])
    // Nor is what comes seldom among many others.
    var once = try (0..<20).map { try start("once \($0)") }
    once.append(once[0])
    for one in once { #expect(!starts.note(one)) }
    #expect(starts.wanted == [a, d, c])
    var folder = Self.told("true")
    folder.folder = try path("sub")
    #expect(starts.start(of: folder) == nil)
    #expect(starts.start(of: shell("true")) == nil)
  }

  // MARK: - What is there

  private static func groups(of users: Range<UInt32>, in tree: GroupTree) -> [String] {
    users.flatMap { user in
      GroupFiles.folders(in: "\(tree.claims)/\(SlotGroups.prefix)\(user)", prefix: "job-")
    }
  }

  private static func processes(of users: Range<UInt32>, in tree: GroupTree) -> [pid_t] {
    users.flatMap { user -> [pid_t] in
      let slot = "\(tree.claims)/\(SlotGroups.prefix)\(user)"
      return GroupFiles.folders(in: slot, prefix: "job-").flatMap { job in
        (GroupFiles.text("\(slot)/\(job)/cgroup.procs") ?? "").split(separator: "\n").compactMap {
          pid_t($0)
        }
      }
    }
  }

  private static func policy(_ process: pid_t) -> Int32 { sched_getscheduler(process) }

  private static func command(_ process: pid_t) -> String {
    (GroupFiles.text("/proc/\(process)/cmdline") ?? "").replacing("\0", with: " ")
  }
}
