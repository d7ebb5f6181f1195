internal import Domain

/// The limits of a validation, and what a report says of them.
struct JudgeLimits {
  static let cpuMillisecondsDefault = 5000
  static let memoryDefault = 256 << 20
  static let outputDefault = 256 << 10
  /// A virtual machine holds some memory of its own.
  static let javaMemoryDefault = 512 << 20
  static let processCountDefault = 64
  static let fileDefault = 16 << 20
  /// What a sandbox gives a job at the most, however many tests there are.
  static let cpuOfJobMax = Duration.seconds(60)
  static let wallOfJobMax = Duration.seconds(120)

  var cpuMilliseconds: Int
  var memoryBytes: Int
  var processCount: Int
  var outputBytes: Int
  var fileBytes: Int

  /// - Parameter language: whose defaults count where the suite says nothing; nil: those of most.
  init(_ limits: RunLimits?, _ language: Language?) {
    cpuMilliseconds = limits?.cpuMilliseconds ?? Self.cpuMillisecondsDefault
    memoryBytes =
      limits?.memoryBytes ?? (language == .java ? Self.javaMemoryDefault : Self.memoryDefault)
    processCount = limits?.processCount ?? Self.processCountDefault
    outputBytes = limits?.outputBytes ?? Self.outputDefault
    fileBytes = limits?.fileBytes ?? Self.fileDefault
  }

  /// What is left of the memory for a program's objects.
  var javaHeapMebibytes: Int { max(16, (memoryBytes >> 20) * 5 / 8 - 16) }

  /// What the kernel counts in; the exact limit is compared afterwards.
  var cpuSecondsOfRun: Int64 { Int64((cpuMilliseconds + 999) / 1000) }
  /// A run that waits much longer than it may compute is stuck, or the machine is.
  var wallSecondsOfRun: Int64 { cpuSecondsOfRun * 3 + 2 }

  /// - Parameter runCount: how many programs the job runs one after the other.
  func ofJob(runCount: Int) -> SandboxLimits {
    SandboxLimits(
      cpuTime: min(.seconds(cpuSecondsOfRun * Int64(runCount) + 3), Self.cpuOfJobMax),
      wallTime: min(.seconds(wallSecondsOfRun * Int64(runCount) + 5), Self.wallOfJobMax),
      memoryByteCount: memoryBytes, processCount: processCount + 8,
      outputByteCount: 64 << 10, reportByteCount: 8 << 20, fileByteCount: fileBytes)
  }

  /// Of compilers and linters.
  static let ofCheck = SandboxLimits(
    cpuTime: .seconds(30), wallTime: .seconds(60), memoryByteCount: 768 << 20, processCount: 128,
    outputByteCount: 64 << 10, reportByteCount: 8 << 20, fileByteCount: 32 << 20)

  var shown: [String: String] {
    [
      "cpu": "\(cpuMilliseconds) ms per run", "memory": "\(memoryBytes) bytes",
      "processes": "\(processCount)", "output": "\(outputBytes) bytes",
      "file": "\(fileBytes) bytes",
      "wall": "\(wallSecondsOfRun) s per run",
    ]
  }
}
