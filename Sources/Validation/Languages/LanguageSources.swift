internal import Domain

/// The files of a language in a submission and its suite, and what their texts say of how they are built.
struct LanguageSources {
  let language: Language
  let mainPath: String
  /// Of the submission.
  let own: [SourceFile]
  /// Of the suite; those that take the place of the submission's are not among them.
  let ofSuite: [SourceFile]
  let hasGoModule: Bool

  init(_ language: Language, _ submission: Submission, _ suiteFiles: [SourceFile]) {
    self.language = language
    mainPath = submission.mainPath
    let sources = language.sources(of: submission)
    own = sources
    ofSuite = suiteFiles.filter { file in
      language.extensions.contains { file.path.hasSuffix("." + $0) }
        && !sources.contains { $0.path == file.path }
    }
    hasGoModule = (submission.files + suiteFiles).contains { $0.path == "go.mod" }
  }

  var all: [SourceFile] { own + ofSuite }
  var main: SourceFile? { own.first { $0.path == mainPath } }

  /// Folders of the submission with files of the language, in order.
  var folders: [String] { Set(own.map { Self.folder(of: $0.path) }).sorted() }

  static func folder(of path: String) -> String {
    path.split(separator: "/").dropLast().joined(separator: "/")
  }

  /// Where the program begins: in the suite where one of its files does, for instance a runner of tests.
  func rootPath(_ language: Language) -> String {
    ofSuite.first { Self.declaresMain($0, language) }?.path ?? mainPath
  }

  static func declaresMain(_ file: SourceFile?, _ language: Language) -> Bool {
    guard let text = file?.content else { return false }
    switch language {
    case .rust:
      return text.contains(
        /(?m)^[ \t]{0,40}(pub[ \t]{1,20})?(async[ \t]{1,20})?fn[ \t]{1,20}main\b/)
    case .go: return text.contains(/(?m)^package[ \t]{1,20}main\b/)
    default: return false
    }
  }

  /// By the package that the main file says, and its name.
  var javaMainClass: String {
    let name = mainPath.split(separator: "/").last?.split(separator: ".").first ?? "Main"
    let declared = main?.content.firstMatch(of: /(?m)^[ \t]{0,40}package[ \t]{1,20}(?<name>[\w.]+)/)
    return declared.map { "\($0.output.name).\(name)" } ?? String(name)
  }

  /// What JavaScript is made of TypeScript.
  var scripts: [BuildProduct] {
    all.compactMap { file in
      TypeScriptFiles.script(file.path).map {
        BuildProduct(path: "\(HiddenFolder.scripts)/\($0)", replaces: (file.path, $0))
      }
    }
  }
}

enum TypeScriptFiles {
  /// The path of the JavaScript that is made of a file; nil where none is.
  static func script(_ path: String) -> String? {
    if path.hasSuffix(".d.ts") { return nil }
    for (ending, other) in [(".ts", ".js"), (".mts", ".mjs"), (".cts", ".cjs")]
    where path.hasSuffix(ending) {
      return path.dropLast(ending.count) + other
    }
    return nil
  }

  /// What a program may use of node, without its types, which the compiler does not bring.
  static let nodeTypes = SourceFile(
    path: HiddenFolder.name + "/node.d.ts",
    content: """
      declare module "node:*";
      \(modules.map { "declare module \"\($0)\";" }.joined(separator: "\n"))
      declare var process: any, Buffer: any, global: any, require: any, module: any, exports: any;
      declare var __dirname: string, __filename: string;
      declare namespace NodeJS { type Timeout = any; type ErrnoException = any; type ProcessEnv = any; }

      """)

  private static let modules = [
    "assert", "assert/strict", "buffer", "child_process", "crypto", "events", "fs", "fs/promises",
    "os", "path", "perf_hooks", "process", "readline", "readline/promises", "stream",
    "string_decoder", "timers", "timers/promises", "url", "util", "worker_threads",
  ]
}
