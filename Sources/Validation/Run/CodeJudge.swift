package import Domain
package import Logging
internal import Synchronization

/// Judges code by its language's own tools and its task's tests, each inside the sandbox.
package final class CodeJudge: CodeValidator {
  let sandbox: any Sandbox
  let logger: Logger
  /// Whose jobs the versions of tools are asked by.
  let ownID: EntityID
  private let inventory: Mutex<Inventory>

  private enum Inventory {
    case unasked(Toolchain)
    case asked(Toolchain)
  }

  /// - Parameter toolchain: what this machine has (`Toolchain.found()`); versions that it lacks are asked
  ///   for once, when they are first needed.
  package init(
    sandbox: any Sandbox, toolchain: Toolchain, logger: Logger,
    ownID: EntityID = EntityID(high: 0, low: 0)
  ) {
    self.sandbox = sandbox
    self.logger = logger
    self.ownID = ownID
    inventory = Mutex(.unasked(toolchain))
  }

  package func languages() async -> [LanguageSupport] {
    let toolchain = await tools()
    return Language.allCases.map { language in
      let missing = (language.needs + language.uses).filter { toolchain.paths[$0] == nil }
      let isUsable = toolchain.has(language.needs)
      var stages: [ValidationStage] = []
      if isUsable {
        stages = [.syntax, .lint, .test]
        if language.isCompiled { stages.insert(.build, at: 2) }
        if language == .go && !toolchain.has([.go]) { stages = [.syntax] }
        if language == .java && !toolchain.has([.java, .jar]) { stages = [.syntax, .lint] }
      }
      let kinds = stages.contains(.test) ? language.testKinds : []
      return LanguageSupport(
        language: language.rawValue, stages: stages,
        testKinds: kinds.filter { $0 != .pytest || toolchain.has([.pytest]) },
        toolVersions: toolchain.shown(language.needs + language.uses),
        missingTools: missing.map(\.rawValue))
    } + structureOnly(toolchain)
  }

  private func structureOnly(_ toolchain: Toolchain) -> [LanguageSupport] {
    guard toolchain.has([.python, .treeSitter]) else { return [] }
    return toolchain.grammars.sorted().filter { Language($0) == nil }.map {
      LanguageSupport(
        language: $0, stages: [.syntax], testKinds: [],
        toolVersions: toolchain.shown([.treeSitter]), missingTools: [])
    }
  }

  /// The toolchain with its versions, which are asked for inside the sandbox: what runs there counts.
  func tools() async -> Toolchain {
    let known = inventory.withLock { $0 }
    guard case .unasked(var toolchain) = known else {
      if case .asked(let toolchain) = known { return toolchain }
      return Toolchain()
    }
    let asked = toolchain.paths.filter { $0.key.versionArguments != nil }.sorted {
      $0.key.rawValue < $1.key.rawValue
    }
    var script = ""
    for (tool, path) in asked {
      let arguments = (tool.versionArguments ?? []).joined(separator: " ")
      script +=
        "printf '%s\\t' '\(tool.rawValue)'; '\(path)' \(arguments) 2>&1 </dev/null | tr '\\n' ' '; echo\n"
    }
    let job = SandboxJob(
      profile: .compile, command: ["/bin/sh", "-c", script], mounts: toolchain.mounts,
      environment: ["HOME": SandboxFolder.temporary], overflow: .discard,
      limits: JudgeLimits.ofCheck)
    do {
      let result = try await sandbox.run(job, for: ownID)
      for line in String(decoding: result.output.bytes, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: "\t", maxSplits: 1)
        guard parts.count == 2, let tool = Tool(rawValue: String(parts[0])) else { continue }
        if let version = Self.version(in: parts[1]) {
          toolchain.versions[tool] = version
        } else {
          // It does not run inside: it is as good as missing.
          toolchain.paths[tool] = nil
        }
      }
      let complete = toolchain
      inventory.withLock { $0 = .asked(complete) }
    } catch {
      // Asked again next time: without versions a report says less, and no verdict changes.
      logger.debug("the versions of tools could not be asked for", metadata: ["error": "\(error)"])
    }
    return toolchain
  }

  /// The first word that begins like a number with a point in it.
  static func version(in text: some StringProtocol) -> String? {
    for word in text.split(whereSeparator: { " (),\t".contains($0) }) {
      let word = word.drop { $0 == "v" || $0 == "g" || $0 == "o" }
      if word.first?.isNumber == true, word.contains(".") { return String(word.prefix(40)) }
    }
    return nil
  }

  package func validate(
    _ job: ValidationJob, step: @Sendable (ValidationStep) async throws -> Void
  ) async throws -> ValidationReport {
    let toolchain = await tools()
    var run = ValidationRun(job: job, sandbox: sandbox, toolchain: toolchain)
    do {
      return try await run.report(step)
    } catch let error as SandboxError {
      if error == .cancelled { throw CancellationError() }
      // That is no fault of the code, and may not come again: who runs validations tries it again.
      if case .failed = error { throw error }
      logger.debug("a validation got no sandbox", metadata: ["error": "\(error)"])
      return try await run.report(without: error, step)
    }
  }
}

extension Toolchain {
  /// Versions by name; a tool whose version nobody knows is left out.
  func shown(_ tools: [Tool]) -> [String: String] {
    var shown: [String: String] = [:]
    for tool in tools where paths[tool] != nil { shown[tool.rawValue] = versions[tool] }
    return shown
  }
}
