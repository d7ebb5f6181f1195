import Foundation
import Glibc
import PostgresStore

/// A folder that gets its name once all of it is there: what a crash or an error leaves has another one.
struct PartialFolder {
  let path: String
  let target: String

  /// Begins one beside where it is to be; removes what an earlier one left.
  init(for target: String) throws(BackupError) {
    let absolute = URL(filePath: target).standardizedFileURL.path
    self.target = absolute
    path = "\(absolute).partial"
    try Self.requireEmpty(absolute)
    try? FileManager.default.removeItem(atPath: path)
    let parent = URL(filePath: absolute).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(
        atPath: parent, withIntermediateDirectories: true)
    } catch {
      throw .failed("cannot make \(parent): \(error.localizedDescription)")
    }
    guard mkdir(path, 0o700) == 0 else {
      throw .failed("cannot make \(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Gives the folder its name, once everything in it is on the disk.
  func finish() throws(BackupError) {
    do throws(EmbeddedClusterError) {
      try ClusterCopy.flush(path)
    } catch {
      throw BackupError(error)
    }
    guard rename(path, target) == 0 else {
      throw .failed("cannot rename \(path) to \(target): \(String(cString: strerror(errno)))")
    }
    let parent = open(
      URL(filePath: target).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { return }
    _ = fsync(parent)
    close(parent)
  }

  /// Removes what was written.
  func abandon() { try? FileManager.default.removeItem(atPath: path) }

  private static func requireEmpty(_ path: String) throws(BackupError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let names = try? FileManager.default.contentsOfDirectory(atPath: path)
    guard let names, names.isEmpty else { throw .notEmpty(path) }
  }

  /// How much may still be written where the folder is, in bytes.
  var availableByteCount: Int64 {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { return .max }
    return Int64(facts.f_bavail) * Int64(facts.f_frsize)
  }

  /// How much is in a folder, in bytes.
  static func byteCount(of path: String) -> Int64 {
    let names = FileManager.default.enumerator(atPath: path)
    var sum: Int64 = 0
    while let name = names?.nextObject() as? String {
      var facts = stat()
      if lstat("\(path)/\(name)", &facts) == 0, facts.st_mode & S_IFMT == S_IFREG {
        sum += Int64(facts.st_size)
      }
    }
    return sum
  }
}
