internal import Domain
internal import JSON

/// A program of ours inside the sandbox: what it gets, and the lines that it reports.
struct RunnerJob {
  static let reportDescriptor = 3

  var program: String
  var input: JSONValue
  var files: [SourceFile]
  /// Files that are not text, such as what a build made.
  var products: [SandboxPath: [UInt8]] = [:]
  var collects: [SandboxPath] = []
  var profile: SandboxJob.Profile
  var limits: SandboxLimits

  func sandboxJob(_ toolchain: Toolchain) throws(SandboxPath.Fault) -> SandboxJob {
    var sandboxFiles: [SandboxFile] = []
    for file in files {
      sandboxFiles.append(SandboxFile(try SandboxPath(file.path), Array(file.content.utf8)))
    }
    for (path, bytes) in products {
      sandboxFiles.append(SandboxFile(path, bytes, isExecutable: true))
    }
    // -P, -s, -S: nothing of the submission, of a user or of the host's packages is imported.
    let python = toolchain.paths[.python] ?? "/usr/bin/python3"
    var job = SandboxJob(
      profile: profile, command: [python, "-s", "-S", "-P", "-B", "-c", program],
      files: sandboxFiles, mounts: toolchain.mounts,
      environment: [
        "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_COLOR": "1", "LC_ALL": "C.UTF-8",
        "HOME": SandboxFolder.temporary,
      ],
      input: Array(input.text.utf8), reportDescriptor: Self.reportDescriptor, collects: collects,
      overflow: .discard, limits: limits)
    // Runners read what to do (guard.py, `spec`) before anything else.
    job.startsAhead = true
    return job
  }
}

/// Bytes as they come, cut into lines of JSON.
struct ReportLines {
  /// What one line may have; longer ones are left out.
  private static let byteCountMax = 4 << 20
  private var rest: [UInt8] = []

  init() {}

  mutating func take(_ bytes: [UInt8]) -> [JSONValue] {
    rest.append(contentsOf: bytes)
    var values: [JSONValue] = []
    var start = rest.startIndex
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if let value = JSONValue(parsing: Array(rest[start..<end])) { values.append(value) }
      start = end + 1
    }
    rest.removeFirst(start)
    if rest.count > Self.byteCountMax { rest.removeAll() }
    return values
  }
}

/// What happened in a job, in order.
enum RunnerEvent: Sendable {
  case waiting(ahead: Int)
  case lines([JSONValue])
}

extension Sandbox {
  /// Runs a job and tells of its lines as they come.
  ///
  /// - Returns: how it ended, and whether the runner itself came to its end.
  func run(
    _ job: SandboxJob, for callerID: EntityID,
    event: (RunnerEvent) async throws -> Void
  ) async throws -> SandboxResult {
    // Bounded by what the sandbox keeps of a report.
    let (stream, continuation) = AsyncStream.makeStream(of: SandboxEvent.self)
    async let result = { () async throws -> SandboxResult in
      defer { continuation.finish() }
      return try await self.run(job, for: callerID, until: nil) { continuation.yield($0) }
    }()
    var lines = ReportLines()
    for await happened in stream {
      switch happened {
      case .waiting(let ahead): try await event(.waiting(ahead: ahead))
      case .began: break
      case .report(let bytes): try await event(.lines(lines.take(bytes)))
      }
    }
    return try await result
  }
}
