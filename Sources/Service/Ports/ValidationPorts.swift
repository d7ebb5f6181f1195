package import Domain

/// What validations work on.
package struct ValidationPorts: Sendable {
  package var validations: any ValidationStore
  package var queue: any ValidationQueue
  package var tests: any TaskTestsStore
  /// Judges code here.
  package var validator: any CodeValidator
  /// Why nothing is validated here; empty where it is.
  package var unavailableReason: String
  /// Says in a learner's language what a report comes to.
  package var feedback: any ValidationFeedback
  /// Nil where this server exchanges no diagnostics with other tools.
  package var exchange: (any DiagnosticExchange)?

  package init(
    validations: any ValidationStore, queue: any ValidationQueue, tests: any TaskTestsStore,
    validator: (any CodeValidator)?, unavailableReason: String = NoSandbox.reason,
    feedback: any ValidationFeedback = ReasonFeedback(),
    exchange: (any DiagnosticExchange)? = nil
  ) {
    self.validations = validations
    self.queue = queue
    self.tests = tests
    self.validator = validator ?? NoSandbox()
    self.unavailableReason = validator == nil ? unavailableReason : ""
    self.feedback = feedback
    self.exchange = exchange
  }
}

/// What stands in a place without a sandbox: code is never run bare.
package struct NoSandbox: CodeValidator {
  package static let reason = "this server has no sandbox, and runs no code without one"

  package func languages() async -> [LanguageSupport] { [] }

  package func validate(
    _ job: ValidationJob, step: @Sendable (ValidationStep) async throws -> Void
  ) async throws -> ValidationReport {
    let run = RunOutcome(status: .sandboxUnavailable)
    let stage = StageReport(stage: .prepare, status: .unavailable, note: Self.reason)
    try await step(.stageStarted(.prepare))
    try await step(.run(.prepare, run))
    try await step(.stageFinished(stage))
    return ValidationReport(
      verdict: .inconclusive, score: nil, reason: Self.reason, stages: [stage], runs: [run],
      seed: job.seed)
  }
}
