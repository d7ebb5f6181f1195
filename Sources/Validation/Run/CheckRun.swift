internal import Domain
internal import JSON

/// What the tools of syntax, lint and build found.
struct CheckFindings {
  var diagnostics: [Diagnostic] = []
  /// What stood in the way of a stage: a time limit, a tool that did not come to an end.
  var trouble: [ValidationStage: (status: StageStatus, note: String)] = [:]
  var durations: [ValidationStage: Int64] = [:]
  var runs: [(ValidationStage, RunOutcome)] = []
  /// The stages whose errors mean that the code has failed.
  var failed: Set<ValidationStage> = []
}

extension CheckFindings {
  mutating func take(_ step: CheckStep, _ output: ToolOutput, files: [SourceFile]) -> [Diagnostic] {
    durations[step.stage, default: 0] += output.wallMicroseconds
    var found = Diagnostics.read(step.format, tool: step.tool.rawValue, output, files: files)
    // Only what the gate's own stage calls an error is one: a warning belongs to lint.
    let errors = found.filter { $0.level == .error }
    if output.isStarved && !output.isOutOfTime {
      trouble[step.stage] = (
        .errored, "\(step.tool.rawValue) got too little of a busy machine; try again"
      )
    } else if output.isOutOfTime || output.isTimedOut {
      let what =
        output.isOutOfTime ? "used more processor time than it may have" : "did not end in time"
      trouble[step.stage] = (.timedOut, "\(step.tool.rawValue) \(what)")
    } else if output.signal != 0 {
      let isGuard = step.stage == .syntax || step.stage == .build
      trouble[step.stage] = (
        isGuard ? .issues : .errored, "\(step.tool.rawValue) was ended by signal \(output.signal)"
      )
      if isGuard { failed.insert(step.stage) }
    } else if step.isGate, output.exitCode != 0 {
      failed.insert(step.stage)
      if errors.isEmpty { found.append(unread(step, output)) }
    }
    if step.stage == .build {
      let status: RunStatus = failed.contains(.build) ? .compileError : .ok
      runs.append(
        (
          .build,
          RunOutcome(
            status: status, code: Int32(output.exitCode), cpuMicroseconds: output.cpuMicroseconds,
            wallMicroseconds: output.wallMicroseconds)
        ))
    }
    diagnostics += found
    return found
  }

  /// What the end of the whole job says of the stage that it ended in.
  mutating func end(_ result: SandboxResult, in stage: ValidationStage) {
    guard case .limitReached(let limit) = result.outcome else { return }
    let status: StageStatus = [.cpuTime, .wallTime].contains(limit) ? .timedOut : .issues
    trouble[stage] = (status, "the tools met the limit of \(limit.rawValue)")
    if stage != .lint { failed.insert(stage) }
  }

  /// What a tool said in a way that is not read, for instance a linker. What it says of files of the suite
  /// is not shown.
  private func unread(_ step: CheckStep, _ output: ToolOutput) -> Diagnostic {
    let text = (output.errors + "\n" + output.output).split(whereSeparator: \.isNewline)
      .filter { !$0.hasPrefix("[") && !$0.hasPrefix("{") }.prefix(10).joined(separator: "\n")
    let message =
      step.seesSuite || text.isEmpty
      ? "\(step.tool.rawValue) could not build the code with the tests (exit code \(output.exitCode))"
      : text
    return Diagnostic(
      level: .error, advice: .essential, tool: step.tool.rawValue, ruleID: "", message: message)
  }
}
