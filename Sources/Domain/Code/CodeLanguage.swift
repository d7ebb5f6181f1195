/// The names of programming languages.
package enum CodeLanguage {
  /// What a file is where its path says nothing.
  static let unknown = "text"

  private static let byEnding: [String: String] = [
    "py": "python", "pyi": "python",
    "swift": "swift",
    "js": "javascript", "mjs": "javascript", "cjs": "javascript", "jsx": "javascript",
    "ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "typescript",
    "java": "java", "kt": "kotlin", "kts": "kotlin", "scala": "scala",
    "c": "c", "h": "c",
    "cc": "cpp", "cpp": "cpp", "cxx": "cpp", "hh": "cpp", "hpp": "cpp", "hxx": "cpp",
    "cs": "csharp", "go": "go", "rs": "rust", "rb": "ruby", "php": "php", "lua": "lua",
    "sh": "shell", "bash": "shell", "sql": "sql", "r": "r", "dart": "dart", "ex": "elixir",
    "exs": "elixir", "hs": "haskell", "html": "html", "htm": "html", "css": "css",
    "json": "json", "toml": "toml", "yaml": "yaml", "yml": "yaml", "md": "markdown",
  ]

  /// The language that the last ending of a path names, in any case; a leading dot starts a name,
  /// not an ending.
  package static func ofPath(_ path: String) -> String {
    let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] }
    let parts = (name ?? path[...]).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, let ending = parts.last, parts.dropLast() != [""] else {
      return unknown
    }
    // Bounded first: a hostile path must not be lower-cased as a whole for nothing.
    guard ending.utf8.count <= 8 else { return unknown }
    return byEnding[ending.lowercased()] ?? unknown
  }

  static func isName(_ text: String) -> Bool {
    let count = text.utf8.count
    guard count > 0, count <= CodeLimits.language else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "+"), UInt8(ascii: "#"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}
