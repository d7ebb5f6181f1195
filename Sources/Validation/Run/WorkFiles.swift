internal import Domain

/// Which files of a submission and a suite stand in `/work`.
enum WorkFiles {
  /// What runners, interpreters and package managers read by themselves: a submission must not steer its own
  /// tests with them.
  static func isControl(_ path: String) -> Bool {
    let parts = path.lowercased().split(separator: "/").map(String.init)
    let names: Set<String> = [
      "conftest.py", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py",
      "sitecustomize.py", "usercustomize.py", "package.json", "package-lock.json", "tsconfig.json",
      ".npmrc", ".babelrc", "jest.config.js", "jest.config.mjs", "babel.config.js", ".coveragerc",
      ".shellcheckrc", "ruff.toml", ".ruff.toml", "makefile", "pyvenv.cfg",
    ]
    return parts.contains("node_modules") || parts.first == HiddenFolder.name
      || parts.last.map { names.contains($0) || $0.hasSuffix(".pth") } ?? false
  }

  /// The submission's files that are judged.
  static func judged(_ submission: Submission) -> [SourceFile] {
    submission.files.filter { $0.path == submission.mainPath || !isControl($0.path) }
  }

  /// The submission with the suite's files in the place of its own of the same name.
  static func merged(_ files: [SourceFile], with suite: [SourceFile]) -> [SourceFile] {
    let taken = Set(suite.map { $0.path.lowercased() })
    return files.filter { !taken.contains($0.path.lowercased()) } + suite
  }
}

/// What a build made, where tests run: programs, and files that stand in for their sources.
struct BuiltFiles {
  private var scripts: [String: SourceFile] = [:]
  private(set) var programs: [SandboxPath: [UInt8]] = [:]

  init(_ products: [BuildProduct], _ contents: [SandboxPath: [UInt8]]) {
    for product in products {
      guard let path = try? SandboxPath(product.path), let bytes = contents[path] else { continue }
      if let (source, place) = product.replaces {
        scripts[source] = SourceFile(path: place, content: String(decoding: bytes, as: UTF8.self))
      } else {
        programs[path] = bytes
      }
    }
  }

  func place(_ path: String) -> String { scripts[path]?.path ?? path }
  func placed(_ files: [SourceFile]) -> [SourceFile] { files.map { scripts[$0.path] ?? $0 } }
}

/// JavaScript as node takes it.
enum NodeFiles {
  /// JavaScript that was made of another language, as node takes it.
  static func runnable(_ files: [SourceFile]) -> [SourceFile] {
    let complete = complete(files)
    return complete + support(for: complete)
  }

  /// Imports of files without their extension, which bundlers take and node does not, get it.
  static func complete(_ files: [SourceFile]) -> [SourceFile] {
    let paths = Set(files.map(\.path))
    return files.map { file in
      guard ["js", "mjs"].contains(where: { file.path.hasSuffix("." + $0) }) else { return file }
      let folder = file.path.split(separator: "/").dropLast().map(String.init)
      let pattern =
        /(?<head>\bfrom\s{0,20}|\bimport\s{0,20}\(?\s{0,20})(?<mark>['"])(?<path>\.{1,2}\/[^'"\n]+)\k<mark>/
      let content = file.content.replacing(pattern) { match in
        let name = String(match.output.path)
        let target = resolved(name, in: folder)
        for suffix in [".js", ".mjs", ".cjs", "/index.js"]
        where !paths.contains(target) && paths.contains(target + suffix) {
          return "\(match.output.head)\(match.output.mark)\(name)\(suffix)\(match.output.mark)"
        }
        return String(match.output.0)
      }
      return SourceFile(path: file.path, content: content)
    }
  }

  private static func resolved(_ path: String, in folder: [String]) -> String {
    var parts = folder
    for part in path.split(separator: "/") {
      if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
    }
    return parts.joined(separator: "/")
  }

  /// What tells node that files are modules, and stands in for Jest's package.
  static func support(for files: [SourceFile]) -> [SourceFile] {
    var made: [SourceFile] = []
    let isModule = files.contains { file in
      file.path.hasSuffix(".js") && file.content.contains(/(?m)^[ \t]{0,40}(import\b[^(]|export\b)/)
    }
    if !files.contains(where: { $0.path == "package.json" }) {
      // Of both kinds, as Babel mixes them: then node looks at each file.
      let isMixed = isModule && files.contains(where: isScript)
      let type = isModule ? "module" : "commonjs"
      made.append(
        SourceFile(path: "package.json", content: isMixed ? "{}" : #"{"type":"\#(type)"}"#))
    }
    if usesJest(files) {
      let folder = "node_modules/@jest/globals"
      let names =
        "expect, jest, test, it, xtest, xit, describe, xdescribe, beforeAll, afterAll, beforeEach, afterEach"
      made += [
        SourceFile(
          path: "\(folder)/package.json", content: #"{"type":"module","exports":"./index.js"}"#),
        SourceFile(
          path: "\(folder)/index.js", content: "export const { \(names) } = globalThis;\n"),
      ]
    }
    return made
  }

  /// A file that exports as scripts do, and is no module.
  private static func isScript(_ file: SourceFile) -> Bool {
    file.path.hasSuffix(".js")
      && file.content.contains(/(?m)^[ \t]{0,40}(module\.)?exports\b/)
      && !file.content.contains(/(?m)^[ \t]{0,40}(import\b[^(]|export\b)/)
  }

  static func usesJest(_ files: [SourceFile]) -> Bool {
    files.contains { $0.content.contains("@jest/globals") || $0.content.contains("expect(") }
  }
}
