package import Domain

/// A program that judges code.
package enum Tool: String, Sendable, Hashable, CaseIterable {
  case python
  case ruff
  case pytest
  case node
  case typescript = "tsc"
  case gcc
  case gxx = "g++"
  case bash
  case shellcheck
  case swift = "swiftc"
  case gofmt
  case go
  case rustc
  case javac
  case java
  case jar
  case treeSitter = "tree-sitter"

  /// What is asked for its version; nil where it is known from elsewhere.
  var versionArguments: [String]? {
    switch self {
    case .go: ["version"]
    case .gofmt, .pytest, .treeSitter, .jar: nil
    default: ["--version"]
    }
  }
}

/// The tools of a machine: where they are, which version, and what the sandbox must show of the host.
package struct Toolchain: Sendable, Hashable {
  /// Absolute paths inside the sandbox.
  package var paths: [Tool: String]
  package var versions: [Tool: String]
  package var mounts: [SandboxMount]
  /// The folder of the Python packages of the set-up; nil where there is none.
  package var pythonPackages: String?
  /// Names of tree-sitter's grammars.
  package var grammars: Set<String>

  package init(
    paths: [Tool: String] = [:], versions: [Tool: String] = [:], mounts: [SandboxMount] = [],
    pythonPackages: String? = nil, grammars: Set<String> = []
  ) {
    self.paths = paths
    self.versions = versions
    self.mounts = mounts
    self.pythonPackages = pythonPackages
    self.grammars = grammars
  }

  func has(_ tools: [Tool]) -> Bool { tools.allSatisfy { paths[$0] != nil } }

  func name(_ tool: Tool) -> String {
    [tool.rawValue, versions[tool] ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
  }
}
