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

extension Tool {
  /// What an operator runs to have it here.
  package var installation: String {
    switch self {
    case .ruff, .pytest, .treeSitter: "make setup"
    case .swift: "Swift's archive of swift.org, unpacked in /opt/swift"
    case .python: "apt-get install python3"
    case .node: "apt-get install nodejs"
    case .typescript: "apt-get install node-typescript"
    case .gcc, .gxx, .bash, .shellcheck: "apt-get install \(rawValue)"
    case .gofmt, .go: "apt-get install golang-go"
    case .rustc: "apt-get install rustc"
    case .javac, .java, .jar: "apt-get install default-jdk-headless"
    }
  }
}

extension Language {
  /// Whether the set-up brings its tools; those of the others are used where they are found.
  package var isOfSetUp: Bool {
    switch self {
    case .python, .javascript, .c, .cpp, .shell: true
    case .typescript, .swift, .go, .rust, .java: false
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
