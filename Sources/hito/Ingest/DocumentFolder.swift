import Documents
import Glibc

/// The documents in a folder of this machine, and what is in it beside them and must not be passed over
/// in silence.
struct DocumentFolder {
  private static let endings = ["md", "markdown", "mdx", "html", "htm", "xhtml", "txt"]
    .map { ".\($0)" }
  /// Folders within each other.
  private static let depthMax = 100

  /// Something that is not taken in, by its path in the folder.
  struct Refusal: Error, Sendable {
    let path: String
    let reason: String
  }

  let directory: String
  /// In the order of their paths.
  private(set) var files: [DocumentFile] = []
  /// What looks like a document, and cannot be read.
  private(set) var refused: [Refusal] = []
  /// Links that are not followed.
  private(set) var skipped: [Refusal] = []
  /// Folders that cannot be read: nobody knows what is in them.
  private(set) var unread: [Refusal] = []

  private let root: [UInt8]

  init(_ directory: String) throws {
    self.directory = directory
    guard let resolved = realpath(directory, nil) else {
      throw CommandFailure("\(directory): no such folder")
    }
    defer { free(resolved) }
    root = Array(String(cString: resolved).utf8)
    guard Self.kind(of: root, follows: true) == S_IFDIR else {
      throw CommandFailure("\(directory): no folder")
    }
    guard walk([], depth: 0) else { throw CommandFailure("\(directory): cannot be read") }
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// - Parameter folder: inside the root, with a `/` at its end unless it is the root.
  /// - Returns: whether the folder could be read.
  private mutating func walk(_ folder: [UInt8], depth: Int) -> Bool {
    guard depth <= Self.depthMax, let names = Self.names(in: root + [Self.slash] + folder) else {
      return false
    }
    for name in names where name.first != UInt8(ascii: ".") {
      let path = folder + name
      switch Self.kind(of: root + [Self.slash] + path, follows: false) {
      case S_IFDIR:
        if !walk(path + [Self.slash], depth: depth + 1) {
          let reason =
            depth < Self.depthMax
            ? "a folder that cannot be read"
            : "folders more than \(Self.depthMax) within each other"
          unread.append(Refusal(path: Self.shown(path), reason: reason))
        }
      case S_IFLNK: take(link: path)
      case S_IFREG: if Self.isDocument(name) { take(path, at: root + [Self.slash] + path) }
      default:
        if Self.isDocument(name) {
          refused.append(Refusal(path: Self.shown(path), reason: "is no file"))
        }
      }
    }
    return true
  }

  private mutating func take(link path: [UInt8]) {
    let place = root + [Self.slash] + path
    let isDocument = Self.isDocument(path)
    let kind = Self.kind(of: place, follows: true)
    guard let target = Self.resolved(place), let kind else {
      if isDocument { refused.append(Refusal(path: Self.shown(path), reason: "a link to nothing")) }
      return
    }
    if kind == S_IFDIR {
      let reason = "a link to a folder, which is not followed"
      skipped.append(Refusal(path: Self.shown(path), reason: reason))
    } else if isDocument, !target.starts(with: root + [Self.slash]) {
      let reason = "a link that leads out of the folder"
      skipped.append(Refusal(path: Self.shown(path), reason: reason))
    } else if isDocument {
      take(path, at: target)
    }
  }

  private mutating func take(_ path: [UInt8], at place: [UInt8]) {
    guard let text = String(validating: path, as: UTF8.self) else {
      return refused.append(Refusal(path: Self.shown(path), reason: "its name is not UTF-8"))
    }
    files.append(DocumentFile(path: text, place: place))
  }

  // MARK: The system

  private static let slash = UInt8(ascii: "/")

  private static func isDocument(_ name: [UInt8]) -> Bool {
    let tail = String(decoding: name.suffix(16), as: UTF8.self).lowercased()
    return endings.contains { tail.hasSuffix($0) }
  }

  /// A path as it can be shown: what is no UTF-8 as `\xF1`.
  static func shown(_ path: [UInt8]) -> String {
    if let text = String(validating: path, as: UTF8.self) { return text }
    return path.map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  private static func kind(of path: [UInt8], follows: Bool) -> mode_t? {
    var status = stat()
    let result = withName(path) { follows ? stat($0, &status) : lstat($0, &status) }
    return result == 0 ? status.st_mode & S_IFMT : nil
  }

  private static func resolved(_ path: [UInt8]) -> [UInt8]? {
    guard let target = withName(path, { realpath($0, nil) }) else { return nil }
    defer { free(target) }
    return Array(UnsafeBufferPointer(start: target, count: strlen(target))).map(
      UInt8.init(bitPattern:))
  }

  private static func names(in folder: [UInt8]) -> [[UInt8]]? {
    guard let stream = withName(folder, { opendir($0) }) else { return nil }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: UInt8.self, capacity: 256) { bytes in
          let name = Array(UnsafeBufferPointer(start: bytes, count: 256).prefix { $0 != 0 })
          names.append(name)
        }
      }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Calls the system with a path, which need not be UTF-8.
  static func withName<Result>(
    _ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    (path.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer { name in
      // It has its NUL at least.
      body(name.baseAddress.unsafelyUnwrapped)
    }
  }
}
