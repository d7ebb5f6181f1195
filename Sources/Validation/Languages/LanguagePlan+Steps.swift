internal import Domain
internal import JSON

extension LanguagePlan {
  /// - Parameter buildsWith: files of the suite that are built with the submission; nil: nothing is built.
  init(
    _ language: Language, _ submission: Submission, _ toolchain: Toolchain,
    buildsWith suiteFiles: [SourceFile]?
  ) {
    let sources = language.sources(of: submission)
    let paths = sources.map(\.path)
    self.init(
      language: language.rawValue, needs: language.needs, uses: language.uses,
      steps: Self.steps(language, sources, toolchain), build: nil, product: nil,
      run: Self.run(language, submission, toolchain))
    guard let suiteFiles, language.isCompiled else { return }
    let more = suiteFiles.filter { file in
      language.extensions.contains { file.path.hasSuffix("." + $0) } && !paths.contains(file.path)
    }
    build = Self.build(language, paths + more.map(\.path), toolchain)
    build?.seesSuite = !more.isEmpty
    product = build == nil ? nil : HiddenFolder.product
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
      build: nil, product: nil, run: [], isStructureOnly: true)
  }

  private static func command(
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
    _ language: Language, _ sources: [SourceFile], _ toolchain: Toolchain
  ) -> [CheckStep] {
    let paths = sources.map(\.path)
    func path(_ tool: Tool) -> String { toolchain.paths[tool] ?? tool.rawValue }
    switch language {
    case .python:
      let syntax = CheckStep(
        name: "syntax", tool: .python, format: .places, stage: .syntax, warningStage: .syntax,
        isGate: true,
        fields: [
          ("kind", .string("python")), ("paths", .array(paths.map { .string($0) })),
        ])
      guard toolchain.has([.ruff]) else { return [syntax] }
      let options = [
        "check", "--isolated", "--no-cache", "--quiet", "--output-format", "json", "--select",
        "E4,E7,E9,F,B,PLE,W605", "--",
      ]
      return [
        syntax,
        command("lint", .ruff, .ruff, .lint, isGate: false, [path(.ruff)] + options + paths),
      ]
    case .javascript:
      let options = ["--expose-internals", "--experimental-vm-modules", "--no-warnings", "-e"]
      let files = sources.map {
        JSONValue.object([("path", .string($0.path)), ("source", .string($0.content))])
      }
      return [
        command(
          "syntax", .node, .node, .syntax, [path(.node)] + options + [Runner.nodeSyntax],
          input: .array(files))
      ]
    case .typescript:
      let options = [
        "--noEmit", "--pretty", "false", "--target", "es2022", "--module", "esnext",
        "--moduleResolution", "node", "--skipLibCheck",
      ]
      return [
        command("syntax", .typescript, .typescript, .syntax, [path(.typescript)] + options + paths)
      ]
    case .swift:
      return [command("syntax", .swift, .lines, .syntax, [path(.swift), "-parse"] + paths)]
    case .go:
      return [command("syntax", .gofmt, .lines, .syntax, [path(.gofmt), "-e", "-l"] + paths)]
    case .rust:
      let options = [
        "--error-format=json", "--edition", "2021", "--crate-type", "lib", "--emit", "metadata",
      ]
      return paths.prefix(1).map {
        command(
          "syntax", .rustc, .rustc, .syntax,
          [path(.rustc)] + options + ["-o", temporary("check"), $0])
      }
    case .java:
      let options = [
        "-Xlint:all", "-Xmaxerrs", "50", "-J-Xmx256m", "-J-XX:+UseSerialGC", "-d",
        temporary("classes"),
      ]
      return [command("syntax", .javac, .javac, .syntax, [path(.javac)] + options + paths)]
    case .c, .cpp:
      let tool: Tool = language == .c ? .gcc : .gxx
      let options = [
        language == .c ? "-std=c17" : "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
        "-fmax-errors=50",
        "-fdiagnostics-format=json", "-I.",
      ]
      return [command("syntax", tool, .gcc, .syntax, [path(tool)] + options + paths)]
    case .shell:
      let syntax = paths.map {
        command("syntax", .bash, .bash, .syntax, [path(.bash), "-n", "--", $0])
      }
      guard toolchain.has([.shellcheck]) else { return syntax }
      // A file that does not say so is taken for bash, which is what runs it.
      let options = ["--norc", "--format", "json1", "--shell", "bash", "--"]
      return syntax + [
        command(
          "lint", .shellcheck, .shellcheck, .lint, isGate: false,
          [path(.shellcheck)] + options + paths)
      ]
    }
  }

  private static func build(
    _ language: Language, _ paths: [String], _ toolchain: Toolchain
  ) -> CheckStep? {
    func path(_ tool: Tool) -> String { toolchain.paths[tool] ?? tool.rawValue }
    let product = HiddenFolder.product
    switch language {
    case .c, .cpp:
      let tool: Tool = language == .c ? .gcc : .gxx
      let options = [
        language == .c ? "-std=c17" : "-std=c++20", "-O1", "-w", "-fdiagnostics-format=json", "-I.",
        "-o",
        product,
      ]
      return command(
        "build", tool, .gcc, .build, [path(tool)] + options + paths + ["-lm", "-pthread"])
    case .rust:
      return command(
        "build", .rustc, .rustc, .build,
        [path(.rustc), "--error-format=json", "--edition", "2021", "-O", "-o", product]
          + paths.prefix(1))
    case .swift:
      return command(
        "build", .swift, .lines, .build,
        [path(.swift), "-O", "-module-cache-path", temporary("modules"), "-o", product] + paths)
    case .go:
      guard toolchain.has([.go]) else { return nil }
      return command(
        "build", .go, .lines, .build, [path(.go), "build", "-o", product] + paths,
        environment: ["GOCACHE": temporary("go"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"])
    case .java:
      guard toolchain.has([.jar]) else { return nil }
      let script = #"""
        compiler=$1 jar=$2 product=$3 built=$4; shift 4
        "$compiler" -J-Xmx256m -J-XX:+UseSerialGC -nowarn -d "$built" "$@" && "$jar" cf "$product" -C "$built" .
        """#
      return command(
        "build", .javac, .javac, .build,
        ["/bin/sh", "-c", script, "build", path(.javac), path(.jar), product, temporary("built")]
          + paths)
    case .python, .javascript, .typescript, .shell: return nil
    }
  }

  private static func run(
    _ language: Language, _ submission: Submission, _ toolchain: Toolchain
  ) -> [String] {
    let main = work(submission.mainPath)
    switch language {
    case .python: return [toolchain.paths[.python] ?? "python3", "-s", "-B", main]
    case .javascript: return [toolchain.paths[.node] ?? "node", "--no-warnings", main]
    case .typescript: return []
    case .shell: return [toolchain.paths[.bash] ?? "bash", main]
    case .java:
      let name =
        submission.mainPath.split(separator: "/").last?.split(separator: ".").first ?? "Main"
      return [
        toolchain.paths[.java] ?? "java", "-Xmx192m", "-XX:+UseSerialGC", "-cp",
        work(HiddenFolder.product),
        String(name),
      ]
    case .c, .cpp, .swift, .go, .rust: return [work(HiddenFolder.product)]
    }
  }

  private static func work(_ path: String) -> String { "\(SandboxFolder.work)/\(path)" }
  private static func temporary(_ name: String) -> String { "\(SandboxFolder.temporary)/\(name)" }
}
