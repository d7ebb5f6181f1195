internal import Domain
internal import JSON

extension LanguagePlan {
  /// - Parameters:
  ///   - suiteFiles: files of the suite that are built with the submission; nil: nothing is built.
  ///   - limits: of the run.
  init(
    _ language: Language, _ submission: Submission, _ toolchain: Toolchain,
    buildsWith suiteFiles: [SourceFile]?, limits: JudgeLimits
  ) {
    let code = LanguageSources(language, submission, suiteFiles ?? [])
    self.init(
      language: language.rawValue, needs: language.needs, uses: language.uses,
      steps: Self.steps(language, code, toolchain), build: nil,
      support: Self.support(language, code, toolchain),
      run: Self.run(language, code, toolchain, limits))
    // Java makes a pair of sockets before it opens its first file.
    if language == .java { profile = .run }
    guard suiteFiles != nil, language.isCompiled else { return }
    build = Self.build(language, code, toolchain)
    build?.seesSuite = !code.ofSuite.isEmpty
    guard build != nil else { return }
    products =
      language == .typescript
      ? code.scripts : [BuildProduct(path: HiddenFolder.product, replaces: nil)]
  }

  /// What tree-sitter can say of a language that Hito has no tool for.
  init?(structureOf submission: Submission, _ toolchain: Toolchain) {
    let grammar = Language.grammar(submission.language)
    guard toolchain.grammars.contains(grammar), let packages = toolchain.pythonPackages else {
      return nil
    }
    let step = CheckStep(
      name: "structure", tool: .treeSitter, format: .places, stage: .syntax, warningStage: .syntax,
      isGate: true,
      fields: [
        ("kind", .string("tree")), ("tools", .string(packages)), ("grammar", .string(grammar)),
        ("memory", .integer(1 << 30)), ("paths", .array([.string(submission.mainPath)])),
      ])
    self.init(
      language: submission.language, needs: [.python, .treeSitter], uses: [], steps: [step],
      build: nil, run: [], isStructureOnly: true)
  }

  static func command(
    _ name: String, _ tool: Tool, _ format: DiagnosticFormat, _ stage: ValidationStage,
    warnings: ValidationStage = .lint, isGate: Bool = true, _ argv: [String],
    input: JSONValue? = nil,
    environment: [String: String] = [:]
  ) -> CheckStep {
    var fields: [(key: String, value: JSONValue)] = [
      ("argv", .array(argv.map { .string($0) })),
      (
        "environment",
        .object(environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
      ),
    ]
    if let input { fields.append(("input", .string(input.text))) }
    return CheckStep(
      name: name, tool: tool, format: format, stage: stage, warningStage: warnings, isGate: isGate,
      fields: fields)
  }

  private static func steps(
    _ language: Language, _ code: LanguageSources, _ toolchain: Toolchain
  ) -> [CheckStep] {
    let paths = code.own.map(\.path)
    func path(_ tool: Tool) -> String { toolchain.paths[tool] ?? tool.rawValue }
    switch language {
    case .python: return pythonSteps(paths, toolchain)
    case .javascript:
      let options = ["--expose-internals", "--experimental-vm-modules", "--no-warnings", "-e"]
      let files = code.own.map {
        JSONValue.object([("path", .string($0.path)), ("source", .string($0.content))])
      }
      return [
        command(
          "syntax", .node, .node, .syntax, [path(.node)] + options + [Runner.nodeSyntax],
          input: .array(files))
      ]
    case .typescript:
      // Every file is a module here: two programs may have a constant of the same name.
      let options = [
        "--noEmit", "--pretty", "false", "--target", "es2022", "--module", "esnext",
        "--moduleResolution", "node", "--moduleDetection", "force", "--skipLibCheck",
      ]
      return [
        command(
          "syntax", .typescript, .typescript, .syntax,
          [path(.typescript)] + options + paths + [TypeScriptFiles.nodeTypes.path])
      ]
    case .swift:
      return [
        command(
          "syntax", .swift, .lines, .syntax,
          [path(.swift), "-typecheck"] + swiftOptions(code.own) + paths)
      ]
    case .go: return goSteps(code, toolchain)
    case .rust:
      let type = LanguageSources.declaresMain(code.main, .rust) ? "bin" : "lib"
      let options = ["--crate-type", type, "--emit", "metadata", "-o", temporary("checked")]
      return [
        command(
          "syntax", .rustc, .rustc, .syntax,
          [path(.rustc)] + rustOptions + options + [code.mainPath])
      ]
    case .java:
      return [
        command(
          "syntax", .javac, .javac, .syntax,
          [path(.javac)] + javacOptions + ["-Xlint:all", "-d", temporary("checked")] + paths)
      ]
    case .c, .cpp:
      let tool: Tool = language == .c ? .gcc : .gxx
      let options = [
        language == .c ? "-std=c17" : "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
        "-fmax-errors=50",
        "-fdiagnostics-format=json", "-I.",
      ]
      return [command("syntax", tool, .gcc, .syntax, [path(tool)] + options + paths)]
    case .shell: return shellSteps(paths, toolchain)
    }
  }

  private static func pythonSteps(_ paths: [String], _ toolchain: Toolchain) -> [CheckStep] {
    let syntax = CheckStep(
      name: "syntax", tool: .python, format: .places, stage: .syntax, warningStage: .syntax,
      isGate: true,
      fields: [
        ("kind", .string("python")), ("paths", .array(paths.map { .string($0) })),
      ])
    guard let ruff = toolchain.paths[.ruff] else { return [syntax] }
    let options = [
      "check", "--isolated", "--no-cache", "--quiet", "--output-format", "json", "--select",
      "E4,E7,E9,F,B,PLE,W605", "--",
    ]
    return [syntax, command("lint", .ruff, .ruff, .lint, isGate: false, [ruff] + options + paths)]
  }

  /// gofmt parses; the compiler finds what does not fit together, as those of other languages do in their
  /// first step; go vet is lint.
  private static func goSteps(_ code: LanguageSources, _ toolchain: Toolchain) -> [CheckStep] {
    let paths = code.own.map(\.path)
    let gofmt = toolchain.paths[.gofmt] ?? "gofmt"
    let syntax = command("syntax", .gofmt, .lines, .syntax, [gofmt, "-e", "-l"] + paths)
    guard let go = toolchain.paths[.go] else { return [syntax] }
    let packages = code.folders.map { "./" + $0 }
    var types = command(
      "types", .go, .lines, .syntax, [go, "build", "-o", "/dev/null"] + packages,
      environment: goEnvironment)
    var vet = command(
      "lint", .go, .findings, .lint, isGate: false, [go, "vet"] + packages,
      environment: goEnvironment)
    types.seesSuite = !code.ofSuite.isEmpty
    vet.seesSuite = types.seesSuite
    return [syntax, types, vet]
  }

  private static func shellSteps(_ paths: [String], _ toolchain: Toolchain) -> [CheckStep] {
    let bash = toolchain.paths[.bash] ?? "bash"
    let syntax = paths.map { command("syntax", .bash, .bash, .syntax, [bash, "-n", "--", $0]) }
    guard let shellcheck = toolchain.paths[.shellcheck] else { return syntax }
    // A file that does not say so is taken for bash, which is what runs it.
    let options = ["--norc", "--format", "json1", "--shell", "bash", "--"]
    return syntax + [
      command(
        "lint", .shellcheck, .shellcheck, .lint, isGate: false, [shellcheck] + options + paths)
    ]
  }

  static func work(_ path: String) -> String { "\(SandboxFolder.work)/\(path)" }
  static func temporary(_ name: String) -> String { "\(SandboxFolder.temporary)/\(name)" }
}
