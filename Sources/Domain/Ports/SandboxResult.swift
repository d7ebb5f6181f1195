/// How a job ended, and what came of it.
package struct SandboxResult: Sendable, Hashable {
  package var outcome: SandboxOutcome
  /// Limits that it met and outlived: a fork that was refused, a disk that was full. What ended it is
  /// in `outcome`, and here too.
  package var limitsMet: Set<SandboxLimit>
  /// Of all its processes.
  package var cpuTime: Duration
  /// From the moment that the command ran.
  package var wallTime: Duration
  /// How long the job waited for its turn.
  package var waitingTime: Duration
  /// Highest, of all its processes and files together.
  package var memoryPeakByteCount: Int
  package var output: SandboxStream
  package var errors: SandboxStream
  /// Empty where the job has no report.
  package var report: SandboxStream
  /// Of `SandboxJob.collects`, those that were there.
  package var files: [SandboxPath: [UInt8]]
  /// Of `SandboxJob.collects`, those that were not read, with the reason.
  package var filesMissing: [SandboxPath: MissingFile]

  package enum MissingFile: String, Sendable, Hashable {
    case absent
    /// A link, a folder, a pipe or a device, or reached through a link.
    case notPlain = "not_plain"
    /// More than `SandboxLimits.collectedByteCount` leaves.
    case tooLarge = "too_large"
  }

  package init(
    outcome: SandboxOutcome, limitsMet: Set<SandboxLimit> = [], cpuTime: Duration,
    wallTime: Duration, waitingTime: Duration = .zero, memoryPeakByteCount: Int,
    output: SandboxStream = SandboxStream(), errors: SandboxStream = SandboxStream(),
    report: SandboxStream = SandboxStream(), files: [SandboxPath: [UInt8]] = [:],
    filesMissing: [SandboxPath: MissingFile] = [:]
  ) {
    self.outcome = outcome
    self.limitsMet = limitsMet
    self.cpuTime = cpuTime
    self.wallTime = wallTime
    self.waitingTime = waitingTime
    self.memoryPeakByteCount = memoryPeakByteCount
    self.output = output
    self.errors = errors
    self.report = report
    self.files = files
    self.filesMissing = filesMissing
  }
}

/// How a job's command ended. What it left running was killed.
package enum SandboxOutcome: Sendable, Hashable {
  case exited(code: Int)
  case signalled(Int)
  /// The job was ended because of it.
  case limitReached(SandboxLimit)
  /// The wall limit passed, and hardly any processor time was used: a machine that was too busy, or a
  /// program that waited for something. It says nothing sure of the code, and a repeat may end
  /// otherwise. `wasReady` says which: whether one of its threads waited for nothing but a processor.
  case stalled(wasReady: Bool)
  /// The command could not be executed; the number is the system's error (`ENOENT`).
  case notStarted(errorNumber: Int)
}

/// The first bytes of what was written, which need not be text.
package struct SandboxStream: Sendable, Hashable {
  package var bytes: [UInt8]
  /// More was written than was kept.
  package var isTruncated: Bool

  package init(bytes: [UInt8] = [], isTruncated: Bool = false) {
    self.bytes = bytes
    self.isTruncated = isTruncated
  }
}
