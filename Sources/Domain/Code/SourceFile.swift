/// One file of a submission or of a suite of tests.
package struct SourceFile: Sendable, Hashable {
  /// Relative, with `/`, without `.` and `..` (see `SourceFiles.validate`).
  package var path: String
  package var content: String

  package init(path: String, content: String) {
    self.path = path
    self.content = content
  }
}

/// The rules for a set of files that a caller brings.
package enum SourceFiles {
  package static let maximumCount = 50
  /// Of all files together, in bytes of UTF-8.
  package static let maximumByteCount = 1024 * 1024
  /// Of one path, in bytes; and of one part of it.
  package static let maximumPath = 240
  package static let maximumPathPart = 100
  package static let maximumDepth = 10

  /// Adds what is wrong with the files to `validation`, each under `field[index]`.
  package static func validate(
    _ files: [SourceFile], field: String, into validation: inout Validation
  ) {
    guard files.count <= maximumCount else {
      validation.add(field, "has more than \(maximumCount) files")
      return
    }
    var byteCount = 0
    var seen: Set<String> = []
    for (index, file) in files.enumerated() {
      let name = "\(field)[\(index)]"
      if let problem = problem(ofPath: file.path) { validation.add("\(name).path", problem) }
      // Two names that one file system takes for one must not overwrite each other.
      if !seen.insert(file.path.lowercased()).inserted {
        validation.add("\(name).path", "is there twice")
      }
      if file.content.utf8.count > CodeLimits.contentByteCount {
        validation.add("\(name).content", "is longer than 256 KiB")
      } else if file.content.utf8.contains(0) {
        validation.add("\(name).content", "contains a NUL character")
      }
      byteCount += file.content.utf8.count
    }
    for folder in folders(of: files) where seen.contains(folder.lowercased()) {
      validation.add(field, "has '\(folder.prefix(100))' as a file and as a folder")
    }
    if byteCount > maximumByteCount {
      validation.add(field, "is longer than 1 MiB in all")
    }
  }

  private static func folders(of files: [SourceFile]) -> Set<String> {
    var folders: Set<String> = []
    for file in files where file.path.utf8.count <= maximumPath {
      let parts = file.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      for count in parts.indices { folders.insert(parts[...count].joined(separator: "/")) }
    }
    return folders
  }

  /// Nil where the path is one that can be written below a folder on every system.
  package static func problem(ofPath path: String) -> String? {
    guard !path.isEmpty else { return "must not be empty" }
    // Compilers read their arguments out of a file that is named so.
    guard !path.hasPrefix("@") else { return "must not begin with '@'" }
    guard path.utf8.count <= maximumPath else { return "is longer than \(maximumPath) bytes" }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= maximumDepth else { return "has more than \(maximumDepth) parts" }
    for part in parts {
      if part.isEmpty { return "must be relative, without empty parts" }
      if part == "." || part == ".." { return "must not contain '\(part)'" }
      if part.utf8.count > maximumPathPart { return "has a part over \(maximumPathPart) bytes" }
      if part.hasPrefix("-") { return "has a part that begins with '-'" }
    }
    let isPlain = path.unicodeScalars.allSatisfy { scalar in
      scalar != "\\" && scalar.properties.generalCategory != .control
    }
    guard isPlain else { return "contains control characters or '\\'" }
    return InvisibleCharacters.areIn(path) ? "contains invisible characters" : nil
  }
}

/// What a learner hands in: files, one of which is the main one.
package struct Submission: Sendable, Hashable {
  /// In lower case, for example `python`.
  package var language: String
  /// The file that a snapshot stores as its code; the others are stored beside it.
  package var mainPath: String
  /// In the order of their paths; holds `mainPath`.
  package var files: [SourceFile]

  package init(language: String, mainPath: String, files: [SourceFile]) {
    self.language = language
    self.mainPath = mainPath
    self.files = files.sorted { $0.path < $1.path }
  }
}
