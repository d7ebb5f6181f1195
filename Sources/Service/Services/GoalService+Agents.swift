internal import Agents
internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension GoalService {
  func generateGoal(
    _ request: GenerateGoalRequest, _ context: CallContext,
    _ responses: ResponseWriter<GenerateGoalResponse>
  ) async throws {
    let caller = try context.caller
    var validation = Validation()
    validation.text("prompt", request.prompt, minimum: 1, maximum: AgentLimits.prompt)
    if !request.language.isEmpty, !UserLimits.languages.contains(request.language) {
      validation.add(
        "language", "must be one of: \(UserLimits.languages.joined(separator: ", "))")
    }
    try validation.check()
    let named = try EntityID.optional(request.userId, field: "user_id")
    let courseID = try EntityID.optional(request.courseId, field: "course_id")
    let stream = RunStream(responses, cursors, runs.shownCode(context))
    let key = runs.requestKey(request, context, caller)
    if let id = try await runs.known(key) {
      return try await runs.repeatRun(id, RunSubject(), caller, on: stream)
    }
    try runs.checkRetrieval()
    let learnerID = try await users.owner(named: named, caller)
    if let courseID { try await checkEnrolled(learnerID, in: courseID, caller) }
    let language = try await users.language(request.language, of: learnerID, caller)
    try await runs.run(
      .goal(
        AgentRequest.Goal(
          prompt: request.prompt, courseID: courseID, language: language,
          requiresApproval: request.requireApproval)),
      learnerID: learnerID, RunSubject(), key, context, caller, on: stream)
  }

  func watchRun(
    _ request: WatchRunRequest, _ context: CallContext,
    _ responses: ResponseWriter<GenerateGoalResponse>
  ) async throws {
    let caller = try context.caller
    let id = try EntityID(parsing: request.runId, field: "run_id")
    let place = request.cursor.isEmpty ? nil : try RunPlace(cursors.point(request.cursor))
    _ = try await goalRun(id, caller)
    let stream = RunStream(responses, cursors, runs.shownCode(context))
    try await runs.watch(id, caller, on: stream, after: place)
  }

  func resolveProposal(
    _ request: ResolveProposalRequest, _ context: CallContext
  ) async throws -> ResolveProposalResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.runId, field: "run_id")
    guard [.approve, .reject].contains(request.decision) else {
      throw DomainError.invalid("decision", "must be to approve or to reject")
    }
    if request.decision == .reject, request.edited != nil {
      throw DomainError.invalid("edited", "cannot be given with a rejection")
    }
    let response = try await writes.perform(context, caller) { change in
      let session = try await goalRun(id, caller)
      guard session.run.status == .awaitingApproval, !session.isOfLaterBuild,
        let proposal = session.machine.proposal
      else {
        throw DomainError.illegalTransition(
          .agentRun, id, from: session.run.status.rawValue, action: "resolve the proposal",
          hint: "only a proposal that waits for approval can be resolved")
      }
      if request.decision == .reject { return try rejection(session, change) }
      let edited = request.edited.map { proposal.edited($0) } ?? proposal
      if request.edited != nil {
        try AgentPrompts(session: session, subject: RunSubject()).checkEdited(edited)
      }
      return try await approval(session, edited, caller, change)
    }
    await runs.shownCode(context).show(response.result?.citations ?? [])
    return response
  }

  private func rejection(
    _ session: RunSession, _ change: ChangeContext
  ) throws -> Decision<ResolveProposalResponse> {
    let (next, _, event) = try session.advanced(
      by: .proposalRejected, lease: nil, context: change)
    return Decision(
      changes: [.updateRun(next.run, after: session.run.version)], events: [event],
      response: ResolveProposalResponse())
  }

  private func approval(
    _ session: RunSession, _ proposal: Agents.GoalProposal, _ caller: Caller,
    _ change: ChangeContext
  ) async throws -> Decision<ResolveProposalResponse> {
    let run = session.run
    try await users.checkIsActive(run.learnerID, caller)
    if case .goal(let request) = run.request, let courseID = request.courseID {
      try await checkEnrolled(run.learnerID, in: courseID, caller)
    }
    let aggregate = try proposal.aggregate(of: run, context: change)
    let stored = AgentRunEvent.StoredGoal(
      goalID: aggregate.goal.id, taskIDs: aggregate.tasks.map(\.id), proposal: proposal)
    let (next, record, event) = try session.advanced(
      by: .goalStored(stored), lease: nil, context: change)
    let result = GeneratedGoal(
      stored, of: run, at: record.createdAt, session.machine.context.citations,
      receipt: WriteReceipt(cursor: cursors.receipt(record.id), replayed: false))
    return Decision(
      changes: aggregate.changes + [.updateRun(next.run, after: run.version)],
      events: aggregate.events + [event], response: ResolveProposalResponse(result: result))
  }

  /// A run of the goal generator, as the caller may see it.
  private func goalRun(_ id: EntityID, _ caller: Caller) async throws -> RunSession {
    let found = try await runs.journal.load(id, scope: AccessScope(caller))
    guard let (session, _) = found, session.run.kind == .goal else {
      throw DomainError.notFound(.agentRun, id)
    }
    return session
  }
}

extension RunCalls {
  /// What only a model can do is refused before anything is recorded.
  func checkModel() throws {
    guard ports.model != nil else { throw AgentFailure(.noModel) }
    try checkRetrieval()
  }

  /// Agents are refused where they would know nothing.
  func checkRetrieval() throws(RPCError) {
    guard ports.retriever != nil else { throw .noRetrieval() }
  }
}

extension RPCError {
  static func noRetrieval() -> RPCError {
    RPCError(.unavailable, "this server has no retrieval, without which agents know nothing")
  }
}
