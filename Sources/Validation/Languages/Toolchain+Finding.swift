internal import Domain
internal import Glibc

extension Toolchain {
  private static let folders = [
    "/usr/local/bin", "/usr/bin", "/bin", "/opt/swift/usr/bin", "/usr/lib/go/bin",
  ]
  /// Where the set-up installs what it brings.
  private static let componentFolders = ["/usr/local/lib/hito/validation"]

  /// Looks for tools in the places that the sandbox can show. Links are followed here: those of Debian's
  /// alternatives lead through `/etc`, which is not there inside.
  ///
  /// - Parameter component: the folder of `make setup`'s tools; nil: where the set-up puts it.
  package static func found(component: String? = nil) -> Toolchain {
    var toolchain = Toolchain()
    let home = getenv("HOME").map { String(cString: $0) + "/.local/lib/hito/validation" }
    let components = component.map { [$0] } ?? componentFolders + [home].compactMap { $0 }
    let names: [Tool: String] = [.python: "python3", .typescript: "tsc"]
    for tool in Tool.allCases where tool.isProgram {
      let name = names[tool] ?? tool.rawValue
      toolchain.paths[tool] = folders.lazy.compactMap { resolved("\($0)/\(name)") }.first
    }
    for folder in components {
      guard let ruff = resolved("\(folder)/bin/ruff"),
        let python = resolved("\(folder)/python", isProgram: false)
      else { continue }
      toolchain.paths[.ruff] = ruff
      toolchain.pythonPackages = python
      toolchain.paths[.pytest] = resolved("\(python)/pytest/__init__.py", isProgram: false)
      toolchain.paths[.treeSitter] = resolved("\(python)/tree_sitter/__init__.py", isProgram: false)
      toolchain.grammars = grammars("\(python)/tree_sitter_language_pack/bindings")
      toolchain.versions[.pytest] = version(of: "pytest", in: python)
      toolchain.versions[.treeSitter] = version(of: "tree_sitter", in: python)
      break
    }
    toolchain.mounts = toolchain.neededMounts()
    return toolchain
  }

  /// `/usr` is in every sandbox; the rest is shown by its first two folders, or for a component itself.
  private func neededMounts() -> [SandboxMount] {
    var sources: Set<String> = []
    for path in paths.values where !path.hasPrefix("/usr/") && !path.hasPrefix("/bin/") {
      if let python = pythonPackages, path.hasPrefix(Self.parent(python)) {
        sources.insert(Self.parent(python))
      } else {
        sources.insert("/" + path.split(separator: "/").prefix(2).joined(separator: "/"))
      }
    }
    return sources.sorted().map { SandboxMount($0) }
  }

  private static func parent(_ path: String) -> String {
    "/" + path.split(separator: "/").dropLast().joined(separator: "/")
  }

  private static func resolved(_ path: String, isProgram: Bool = true) -> String? {
    guard access(path, isProgram ? X_OK : R_OK) == 0, let end = real(path) else { return nil }
    guard isOpenToAll(end) else { return nil }
    return isProgram ? named(path) ?? end : end
  }

  /// Whether every user may get there: a job's is none that the host knows.
  private static func isOpenToAll(_ path: String) -> Bool {
    var folder = parent(path)
    while folder != "/" {
      var status = stat()
      guard stat(folder, &status) == 0, status.st_mode & S_IXOTH != 0 else { return false }
      folder = parent(folder)
    }
    return true
  }

  /// The last place on the way of a program's links where it still has its name: some programs are several,
  /// and look at the name that they are called by (`swiftc` leads to `swift-driver`).
  private static func named(_ path: String) -> String? {
    let name = path.split(separator: "/").last ?? ""
    var found: String?
    var place = path
    for _ in 0..<8 {
      guard let folder = real(parent(place)) else { break }
      place = "\(folder)/\(place.split(separator: "/").last ?? "")"
      if place.hasSuffix("/\(name)"), !place.hasPrefix("/etc/") { found = place }
      guard let target = link(place) else { break }
      place = target.hasPrefix("/") ? target : "\(folder)/\(target)"
    }
    return found
  }

  private static func real(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  private static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }

  private static func grammars(_ folder: String) -> Set<String> {
    let suffix = ".abi3.so"
    return Set(
      names(in: folder).filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) })
  }

  private static func version(of package: String, in folder: String) -> String? {
    let suffix = ".dist-info"
    return names(in: folder).first { $0.hasPrefix(package + "-") && $0.hasSuffix(suffix) }
      .map { String($0.dropFirst(package.count + 1).dropLast(suffix.count)) }
  }
}

extension Tool {
  /// Whether it is looked for as a program; the others come with a folder of Python packages.
  fileprivate var isProgram: Bool {
    switch self {
    case .ruff, .pytest, .treeSitter: false
    default: true
    }
  }
}
