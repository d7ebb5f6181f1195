import Foundation

/// The documents in a folder of this machine.
struct DocumentFolder {
  static let fileByteCountMax = 2 << 20
  private static let endings: Set<String> = [
    "md", "markdown", "mdx", "html", "htm", "xhtml", "txt",
  ]

  struct File: Sendable {
    /// Inside the folder, with `/` between its parts.
    let path: String
    let url: URL

    func read() throws -> [UInt8] {
      let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
      guard size <= DocumentFolder.fileByteCountMax else {
        throw CommandFailure("\(TerminalText.clean(path)): longer than 2 MiB")
      }
      return Array(try Data(contentsOf: url))
    }
  }

  /// In the order of their paths. Hidden files, and links that lead out of the folder, are none.
  let files: [File]

  init(_ directory: String) throws {
    // Foundation's own resolving leaves some prefixes as they are; this is what the system says.
    guard let resolved = realpath(directory, nil) else {
      throw CommandFailure("\(directory): no such folder")
    }
    defer { free(resolved) }
    let root = String(cString: resolved)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder), isFolder.boolValue
    else { throw CommandFailure("\(directory): no folder") }
    // Does not follow links to folders.
    guard
      let walk = FileManager.default.enumerator(
        at: URL(filePath: root, directoryHint: .isDirectory),
        includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
    else { throw CommandFailure("\(directory): cannot be read") }
    var found: [File] = []
    for case let url as URL in walk {
      guard Self.endings.contains(url.pathExtension.lowercased()),
        let target = realpath(url.path, nil)
      else { continue }
      defer { free(target) }
      let path = String(cString: target)
      var isFolder: ObjCBool = false
      guard path.hasPrefix(root + "/"), url.path.hasPrefix(root + "/"),
        FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue
      else { continue }
      found.append(
        File(path: String(url.path.dropFirst(root.count + 1)), url: URL(filePath: path)))
    }
    files = found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }
}
