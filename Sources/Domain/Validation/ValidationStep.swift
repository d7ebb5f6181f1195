/// A stage of a validation, in their order.
package enum ValidationStage: String, Sendable, Hashable, CaseIterable {
  case prepare
  case syntax
  case lint
  case build
  case test
  case retrieve
  case feedback
  case verdict
}

/// How a stage ended.
package enum StageStatus: String, Sendable, Hashable, CaseIterable {
  /// Nothing was found.
  case ok
  /// It found something to mend.
  case issues
  /// It does not apply to this code.
  case skipped
  /// What it needs is not installed.
  case unavailable
  case timedOut = "timed_out"
  /// Our fault.
  case errored
}

/// How a run of a program ended.
package enum RunStatus: String, Sendable, Hashable, CaseIterable {
  case ok
  case exitCode = "exit_code"
  case signal
  case cpuLimit = "cpu_limit"
  case wallLimit = "wall_limit"
  case memoryLimit = "memory_limit"
  case outputLimit = "output_limit"
  case processLimit = "process_limit"
  case compileError = "compile_error"
  case reportMissing = "report_missing"
  case sandboxUnavailable = "sandbox_unavailable"
}

/// How a run of a program ended, and what it used.
package struct RunOutcome: Sendable, Hashable {
  package var status: RunStatus
  /// Exit code or signal.
  package var code: Int32
  package var cpuMicroseconds: Int64
  package var wallMicroseconds: Int64
  /// Most memory at a time.
  package var memoryBytes: Int64

  package init(
    status: RunStatus, code: Int32 = 0, cpuMicroseconds: Int64 = 0, wallMicroseconds: Int64 = 0,
    memoryBytes: Int64 = 0
  ) {
    self.status = status
    self.code = code
    self.cpuMicroseconds = cpuMicroseconds
    self.wallMicroseconds = wallMicroseconds
    self.memoryBytes = memoryBytes
  }
}

/// What became of one test.
package enum TestStatus: String, Sendable, Hashable, CaseIterable {
  case pass
  case fail
  /// It could not be run, or the run did not report it.
  case error
}

/// What became of one test.
package struct TestOutcome: Sendable, Hashable {
  /// Of the suite's `ExpectedTest`.
  package var id: String
  package var title: String
  package var status: TestStatus
  /// What it said; at most 64 KiB.
  package var message: String
  /// What the program wrote; at most 500 characters.
  package var output: String
  package var weight: Double
  package var points: Int
  package var isHidden: Bool
  package var durationMicroseconds: Int64
  /// It passed and failed in runs of the same code.
  package var isFlaky: Bool

  package init(
    id: String, title: String, status: TestStatus, message: String = "", output: String = "",
    weight: Double = 1, points: Int = 0, isHidden: Bool = false, durationMicroseconds: Int64 = 0,
    isFlaky: Bool = false
  ) {
    self.id = id
    self.title = title
    self.status = status
    self.message = message
    self.output = output
    self.weight = weight
    self.points = points
    self.isHidden = isHidden
    self.durationMicroseconds = durationMicroseconds
    self.isFlaky = isFlaky
  }

  /// What a learner may see of it: of a hidden test its number, status and weight only.
  ///
  /// - Parameter number: its place among the suite's tests, from 1.
  package func shownToLearner(number: Int) -> TestOutcome {
    guard isHidden else { return self }
    return TestOutcome(
      id: "hidden-\(number)", title: "", status: status, weight: weight, points: points,
      isHidden: true, isFlaky: isFlaky)
  }
}

/// How one stage ended.
package struct StageReport: Sendable, Hashable {
  package var stage: ValidationStage
  package var status: StageStatus
  /// The tool and its version; empty where none ran.
  package var tool: String
  /// What there is to say of it, for people; empty where nothing.
  package var note: String
  package var durationMicroseconds: Int64

  package init(
    stage: ValidationStage, status: StageStatus, tool: String = "", note: String = "",
    durationMicroseconds: Int64 = 0
  ) {
    self.stage = stage
    self.status = status
    self.tool = tool
    self.note = note
    self.durationMicroseconds = durationMicroseconds
  }
}

/// One step of a validation, as it happens.
package enum ValidationStep: Sendable, Hashable {
  /// The job waits for a place in the sandbox; how many jobs come before it.
  case queued(position: Int)
  case stageStarted(ValidationStage)
  case diagnostic(Diagnostic)
  case test(TestOutcome)
  case run(ValidationStage, RunOutcome)
  case stageFinished(StageReport)
}
