enum PythonNames {
  /// `goals_pb2.Goal.Label`.
  static func type(_ name: ProtoName) -> String {
    ([Names.base(name.file) + "_pb2"] + name.path).joined(separator: ".")
  }

  static func method(_ name: String) -> String {
    let snake = Names.snake(name)
    return keywords.contains(snake) ? snake + "_" : snake
  }

  /// `Goal.Label` in the file that declares it, `_goals_pb2.Goal.Label` in another one's types.
  static func local(_ name: ProtoName, in file: String) -> String {
    name.file == file ? name.path.joined(separator: ".") : "_" + type(name)
  }

  /// Whether nothing can have the name.
  static func isReserved(_ name: String) -> Bool {
    keywords.contains(name) || ["False", "None", "True"].contains(name)
  }

  /// `from hito.v1 import goals_pb2`.
  static func messageImport(_ file: String) -> String {
    let folders = Names.stem(file).split(separator: "/").dropLast().joined(separator: ".")
    return "from \(folders) import \(Names.base(file))_pb2"
  }

  private static let keywords: Set<String> = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
  ]
}

extension SourceWriter {
  /// A Python docstring with an empty line behind it.
  mutating func docstring(_ lines: [String]) {
    stringed(lines)
    line()
  }

  /// A comment as a docstring, if there is one.
  mutating func documented(_ comment: [String], isDeprecated: Bool) {
    let note = isDeprecated ? (comment.isEmpty ? [] : [""]) + ["Deprecated in the contract."] : []
    if !(comment + note).isEmpty { stringed(comment + note) }
  }

  private mutating func stringed(_ lines: [String]) {
    let safe = lines.map { line in
      line.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
        .split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    }
    if safe.count == 1, let only = safe.first {
      line("\"\"\"\(only)\"\"\"")
    } else {
      for (index, text) in safe.enumerated() { line(index == 0 ? "\"\"\"" + text : text) }
      line("\"\"\"")
    }
  }
}
