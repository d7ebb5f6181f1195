internal import Domain
internal import JSON

// How programs are built and run.
extension LanguagePlan {
  static func build(
    _ language: Language, _ code: LanguageSources, _ toolchain: Toolchain
  ) -> CheckStep? {
    let product = HiddenFolder.product
    let paths = code.all.map(\.path)
    func path(_ tool: Tool) -> String { toolchain.paths[tool] ?? tool.rawValue }
    switch language {
    case .c, .cpp:
      let tool: Tool = language == .c ? .gcc : .gxx
      let options = [
        language == .c ? "-std=c17" : "-std=c++20", "-O1", "-w", "-fdiagnostics-format=json", "-I.",
        "-o", product,
      ]
      return command(
        "build", tool, .gcc, .build, [path(tool)] + options + paths + ["-lm", "-pthread"])
    case .rust:
      let options = ["--cap-lints", "allow", "-O", "-C", "strip=symbols", "-o", product]
      return command(
        "build", .rustc, .rustc, .build,
        [path(.rustc)] + rustOptions + options + [code.rootPath(.rust)])
    case .swift:
      let options = ["-O", "-suppress-warnings", "-o", product]
      return command(
        "build", .swift, .lines, .build, [path(.swift)] + options + swiftOptions(code.all) + paths)
    case .go:
      guard let go = toolchain.paths[.go] else { return nil }
      let folder = LanguageSources.folder(of: code.rootPath(.go))
      return command(
        "build", .go, .lines, .build, [go, "build", "-o", product, "./" + folder],
        environment: goEnvironment)
    case .java:
      guard let jar = toolchain.paths[.jar] else { return nil }
      let built = temporary("built")
      let script = #"""
        jar=$1 product=$2 built=$3; shift 3
        "$@" && exec "$jar" -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -J-Xmx128m cf "$product" -C "$built" .
        """#
      return command(
        "build", .javac, .javac, .build,
        ["/bin/sh", "-c", script, "build", jar, product, built, path(.javac)] + javacOptions
          + ["-nowarn", "-d", built] + paths)
    case .typescript:
      // Beside its compiler lies the library that the compiler is made of.
      let folder = path(.typescript).split(separator: "/").dropLast(2).joined(separator: "/")
      let files = code.all.enumerated().map { index, file in
        JSONValue.object([
          ("path", .string(file.path)), ("source", .string(file.content)),
          ("target", .string(TypeScriptFiles.script(file.path) ?? file.path)),
          ("isOwn", .bool(index < code.own.count)),
        ])
      }
      let job = JSONValue.object([
        ("library", .string("/\(folder)/lib/typescript.js")),
        ("root", .string(SandboxFolder.work)), ("folder", .string(HiddenFolder.scripts)),
        ("files", .array(files)),
      ])
      return command(
        "build", .typescript, .typescript, .build,
        [path(.node), "--no-warnings", "-e", Runner.typescriptBuild], input: job)
    case .python, .javascript, .shell: return nil
    }
  }

  static func run(
    _ language: Language, _ code: LanguageSources, _ toolchain: Toolchain, _ limits: JudgeLimits
  ) -> [String] {
    let main = work(code.mainPath)
    let node = toolchain.paths[.node] ?? "node"
    switch language {
    case .python: return [toolchain.paths[.python] ?? "python3", "-s", "-B", main]
    case .javascript: return [node, "--no-warnings", main]
    case .typescript:
      let script = TypeScriptFiles.script(code.mainPath) ?? code.mainPath
      return [node, "--no-warnings", "--enable-source-maps", work(script)]
    case .shell: return [toolchain.paths[.bash] ?? "bash", main]
    case .java:
      let heap = "-Xmx\(limits.javaHeapMebibytes)m"
      return [
        toolchain.paths[.java] ?? "java", heap, "-XX:+UseSerialGC", "-XX:-UsePerfData",
        "-XX:ActiveProcessorCount=2", "-XX:MaxMetaspaceSize=64m", "-XX:ReservedCodeCacheSize=48m",
        "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8",
        "-Dstdout.encoding=UTF-8", "-cp", work(HiddenFolder.product), code.javaMainClass,
      ]
    case .c, .cpp, .swift, .go, .rust: return [work(HiddenFolder.product)]
    }
  }

  /// Files without which a language's tools would not take the code.
  static func support(
    _ language: Language, _ code: LanguageSources, _ toolchain: Toolchain
  ) -> [SourceFile] {
    switch language {
    case .typescript: return [TypeScriptFiles.nodeTypes]
    case .go where !code.hasGoModule:
      // Without a version the compiler takes the language of ten versions ago.
      let version = (toolchain.versions[.go] ?? "").split(separator: ".").prefix(2)
      let shown = version.count == 2 ? version.joined(separator: ".") : "1.18"
      return [SourceFile(path: "go.mod", content: "module submission\n\ngo \(shown)\n")]
    default: return []
    }
  }

  static let rustOptions = ["--error-format=json", "--edition", "2021"]

  /// A machine of many processors must not become a job of many threads.
  static let javacOptions = [
    "-J-Xmx256m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-XX:-UsePerfData",
    "-J-XX:ActiveProcessorCount=2", "-encoding", "UTF-8", "-Xmaxerrs", "50", "-proc:none",
  ]

  /// No network, no cgo, nothing of the host's settings, and few threads.
  static let goEnvironment = [
    "GOCACHE": temporary("go"), "GOPATH": temporary("gopath"), "GOENV": "off",
    "GOFLAGS": "-mod=mod -p=2",
    "GO111MODULE": "on", "GOPROXY": "off", "GOSUMDB": "off", "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    "CGO_ENABLED": "0", "GOMAXPROCS": "2",
  ]

  static func swiftOptions(_ files: [SourceFile]) -> [String] {
    let options = ["-module-cache-path", temporary("modules"), "-diagnostic-style", "llvm"]
    // A file alone is taken for a script, in which `@main` is refused.
    let hasMain = files.contains { $0.content.contains(/(?m)^[ \t]{0,40}@main\b/) }
    return options + (hasMain ? ["-parse-as-library"] : [])
  }
}
