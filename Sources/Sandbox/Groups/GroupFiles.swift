import CSandbox
import Glibc

/// Why a control group could not be made or set up.
struct GroupError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was tried, and with which file.
  let action: String
  let errorNumber: Int32

  init(_ action: String, _ errorNumber: Int32 = errno) {
    self.action = action
    self.errorNumber = errorNumber
  }

  var description: String { "\(action): \(String(cString: strerror(errorNumber)))" }
}

/// The small files of control groups and of /proc, which only the kernel and this server write.
enum GroupFiles {
  private static let chunkByteCount = 1 << 13
  private static let byteCountMax = 1 << 20

  /// Nil where it is not there, or cannot be read.
  static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    while bytes.count < byteCountMax {
      let chunk = [UInt8](unsafeUninitializedCapacity: chunkByteCount) { buffer, count in
        count = max(0, read(file, buffer.baseAddress, chunkByteCount))
      }
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.prefix { $0 != "\n" }) }
  }

  /// The value behind `key` in lines of keys and values.
  static func number(_ path: String, _ key: String) -> Int? {
    for line in text(path)?.split(separator: "\n") ?? [] {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == key { return Int(words[1]) }
    }
    return nil
  }

  static func write(_ path: String, _ value: String) throws(GroupError) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw GroupError("open \(path)") }
    defer { close(file) }
    var value = value
    let written = value.withUTF8 { Glibc.write(file, $0.baseAddress, $0.count) }
    guard written == value.utf8.count else { throw GroupError("write \(value) to \(path)") }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Makes a folder that may be there already.
  static func make(_ path: String) throws(GroupError) {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw GroupError("make \(path)") }
  }

  /// The names of the folders in a folder of control groups that begin with `prefix`.
  static func folders(in path: String, prefix: String = "") -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(prefix), name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
