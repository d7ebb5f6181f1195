internal import Domain
internal import JSON

extension ValidationRun {
  /// Runs syntax, lint and build in one job. Answers with what decides, if anything does.
  mutating func check(_ plan: LanguagePlan, _ step: Step) async throws -> Decision? {
    let steps = plan.steps + [plan.build].compactMap { $0 }
    var findings = CheckFindings()
    // In the order in which they run.
    var left = steps[...]
    var current: ValidationStage? = .syntax
    try await start(.syntax, step)
    let job = try checkJob(plan, steps)
    let result = try await sandbox.run(job, for: self.job.callerID) { event in
      switch event {
      case .waiting(let ahead): try await step(.queued(position: ahead))
      case .lines(let lines):
        for line in lines {
          guard let name = line.string("step"), let done = left.first, done.name == name,
            done.stage == current
          else { continue }
          left.removeFirst()
          let output = ToolOutput(line)
          usedTools.insert(done.tool)
          for found in findings.take(done, output, files: files) {
            try await step(.diagnostic(found))
          }
          // A stage ends with the last of its tools: nobody waits for the next one to hear of it.
          let isLast = done.isGate && (output.exitCode != 0 || output.signal != 0)
          if isLast { left = [] }
          guard left.first?.stage != current else { continue }
          try await finish(done.stage, findings, plan, step)
          current = left.first?.stage
          if let current { try await start(current, step) }
        }
      }
    }
    if let current {
      findings.end(result, in: current)
      if findings.trouble[current] != nil {
        try await finish(current, findings, plan, step)
      } else {
        try await finish(
          current, .errored, note: "its tools were ended before they were done", step)
      }
    }
    diagnostics += findings.diagnostics
    lint = findings.diagnostics.filter {
      $0.level != .error || $0.tool == "ruff" || $0.tool == "shellcheck"
    }
    for (stage, run) in findings.runs {
      runs.append(run)
      try await step(.run(stage, run))
    }
    for stage in [ValidationStage.lint, .build] where !stages.contains(where: { $0.stage == stage })
    {
      try await skip([stage], step)
    }
    for product in plan.products {
      guard let path = try? SandboxPath(product.path) else { continue }
      products[path] = result.files[path]
    }
    return decision(findings, result, plan)
  }

  private func checkJob(_ plan: LanguagePlan, _ steps: [CheckStep]) throws -> SandboxJob {
    let stepLimits = StepLimits()
    var work = files
    if plan.build != nil, let suite = job.suite {
      work = WorkFiles.merged(files, with: suite.files.filter { !$0.isHiddenFromCode })
    }
    work += plan.support.filter { file in !work.contains { $0.path == file.path } }
    if !plan.products.isEmpty {
      work.append(SourceFile(path: HiddenFolder.name + "/keep", content: ""))
    }
    let input = JSONValue.object([("steps", .array(steps.map { $0.json(stepLimits) }))])
    return try RunnerJob(
      program: Runner.steps, input: input, files: work,
      collects: plan.products.compactMap { try? SandboxPath($0.path) },
      profile: plan.profile, limits: JudgeLimits.ofCheck
    ).sandboxJob(toolchain)
  }

  private mutating func finish(
    _ stage: ValidationStage, _ findings: CheckFindings, _ plan: LanguagePlan, _ step: Step
  ) async throws {
    let tools = (plan.steps + [plan.build].compactMap { $0 }).filter { $0.stage == stage }.map(
      \.tool)
    let tool = tools.first.map(toolchain.name) ?? ""
    if let trouble = findings.trouble[stage] {
      return try await finish(stage, trouble.status, tool: tool, note: trouble.note, step)
    }
    let hasIssues =
      findings.failed.contains(stage) || (stage == .lint && !findings.diagnostics.isEmpty)
    try await finish(
      stage, hasIssues ? .issues : .ok, tool: tool, took: findings.durations[stage], step)
  }

  private func decision(
    _ findings: CheckFindings, _ result: SandboxResult, _ plan: LanguagePlan
  ) -> Decision? {
    if case .limitReached(let limit) = result.outcome {
      return Decision(
        .failed, "the code's tools met the limit of \(limit.rawValue) while they read it")
    }
    if findings.failed.contains(.syntax) {
      let note = findings.trouble[.syntax]?.note ?? "the code does not parse"
      return Decision(.failed, note)
    }
    if let (stage, trouble) = findings.trouble.first(where: { $0.key != .lint }) {
      let verdict: Verdict = trouble.status == .timedOut ? .failed : .errored
      return Decision(verdict, "\(stage.rawValue): \(trouble.note)")
    }
    if findings.failed.contains(.build) { return Decision(.failed, "the code does not build") }
    switch result.outcome {
    case .exited(0), .limitReached: break
    case .stalled:
      if let limit = RunStatus(metOf: result) {
        return Decision(
          .failed, "the code's tools met a limit while they read it: \(limit.rawValue)")
      }
      return Decision(.errored, "the tools did not end in time; try again")
    case .notStarted:
      return Decision(.inconclusive, "Python, which starts the tools, cannot be run in the sandbox")
    case .exited, .signalled:
      return Decision(.errored, "the tools were ended before they were done; try again")
    }
    if plan.build != nil, products.count < plan.products.count {
      return Decision(
        .errored, "the build said that it was done, and made nothing that can be read")
    }
    return nil
  }
}
