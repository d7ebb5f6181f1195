import Domain

/// What a program of the inspection has printed, and what that says.
struct CanaryOutput {
  /// What every program prints last: it has tried all that it should.
  private static let last = "tried"

  private let result: SandboxResult
  private let lines: [Substring]

  init(_ result: SandboxResult) {
    self.result = result
    lines = String(decoding: result.output.bytes, as: UTF8.self).split(separator: "\n")
  }

  /// Nil where it ran to its end; else what happened.
  private var fault: String? {
    result.outcome == .exited(code: 0) && lines.last == Self.last[...]
      ? nil
      : "the program ended as \(result.outcome): \(String(decoding: result.errors.bytes.prefix(200), as: UTF8.self))"
  }

  private func finding(
    _ promise: SandboxPromise, _ breaches: [String], _ kept: String
  ) -> SandboxFinding {
    let all = (fault.map { [$0] } ?? []) + breaches
    return SandboxFinding(
      promise, isKept: all.isEmpty, all.isEmpty ? kept : all.prefix(10).joined(separator: "; "))
  }

  /// Of a program that only speaks where something worked that must not.
  func nothingSaid(_ promise: SandboxPromise) -> SandboxFinding {
    finding(promise, lines.dropLast().map(String.init), "everything that was tried was refused")
  }

  func user(_ owners: Set<UInt32>, of userID: UInt32) -> SandboxFinding {
    let isKept = owners == [userID] && userID != 0
    return finding(
      .user, isKept ? [] : ["its files belong to \(owners.sorted())"],
      "\(userID) owns what it writes")
  }

  func capabilities() -> SandboxFinding {
    let capabilities = lines.filter { $0.hasPrefix("Cap") }
    var breaches = capabilities.filter {
      $0.contains { "123456789abcdef".contains($0) } && !$0.hasSuffix("0000000000000000")
    }
    .map(String.init)
    if capabilities.count != 5 {
      breaches.append("\(capabilities.count) sets of capabilities are known")
    }
    if !lines.contains("NoNewPrivs:\t1") { breaches.append("new privileges can be gained") }
    if !lines.contains("Seccomp:\t2") { breaches.append("there is no filter of system calls") }
    return finding(.capabilities, breaches, "none, and none can be gained")
  }

  func processes() -> SandboxFinding {
    let breaches = lines.filter { line in
      ["reaches ", "sees ", "reads ", "opens ", "lists "].contains { line.hasPrefix($0) }
    }
    return finding(.noProcesses, breaches.map(String.init), "only its own are there")
  }

  func inheritance() -> SandboxFinding {
    let known: Set<Substring> = ["HOME", "LANG", "PATH", "PWD", "TMPDIR"]
    let breaches = lines.dropLast().filter { line in
      guard line.hasPrefix("env ") else { return true }
      return !known.contains(line.dropFirst(4).prefix { $0 != "=" })
    }
    return finding(.inheritance, breaches.map(String.init), "nothing came along")
  }

  func disk(_ folder: String, _ limits: SandboxLimits) -> SandboxFinding {
    let bytes = number("bytes") ?? .max
    let files = number("files") ?? .max
    let isKept = bytes <= limits.diskByteCount && files <= limits.fileCount
    return finding(
      .disk, isKept ? [] : ["\(folder) took \(bytes) bytes and \(files) files"],
      "\(SandboxFolder.work) and \(SandboxFolder.temporary) are full at \(limits.diskByteCount) bytes and \(limits.fileCount) files"
    )
  }

  func processes(_ met: Set<SandboxLimit>, _ limits: SandboxLimits) -> SandboxFinding {
    let count = number("processes") ?? .max
    let isKept = count <= limits.processCount && met.contains(.processes)
    return finding(
      .processes, isKept ? [] : ["\(count) processes could be made, of \(limits.processCount)"],
      "no more than \(limits.processCount) could be made")
  }

  private func number(_ name: String) -> Int? {
    for line in lines where line.hasPrefix(name + " ") {
      return Int(line.dropFirst(name.count + 1))
    }
    return nil
  }
}
