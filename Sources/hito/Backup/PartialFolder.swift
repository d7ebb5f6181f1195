import Foundation
import Glibc
import PostgresStore

/// A folder that gets its name once all of it is there: what a crash or an error leaves has another one.
struct PartialFolder {
  let path: String
  let target: String
  /// Held for as long as it is written: another process that is to write the same does not begin.
  private let lock: FolderLock

  /// Begins one beside where it is to be; removes what an earlier one left, and nothing that another process
  /// is writing.
  init(for target: String) throws(BackupError) {
    let absolute = URL(filePath: target).standardizedFileURL.path
    self.target = absolute
    path = "\(absolute).partial"
    try Self.requireEmpty(absolute)
    if let earlier = try FolderLock.take(path, target: absolute) {
      try? FileManager.default.removeItem(atPath: path)
      withExtendedLifetime(earlier) {}
    } else {
      // No folder: whatever else has the name.
      _ = unlink(path)
    }
    let parent = URL(filePath: absolute).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(
        atPath: parent, withIntermediateDirectories: true)
    } catch {
      throw .failed("cannot make \(parent): \(error.localizedDescription)")
    }
    guard mkdir(path, 0o700) == 0 else {
      if errno == EEXIST { throw FolderLock.taken(absolute) }
      throw .failed("cannot make \(path): \(String(cString: strerror(errno)))")
    }
    guard let lock = try FolderLock.take(path, target: absolute) else {
      throw FolderLock.taken(absolute)
    }
    self.lock = lock
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

/// An exclusive lock on a folder, which ends with the process at the latest.
private final class FolderLock {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Nil where there is no such folder.
  static func take(_ path: String, target: String) throws(BackupError) -> FolderLock? {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    var (held, named) = (stat(), stat())
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &held) == 0,
      // Whoever had it before may have given it its name, or removed it.
      lstat(path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev
    else {
      close(descriptor)
      throw taken(target)
    }
    return FolderLock(descriptor)
  }

  deinit { close(descriptor) }

  static func taken(_ target: String) -> BackupError {
    .failed("another process writes \(target) now")
  }
}
