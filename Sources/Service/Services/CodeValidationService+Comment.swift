internal import Agents
internal import Contract
internal import Domain
internal import RPC
internal import Retrieval

extension CodeValidationService {
  private static let diagnosticMax = 20

  /// Has the feedback agent comment on what was validated, and shows what it does. What it says, or that
  /// it cannot, changes nothing of the verdict, and does not end the stream.
  func comment(
    on run: Domain.ValidationRun, _ key: RequestKey?, _ context: CallContext, _ caller: Caller,
    _ responses: ResponseWriter<ValidateCodeResponse>
  ) async throws {
    let code = runs.shownCode(context)
    let stages = CommentStages(run: run, responses: responses, code: code)
    let found = try await snapshot(run.snapshotID, caller)
    let language = try await users.language("", of: caller.userID, caller)
    var subject = try await subject(found, caller)
    subject.judgement?.feedback += Self.facts(run.report)
    do {
      try runs.checkModel()
    } catch {
      // What is like it is worth seeing without a word on it.
      try await showContext(of: subject, found.snapshot, caller, stages)
      return try await stages.finish(
        .feedback, .unavailable, ErrorTable.rpcError(error).message)
    }
    let stream = RunStream(responses, cursors, code) { response in
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
      try await stages.finish(.feedback, .errored, failure.message)
    }
  }

  /// What a comment would be made from.
  private func showContext(
    of subject: RunSubject, _ snapshot: Domain.CodeSnapshot, _ caller: Caller,
    _ stages: CommentStages
  ) async throws {
    try await stages.start(.retrieve)
    guard let retriever = runs.ports.retriever else {
      return try await stages.finish(.retrieve, .unavailable, "this server has no embedder")
    }
    let context: Retrieval.AgentContext
    do {
      context = try await FeedbackContext.found(
        by: retriever, for: subject, codeLanguage: snapshot.language, question: "",
        learnerID: caller.userID, excluding: snapshot.id)
    } catch {
      if error is CancellationError || Task.isCancelled { throw error }
      return try await stages.finish(.retrieve, .errored, ErrorTable.rpcError(error).message)
    }
    try await stages.show(context)
    try await stages.finish(.retrieve, .ok, "")
  }

  /// Code, with what its goal and its task say of what it is for.
  func subject(_ found: FoundSnapshot, _ caller: Caller) async throws -> RunSubject {
    let snapshot = found.snapshot
    var subject = RunSubject(
      code: snapshot.content, filePath: snapshot.filePath,
      // What was said of another's code is not said to this caller, nor to their model.
      judgement: found.isExample ? nil : snapshot.judgement)
    guard !found.isExample else { return subject }
    subject.courseID = found.goalCourseID
    if let id = snapshot.taskID,
      let task = try await goals.task(id, scope: AccessScope(caller))
    {
      subject.task = [task.title, task.description].filter { !$0.isEmpty }.joined(separator: "\n")
    }
    return subject
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

/// The stages of a comment that no agent shows.
private struct CommentStages {
  let run: Domain.ValidationRun
  let responses: ResponseWriter<ValidateCodeResponse>
  let code: ShownCode

  func start(_ stage: Contract.ValidationStage) async throws {
    try await tell(stage, .started(true))
  }

  func show(_ context: Retrieval.AgentContext) async throws {
    let citations = context.citations
    await code.show(citations)
    try await tell(.retrieve, .context(Contract.AgentContext(citations: citations)))
  }

  func finish(
    _ stage: Contract.ValidationStage, _ status: Contract.StageStatus, _ note: String
  ) async throws {
    let report = Contract.StageReport(stage: stage, status: status, note: note)
    try await tell(stage, .stageFinished(report))
  }

  private func tell(
    _ stage: Contract.ValidationStage, _ step: ValidateCodeResponse.Step
  ) async throws {
    try await responses.write(
      ValidateCodeResponse(stage: stage, step: step, runId: run.id.description))
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
    case .context(let citations):
      (stage, shown) = (.retrieve, .context(Contract.AgentContext(citations: citations)))
    case .findings, .proposal, .stored: return nil
    }
    self.init(stage: stage, step: shown, runId: runID, cursor: cursor)
  }
}
