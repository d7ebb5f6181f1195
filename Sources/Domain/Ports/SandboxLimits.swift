/// What a job may use. Each has a maximum that the sandbox is set up with; a job that asks for more is
/// refused as `.invalid`.
package struct SandboxLimits: Sendable, Hashable {
  /// Of all its processes together: what code is judged by.
  package var cpuTime: Duration
  /// From the moment that the command runs.
  package var wallTime: Duration
  /// Of all its processes together, with the files that it writes (`/work` and `/tmp` are memory).
  package var memoryByteCount: Int
  /// Processes and threads at a time.
  package var processCount: Int
  /// What is kept of standard output, and as much of standard error.
  package var outputByteCount: Int
  /// What is kept of the report.
  package var reportByteCount: Int
  /// Of a single file.
  package var fileByteCount: Int
  /// Of all files in `/work`, and as much again in `/tmp`.
  package var diskByteCount: Int
  /// Files and folders in `/work`, and as many again in `/tmp`.
  package var fileCount: Int
  /// Open descriptors of each process.
  package var descriptorCount: Int
  /// Of all collected files together.
  package var collectedByteCount: Int

  package init(
    cpuTime: Duration = .seconds(5), wallTime: Duration = .seconds(15),
    memoryByteCount: Int = 256 << 20, processCount: Int = 64, outputByteCount: Int = 256 << 10,
    reportByteCount: Int = 1 << 20, fileByteCount: Int = 16 << 20, diskByteCount: Int = 64 << 20,
    fileCount: Int = 4096, descriptorCount: Int = 256, collectedByteCount: Int = 32 << 20
  ) {
    self.cpuTime = cpuTime
    self.wallTime = wallTime
    self.memoryByteCount = memoryByteCount
    self.processCount = processCount
    self.outputByteCount = outputByteCount
    self.reportByteCount = reportByteCount
    self.fileByteCount = fileByteCount
    self.diskByteCount = diskByteCount
    self.fileCount = fileCount
    self.descriptorCount = descriptorCount
    self.collectedByteCount = collectedByteCount
  }
}

/// A limit that ended a job, or that it met on its way.
package enum SandboxLimit: String, Sendable, Hashable, CaseIterable {
  case cpuTime = "cpu_time"
  case wallTime = "wall_time"
  case memory
  case processes
  /// Standard output, standard error or the report.
  case output
  /// A single file: the process was sent SIGXFSZ, or its write failed.
  case fileSize = "file_size"
  /// All files together, by their size or their number.
  case disk
}
