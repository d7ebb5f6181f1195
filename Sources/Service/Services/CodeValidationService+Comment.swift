internal import Agents
internal import Contract
internal import Domain
internal import RPC

extension CodeValidationService {
  private static let diagnosticMax = 20

  /// Has the feedback agent comment on what was validated, and shows what it does. What it says, or that
  /// it cannot, changes nothing of the verdict, and does not end the stream.
  func comment(
    on run: Domain.ValidationRun, _ key: RequestKey?, _ context: CallContext, _ caller: Caller,
    _ responses: ResponseWriter<ValidateCodeResponse>
  ) async throws {
    func tell(_ status: Contract.StageStatus, _ note: String) async throws {
      try await responses.write(
        ValidateCodeResponse(
          stage: .feedback,
          step: .stageFinished(
            Contract.StageReport(stage: .feedback, status: status, note: note)),
          runId: run.id.description))
    }
    do {
      try runs.checkModel()
    } catch {
      return try await tell(.unavailable, ErrorTable.rpcError(error).message)
    }
    let found = try await snapshot(run.snapshotID, caller)
    let language = try await users.language("", of: caller.userID, caller)
    var subject = RunSubject(
      code: found.snapshot.content, filePath: found.snapshot.filePath,
      judgement: found.snapshot.judgement)
    subject.judgement?.feedback += Self.facts(run.report)
    let stream = RunStream(responses, cursors) { response in
      var response = response
      response.runId = run.id.description
      response.cursor = ""
      return response
    }
    var runKey = key
    runKey?.method += "/feedback"
    do {
      // As a call that only asks for a comment.
      try await admission.turn(.model, context) {
        try await runs.run(
          .feedback(
            AgentRequest.Feedback(
              snapshotID: run.snapshotID, codeLanguage: found.snapshot.language, question: "",
              language: language)),
          learnerID: caller.userID, subject, runKey, context, caller, on: stream)
      }
    } catch {
      let failure = ErrorTable.rpcError(error)
      guard error is AgentFailure || failure.code == .resourceExhausted else { throw error }
      try await tell(.errored, failure.message)
    }
  }

  /// What tools said of the code, for a model to read.
  private static func facts(_ report: Domain.ValidationReport?) -> String {
    guard let report, !report.diagnostics.isEmpty else { return "" }
    let lines = report.diagnostics.prefix(diagnosticMax).map { diagnostic in
      let place = diagnostic.region.map { ":\($0.line):\($0.column)" } ?? ""
      return "\(diagnostic.path)\(place) \(diagnostic.level.rawValue) \(diagnostic.tool) "
        + "\(diagnostic.ruleID): \(diagnostic.message)"
    }
    return "\n\n" + lines.joined(separator: "\n")
  }
}

extension ValidateCodeResponse: RunResponse {
  init?(runID: String, cursor: String, step: RunStep) {
    let stage: Contract.ValidationStage
    let shown: Step
    switch step {
    case .nodeStarted(let node):
      stage = node.node == AgentNode.retrieve.rawValue ? .retrieve : .feedback
      shown = .started(true)
    case .token(let text): (stage, shown) = (.feedback, .token(AgentToken(text: text)))
    case .answered(let text, let citations, _):
      (stage, shown) = (.feedback, .feedback(FeedbackResult(text: text, citations: citations)))
    case .context, .findings, .proposal, .stored: return nil
    }
    self.init(stage: stage, step: shown, runId: runID, cursor: cursor)
  }
}
