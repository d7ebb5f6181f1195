import Domain
import Glibc

/// What the launcher is told of a job: `struct request` of the launcher, in one memory file.
enum LaunchRequest {
  private static let magic: UInt32 = 0x3342_5348
  private static let plainMode: UInt32 = 0o644
  private static let executableMode: UInt32 = 0o755
  /// The folders in `/work` and `/tmp` that are not the job's: the roots of the two file systems in memory,
  /// and what the launcher makes in the second.
  private static let workFolderCount: UInt64 = 1
  private static let tmpFolderCount: UInt64 = 3

  /// - Parameter givesWay: whether it runs only when no other process of the machine wants to.
  static func bytes(
    of job: SandboxJob, userID: UInt32, arguments: [String], givesWay: Bool
  ) -> [UInt8] {
    let folders = job.folder.map { [$0] } ?? []
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4096 + job.files.reduce(0) { $0 + $1.content.count + 64 })
    for number in [
      magic, userID, userID, UInt32(job.mounts.count), UInt32(arguments.count),
      UInt32(job.files.count + folders.count), givesWay ? 1 : 0, 0,
    ] {
      append(number, to: &bytes)
    }
    let size = UInt64(job.limits.diskByteCount)
    let count = UInt64(job.limits.fileCount)
    for number in [size, count + workFolderCount, size, count + tmpFolderCount] {
      withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }
    for mount in job.mounts { append(mount.source, to: &bytes) }
    for argument in arguments { append(argument, to: &bytes) }
    append(job.files, to: &bytes)
    for folder in folders {
      append(folder.text, to: &bytes)
      append(0, to: &bytes)
      append(0, to: &bytes)
    }
    return bytes
  }

  /// The files alone, for a command that was started ahead of its job.
  static func work(of job: SandboxJob) -> [UInt8] {
    var bytes: [UInt8] = []
    append(UInt32(job.files.count), to: &bytes)
    append(job.files, to: &bytes)
    return bytes
  }

  private static func append(_ files: [SandboxFile], to bytes: inout [UInt8]) {
    for file in files {
      append(file.path.text, to: &bytes)
      append(file.isExecutable ? executableMode : plainMode, to: &bytes)
      append(UInt32(file.content.count), to: &bytes)
      bytes += file.content
    }
  }

  private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    append(UInt32(text.utf8.count), to: &bytes)
    bytes += text.utf8
    bytes.append(0)
  }
}
