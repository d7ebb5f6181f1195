import Contract
import Foundation

/// The files that a person names on the command line, as a submission.
struct SubmissionFiles {
  /// What the server takes at most; looked at here so that no gigabyte is read first.
  static let countMax = 50
  static let byteCountMax = 1 << 20

  struct File: Sendable, Hashable {
    /// Below the folder that all files share.
    let path: String
    /// On this machine.
    let place: String
  }

  let files: [File]

  /// - Parameter paths: files, and folders whose files are meant, without hidden ones.
  init(_ paths: [String]) throws {
    let places = try paths.flatMap { try Self.places(of: $0) }
    var seen: Set<String> = []
    let unique = places.filter { seen.insert($0).inserted }
    guard !unique.isEmpty else { throw CommandFailure("there are no files to validate") }
    guard unique.count <= Self.countMax else {
      throw CommandFailure("\(unique.count) files: at most \(Self.countMax) make a submission")
    }
    let shared = Self.sharedFolder(of: unique)
    files = unique.map { File(path: String($0.dropFirst(shared.count)), place: $0) }
  }

  /// Reads them, as they are now.
  func read() throws -> [SourceFile] {
    var rest = Self.byteCountMax
    return try files.map { file in
      let content = try Self.text(at: file.place, byteCountMax: rest)
      rest -= content.utf8.count
      return SourceFile(path: file.path, content: content)
    }
  }

  /// The text of one file, in UTF-8.
  static func text(at place: String, byteCountMax: Int) throws -> String {
    let name = TerminalText.clean(place)
    guard let file = FileHandle(forReadingAtPath: place) else {
      throw CommandFailure("\(name): cannot be read")
    }
    defer { try? file.close() }
    // One more than may be: a file that grows meanwhile is no longer than that either.
    let data = try file.read(upToCount: byteCountMax + 1) ?? Data()
    guard data.count <= byteCountMax else {
      throw CommandFailure("\(name): the files are longer than 1 MiB in all")
    }
    guard let text = String(validating: Array(data), as: UTF8.self) else {
      throw CommandFailure("\(name): is not UTF-8 text")
    }
    guard !text.utf8.contains(0) else {
      throw CommandFailure("\(name): holds NUL characters, and is no text")
    }
    return text
  }

  /// The regular files that a path stands for, as the system names them, in the order of their names.
  static func places(of path: String) throws -> [String] {
    guard let resolved = realpath(path, nil) else {
      throw CommandFailure("\(TerminalText.clean(path)): no such file or folder")
    }
    defer { free(resolved) }
    let root = String(cString: resolved)
    var facts = stat()
    guard stat(root, &facts) == 0 else {
      throw CommandFailure("\(TerminalText.clean(path)): cannot be read")
    }
    if facts.st_mode & S_IFMT == S_IFREG { return [root] }
    guard facts.st_mode & S_IFMT == S_IFDIR else {
      throw CommandFailure("\(TerminalText.clean(path)): neither a file nor a folder")
    }
    // Does not follow links to folders.
    let walk = FileManager.default.enumerator(
      at: URL(filePath: root, directoryHint: .isDirectory),
      includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
    var found: [String] = []
    while let url = walk?.nextObject() as? URL {
      guard (try? url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true else {
        continue
      }
      found.append(url.path)
      // More are refused; a home folder is not walked to its end for that.
      if found.count > 10 * countMax { break }
    }
    return found.sorted()
  }

  /// With its `/`.
  private static func sharedFolder(of places: [String]) -> String {
    func folder(_ place: String) -> ArraySlice<Substring> {
      place.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    }
    var shared = folder(places[0])
    for place in places.dropFirst() {
      let common = zip(shared, folder(place)).prefix { $0 == $1 }.count
      shared = shared.prefix(common)
    }
    return shared.joined(separator: "/") + "/"
  }
}
