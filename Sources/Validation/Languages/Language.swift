internal import Domain

/// The languages that Hito knows tools for, and what their files are called.
package enum Language: String, Sendable, Hashable, CaseIterable {
  case python
  case javascript
  case typescript
  case swift
  case go
  case rust
  case java
  case c
  case cpp
  case shell

  /// - Parameter name: as a submission names it; other common names are taken, too.
  package init?(_ name: String) {
    let other: [String: Language] = [
      "py": .python, "python3": .python, "js": .javascript, "node": .javascript, "ts": .typescript,
      "golang": .go, "rs": .rust, "c++": .cpp, "bash": .shell, "sh": .shell,
    ]
    guard let found = Language(rawValue: name) ?? other[name] else { return nil }
    self = found
  }

  var extensions: [String] {
    switch self {
    case .python: ["py"]
    case .javascript: ["js", "mjs", "cjs"]
    case .typescript: ["ts", "mts", "cts"]
    case .swift: ["swift"]
    case .go: ["go"]
    case .rust: ["rs"]
    case .java: ["java"]
    case .c: ["c"]
    case .cpp: ["cpp", "cc", "cxx"]
    case .shell: ["sh", "bash"]
    }
  }

  /// The files of a submission that are of the language: the main one always is.
  func sources(of submission: Submission) -> [SourceFile] {
    submission.files.filter { file in
      file.path == submission.mainPath
        || extensions.contains { file.path.lowercased().hasSuffix("." + $0) }
    }
  }

  var needs: [Tool] {
    switch self {
    case .python: [.python]
    case .javascript: [.node]
    case .typescript: [.typescript, .node]
    case .swift: [.swift]
    case .go: [.gofmt]
    case .rust: [.rustc]
    case .java: [.javac]
    case .c: [.gcc]
    case .cpp: [.gxx]
    case .shell: [.bash]
    }
  }

  var uses: [Tool] {
    switch self {
    case .python: [.ruff, .pytest]
    case .go: [.go]
    case .java: [.java, .jar]
    case .shell: [.shellcheck]
    default: []
    }
  }

  /// How its tests can be run, if its tools are there.
  var testKinds: [TestKind] {
    switch self {
    case .python: [.unittest, .pytest, .stdio, .protocolLines]
    case .javascript, .typescript: [.nodeTest, .stdio, .protocolLines]
    default: [.stdio, .protocolLines]
    }
  }

  /// Tools without which its programs cannot be built and run.
  var builds: [Tool] {
    switch self {
    case .go: [.go]
    case .java: [.java, .jar]
    default: []
    }
  }

  var isCompiled: Bool {
    switch self {
    case .swift, .go, .rust, .java, .c, .cpp, .typescript: true
    case .python, .javascript, .shell: false
    }
  }

  /// The name of tree-sitter's grammar for a language by the name that a submission gives.
  static func grammar(_ name: String) -> String {
    let other = [
      "c++": "cpp", "c#": "csharp", "shell": "bash", "sh": "bash", "golang": "go",
      "ts": "typescript",
      "js": "javascript", "py": "python", "f#": "fsharp", "objective-c": "objc", "pl": "perl",
      "rb": "ruby", "kt": "kotlin", "hs": "haskell", "lisp": "commonlisp", "postgresql": "sql",
    ]
    return other[name] ?? name
  }
}
