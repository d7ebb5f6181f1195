import CArrow

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The file system of this machine. What it makes can be read by its user and by one group, and by
/// nobody else: folders have mode 0750, files 0640.
package struct PosixStorage: LakeStorage {
  static let folderMode: mode_t = 0o750
  static let fileMode: mode_t = 0o640

  /// The group that everything is given to; nil: what the system gives it to.
  let readingGroup: UInt32?

  package init(readingGroup: UInt32? = nil) { self.readingGroup = readingGroup }

  package var withoutReaders: any LakeStorage { PosixStorage() }

  /// False where it cannot be made; `errno` says why.
  private func make(_ path: String) -> Bool {
    guard mkdir(path, Self.folderMode) == 0 else { return false }
    guard let readingGroup else { return true }
    // The creation mask may have taken bits away.
    return chown(path, uid_t.max, readingGroup) == 0 && chmod(path, Self.folderMode) == 0
  }

  package func makeFolder(_ path: String) throws(LakeError) {
    if make(path) { return try syncFolder(parent(of: path)) }
    switch errno {
    case EEXIST: return
    case ENOENT where path.contains("/") && parent(of: path) != path:
      try makeFolder(parent(of: path))
      guard make(path) || errno == EEXIST else {
        throw failure("make folder", path)
      }
      try syncFolder(parent(of: path))
    default: throw failure("make folder", path)
    }
  }

  package func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws(LakeError) {
    let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC)
    try file.give(to: readingGroup, path)
    try file.writeAll(bytes, at: 0, of: path)
    try file.sync(path)
    try file.close(path)
  }

  package func append(
    _ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64
  ) throws(LakeError) {
    let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_CLOEXEC)
    try file.give(to: readingGroup, path)
    guard ftruncate(file.number, off_t(offset)) == 0 else { throw failure("truncate", path) }
    try file.writeAll(bytes, at: offset, of: path)
    try file.sync(path)
    try file.close(path)
  }

  package func rename(_ path: String, to newPath: String) throws(LakeError) {
    #if canImport(Glibc)
      let status = Glibc.rename(path, newPath)
    #elseif canImport(Musl)
      let status = Musl.rename(path, newPath)
    #else
      let status = Darwin.rename(path, newPath)
    #endif
    guard status == 0 else { throw failure("rename", path) }
  }

  package func remove(_ path: String) throws(LakeError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
  }

  package func removeFolder(_ path: String) throws(LakeError) {
    guard let entries = try list(path) else { return }
    for entry in entries where !entry.isFolder { try remove("\(path)/\(entry.name)") }
    guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
  }

  package func link(_ path: String, to newPath: String) throws(LakeError) {
    guard linkat(AT_FDCWD, path, AT_FDCWD, newPath, 0) == 0 else { throw failure("link", path) }
  }

  package func exchange(_ path: String, with other: String) throws(LakeError) {
    let code = carrow_exchange(path, other)
    guard code == 0 else { throw .io(operation: "exchange", path: path, code: code) }
  }

  package func syncFolder(_ path: String) throws(LakeError) {
    let folder = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    try folder.sync(path)
    try folder.close(path)
  }

  package func list(_ path: String) throws(LakeError) -> [FolderEntry]? {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return nil }
      throw failure("list", path)
    }
    defer { closedir(folder) }
    var entries: [FolderEntry] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        if errno != 0 { throw failure("list", path) }
        break
      }
      let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name != ".", name != ".." else { continue }
      var facts = stat()
      guard lstat("\(path)/\(name)", &facts) == 0 else {
        if errno == ENOENT { continue }
        throw failure("inspect", "\(path)/\(name)")
      }
      entries.append(.init(name: name, isFolder: facts.st_mode & S_IFMT == S_IFDIR))
    }
    return entries.sorted { $0.name < $1.name }
  }

  package func read(_ path: String, byteCountMax: Int) throws(LakeError) -> [UInt8]? {
    guard let facts = try inspect(path, checksum: false) else { return nil }
    guard facts.byteCount <= byteCountMax else {
      throw .tooLarge(detail: "\(path) has \(facts.byteCount) bytes")
    }
    let file = try Descriptor(opening: path, O_RDONLY | O_CLOEXEC)
    var bytes = [UInt8](repeating: 0, count: Int(facts.byteCount))
    var filled = 0
    while filled < bytes.count {
      let got = bytes.withUnsafeMutableBytes { raw in
        pread(file.number, raw.baseAddress! + filled, raw.count - filled, off_t(filled))
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw failure("read", path) }
      if got == 0 { break }
      filled += got
    }
    try file.close(path)
    return Array(bytes.prefix(filled))
  }

  package func inspect(_ path: String, checksum: Bool) throws(LakeError) -> FileFacts? {
    var facts = stat()
    guard stat(path, &facts) == 0 else {
      if errno == ENOENT { return nil }
      throw failure("inspect", path)
    }
    var result = FileFacts(byteCount: Int64(facts.st_size), checksum: 0)
    guard checksum else { return result }
    let file = try Descriptor(opening: path, O_RDONLY | O_CLOEXEC)
    #if canImport(Glibc)
      // What counts is what the disk has, and not what was written a while ago.
      posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
    #endif
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var offset: Int64 = 0
    while true {
      let got = chunk.withUnsafeMutableBytes { raw in
        pread(file.number, raw.baseAddress, raw.count, off_t(offset))
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw failure("read", path) }
      if got == 0 { break }
      result.checksum = carrow_crc32c(result.checksum, chunk, got)
      offset += Int64(got)
    }
    try file.close(path)
    result.byteCount = offset
    return result
  }
}

/// An open file; closed when it goes out of scope, and explicitly where the result matters.
private struct Descriptor: ~Copyable {
  let number: Int32

  init(opening path: String, _ flags: Int32) throws(LakeError) {
    var opened: Int32
    repeat { opened = open(path, flags, PosixStorage.fileMode) } while opened < 0 && errno == EINTR
    guard opened >= 0 else { throw failure("open", path) }
    number = opened
  }

  borrowing func give(to group: gid_t?, _ path: String) throws(LakeError) {
    guard let group else { return }
    guard fchown(number, uid_t.max, group) == 0, fchmod(number, PosixStorage.fileMode) == 0 else {
      throw failure("give to the reading group", path)
    }
  }

  borrowing func writeAll(
    _ bytes: UnsafeRawBufferPointer, at offset: Int64, of path: String
  ) throws(LakeError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = pwrite(number, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write", path) }
      done += count
    }
  }

  borrowing func sync(_ path: String) throws(LakeError) {
    guard fsync(number) == 0 else { throw failure("sync", path) }
  }

  /// Some file systems report a failed write only here.
  consuming func close(_ path: String) throws(LakeError) {
    let number = self.number
    discard self
    guard closeDescriptor(number) == 0 || errno == EINTR else { throw failure("close", path) }
  }

  deinit { _ = closeDescriptor(number) }
}

private func closeDescriptor(_ number: Int32) -> Int32 { close(number) }

private func parent(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

func failure(_ operation: String, _ path: String) -> LakeError {
  .io(operation: operation, path: path, code: errno)
}

/// The system's text for an error number.
func systemErrorText(_ code: Int32) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}

/// Keeps other processes from writing to the same lake; the kernel lets go when the process ends,
/// however it ends. Nobody else may open the file: whoever can, could hold the lock.
final class LakeLock: Sendable {
  private let number: Int32

  init(path: String) throws(LakeError) {
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard opened >= 0 else { throw failure("open", path) }
    // One of an earlier version; it stays as it is where it is another account's.
    _ = fchmod(opened, 0o600)
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      _ = closeDescriptor(opened)
      throw code == EWOULDBLOCK
        ? .locked(path: path) : .io(operation: "lock", path: path, code: code)
    }
    number = opened
  }

  deinit {
    // Closing is not enough: a child that was forked and has not called exec yet holds it too.
    _ = flock(number, LOCK_UN)
    _ = closeDescriptor(number)
  }
}
