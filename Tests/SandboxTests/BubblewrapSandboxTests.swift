import Domain
import Foundation
import Testing

@testable import Sandbox

@Suite struct `A sandbox` {
  @Test func `holds all that it promises on this machine`() async {
    let inspection = await SharedSandbox.value.inspect()
    for finding in inspection.findings {
      #expect(finding.isKept, "\(finding.promise.rawValue): \(finding.text)")
    }
    #expect(inspection.isSound)
    #expect(inspection.findings.map(\.promise) == SandboxPromise.allCases)
  }

  @Test func `runs a command with its files, folder, environment and input`() async throws {
    var job = shell(
      "pwd; cat ../a.txt; echo \"$WORD\"; cat; ls -l ../run.sh | cut -c1-10; echo oops >&2; exit 3")
    job.files = [
      SandboxFile(try path("a.txt"), Array("first\n".utf8)),
      SandboxFile(try path("run.sh"), [], isExecutable: true),
    ]
    job.folder = try path("sub")
    job.environment = ["WORD": "two words"]
    job.input = Array("third\n".utf8)
    let result = try await run(job)
    #expect(result.outcome == .exited(code: 3))
    #expect(result.lines == ["/work/sub", "first", "two words", "third", "-rwxr-xr-x"])
    #expect(result.errorText == "oops\n")
    #expect(result.limitsMet.isEmpty)
    #expect(result.memoryPeakByteCount > 0)
  }

  @Test func `hands on a report as it comes, on a descriptor that only the command has`()
    async throws
  {
    var job = shell("echo one >&5; read line; ls /proc/self/fd | tr '\\n' ' '; echo two >&5")
    job.reportDescriptor = 5
    let told = Notes<SandboxEvent>()
    let result = try await SharedSandbox.value.run(
      job, for: SharedSandbox.callerID, until: nil
    ) { event in
      if case .waiting = event { return }
      told.add(event)
    }
    #expect(result.report.bytes == Array("one\ntwo\n".utf8))
    // What `ls` has: three of the shell's, its report, and the folder that it reads.
    #expect(result.text == "0 1 2 3 5 ")
    let events = told.all
    #expect(events.first == .began)
    let received: [UInt8] = events.flatMap { event in
      if case .report(let bytes) = event { bytes } else { [UInt8]() }
    }
    #expect(received == result.report.bytes)
  }

  @Test func `gives a command without a report no descriptor but the standard ones`() async throws {
    let result = try await run(shell("ls /proc/self/fd | tr '\\n' ' '"))
    #expect(result.text == "0 1 2 3 ")
  }

  @Test func `tells a signal from an exit`() async throws {
    #expect(try await run(shell("kill -SEGV $$")).outcome == .signalled(11))
    #expect(try await run(shell("exit 139")).outcome == .exited(code: 139))
  }

  @Test func `says that a command is not there`() async throws {
    let job = SandboxJob(profile: .run, command: ["no-such-program"], limits: .small)
    #expect(try await run(job).outcome == .notStarted(errorNumber: Int(ENOENT)))
  }

  @Test func `reads plain files back, and nothing that a job made of something else`() async throws
  {
    var job = shell(
      """
      echo made > plain; mkdir real; echo deep > real/file; mkfifo pipe; mkdir folder
      ln -s /etc/passwd link; ln -s real way; ln /work/plain hard; head -c 3000000 /dev/zero > large
      ln -s /proc/1/environ /work/real/out
      """)
    let names = [
      "plain", "real/file", "pipe", "folder", "link", "way/file", "hard", "large", "absent",
      "real/out",
    ]
    job.collects = try names.map { try path($0) }
    job.limits.collectedByteCount = 1 << 20
    let result = try await run(job)
    #expect(result.outcome == .exited(code: 0), "\(result.errorText)")
    #expect(
      result.files == [
        try path("plain"): Array("made\n".utf8), try path("real/file"): Array("deep\n".utf8),
        try path("hard"): Array("made\n".utf8),
      ])
    #expect(
      result.filesMissing == [
        try path("pipe"): .notPlain, try path("folder"): .notPlain, try path("link"): .notPlain,
        try path("way/file"): .notPlain, try path("large"): .tooLarge, try path("absent"): .absent,
        try path("real/out"): .notPlain,
      ])
  }

  @Test func `shows a mount, and lets nobody write there`() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mount-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data("shown".utf8).write(to: folder.appendingPathComponent("file"))
    // Closed to everybody but its owner, as the home of an operator is.
    let outer = folder.appendingPathComponent("closed")
    try FileManager.default.createDirectory(
      at: outer.appendingPathComponent("inner"), withIntermediateDirectories: true)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: outer.path)
    var job = shell("cat /opt/here/file; echo x > /opt/here/new || echo refused; ls -d /opt/inner")
    job.mounts = [
      SandboxMount(folder.path, at: "/opt/here"),
      SandboxMount(outer.appendingPathComponent("inner").path, at: "/opt/inner"),
    ]
    let result = try await run(job)
    #expect(result.text == "shownrefused\n/opt/inner\n", "\(result.errorText)")
    job.mounts = [SandboxMount("/no/such/folder", at: "/opt/here")]
    await #expect(throws: SandboxError.self) { try await run(job) }
  }

  @Test func `refuses a job that no job may be`() async throws {
    var tooMuch = shell("true")
    tooMuch.limits.memoryByteCount = 1 << 40
    var zero = shell("true")
    zero.limits.processCount = 0
    var number = shell("true")
    number.reportDescriptor = 2
    var twice = shell("true")
    twice.files = [SandboxFile(try path("a"), []), SandboxFile(try path("a"), [])]
    var inWay = shell("true")
    inWay.files = [SandboxFile(try path("a"), []), SandboxFile(try path("a/b"), [])]
    var many = shell("true")
    many.files = try (0...256).map { SandboxFile(try path("f\($0)"), []) }
    var over = shell("true")
    over.mounts = [SandboxMount("/usr", at: "/etc/../usr")]
    var own = shell("true")
    own.mounts = [SandboxMount("/root", at: "/usr/share/root")]
    let nothing = SandboxJob(profile: .run, command: [], limits: .small)
    var name = shell("true")
    name.environment = ["A=B": "c"]
    for job in [tooMuch, zero, number, twice, inWay, many, over, own, nothing, name] {
      let error = await #expect(throws: SandboxError.self) { try await run(job) }
      guard case .invalid = error else {
        Issue.record("\(String(describing: error)) for \(job)")
        continue
      }
    }
  }

  @Test func `ends a job that is cancelled, at once and wholly`() async throws {
    // Where nothing can be run this says why, and the rest would wait for ever.
    _ = try await run(shell("true"))
    let began = AsyncStream<Void>.makeStream()
    await withTaskGroup(of: SandboxError?.self) { group in
      group.addTask {
        do throws(SandboxError) {
          _ = try await SharedSandbox.value.run(
            shell("trap '' TERM; sleep 100 & sleep 100"), for: SharedSandbox.callerID, until: nil
          ) { event in
            if event == .began { began.continuation.finish() }
          }
          return nil
        } catch {
          return error
        }
      }
      for await _ in began.stream {}
      let start = ContinuousClock.now
      group.cancelAll()
      #expect(await group.next() == .cancelled)
      #expect(ContinuousClock.now - start < .seconds(10))
    }
  }

  @Test func `tells how many are before a job, and gives callers their turns`() async throws {
    let sandbox = BubblewrapSandbox(SandboxConfiguration(slotCount: 1))
    let (ana, bea) = (EntityID(high: 1, low: 1), EntityID(high: 1, low: 2))
    _ = try await sandbox.run(shell("true"), for: ana)
    let ahead = Notes<Int>()
    let order = Notes<String>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      let gate = AsyncStream<Void>.makeStream()
      group.addTask {
        _ = try await sandbox.run(shell("sleep 4"), for: ana, until: nil) { event in
          if event == .began { gate.continuation.finish() }
        }
      }
      for await _ in gate.stream {}
      for number in 0..<3 {
        group.addTask {
          _ = try await sandbox.run(shell("true"), for: ana, until: nil) { event in
            if case .waiting(let count) = event { ahead.add(count) }
          }
          order.add("ana \(number)")
        }
      }
      while ahead.all.count < 3 { await Task.yield() }
      group.addTask {
        _ = try await sandbox.run(shell("true"), for: bea)
        order.add("bea")
      }
      try await group.waitForAll()
    }
    #expect(Set(ahead.all.prefix(3)) == [0, 1, 2])
    #expect(try #require(order.all.firstIndex(of: "bea")) < 3)
    await sandbox.stop()
    await #expect(throws: SandboxError.self) { try await sandbox.run(shell("true"), for: ana) }
  }

  @Test func `refuses everything where a program of it is missing, and says which`() async throws {
    let sandbox = BubblewrapSandbox(
      SandboxConfiguration(bubblewrapPath: "/no/such/bwrap", slotCount: 1))
    let error = await #expect(throws: SandboxError.self) {
      try await sandbox.run(shell("true"), for: SharedSandbox.callerID)
    }
    guard case .unavailable(let findings) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let programs = try #require(findings.first { $0.promise == .programs })
    #expect(programs.text.contains("/no/such/bwrap"))
    let inspection = await sandbox.inspect()
    #expect(inspection.broken.count == SandboxPromise.allCases.count)
    await sandbox.stop()
  }

  @Test func `leaves nothing behind when it is stopped`() async throws {
    let users: Range<UInt32> = 60_900..<60_904
    let sandbox = BubblewrapSandbox(SandboxConfiguration(slotCount: 2, userIDs: users))
    #expect(
      try await sandbox.run(shell("true"), for: SharedSandbox.callerID).outcome == .exited(code: 0))
    await sandbox.stop()
    let tree = try GroupTree.discover()
    let names = GroupFiles.folders(in: tree.claims, prefix: SlotGroups.prefix + "609")
    #expect(names.isEmpty)
  }
}
