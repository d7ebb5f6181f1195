internal import Agents
internal import Contract
internal import Domain
internal import RPC
internal import Synchronization

/// A step of a run, as a stream shows it.
enum RunStep: Sendable {
  case nodeStarted(AgentNodeStarted)
  case context([Citation])
  case token(String)
  case findings(ContractFindings)
  case proposal(Contract.GoalProposal)
  case stored(GeneratedGoal)
  case answered(text: String, citations: [Citation], abstained: Bool)
}

extension RunStep {
  /// The sources that a client is shown with it.
  var citations: [Citation] {
    switch self {
    case .context(let citations), .answered(_, let citations, _): citations
    case .proposal(let proposal): proposal.citations
    case .stored(let goal): goal.citations
    case .nodeStarted, .token, .findings: []
    }
  }
}

/// The message of a stream that shows runs.
protocol RunResponse: WireMessage {
  /// Nil for a step that this stream has no message for.
  init?(runID: String, cursor: String, step: RunStep)
}

/// Shows a run to a client: turns its events, and the model's text as it comes, into messages.
///
/// Each message carries the cursor of its place in the run: a stream that is resumed there continues
/// with the next message. The model's text as it comes is no place: a stream that is resumed after a
/// part of it continues before the announcement of its node. A node that is announced again begins
/// anew: what came of it so far is void.
final class RunStream<Response: RunResponse>: RunSink {
  private struct State {
    /// After the last message that was sent.
    var cursor = ""
    /// The last event that was shown, and how many messages show it.
    var event: (id: EntityID, messageCount: Int)?
    /// The attempt whose text was sent as it came.
    var streamedAttempt: Int?
    var showsProposal = false
    /// What is shown was done for the call that this one repeats.
    var isReplay = false
  }

  private let responses: ResponseWriter<Response>
  private let cursors: CursorCodec
  private let code: ShownCode
  /// Makes of what is shown what this stream says.
  private let adapt: @Sendable (Response) -> Response
  private let state = Mutex(State())

  init(
    _ responses: ResponseWriter<Response>, _ cursors: CursorCodec, _ code: ShownCode,
    adapt: @escaping @Sendable (Response) -> Response = { $0 }
  ) {
    self.responses = responses
    self.cursors = cursors
    self.code = code
    self.adapt = adapt
  }

  /// Where to resume.
  var cursor: String { state.withLock { $0.cursor } }

  /// Whether the proposal that waits for approval was sent on this stream.
  var hasShownProposal: Bool { state.withLock { $0.showsProposal } }

  /// Whether what is shown from now on was done for an earlier call under the same key.
  func showReplay(_ isReplay: Bool) { state.withLock { $0.isReplay = isReplay } }

  func happened(_ record: RunRecord, _ session: RunSession) async throws {
    try await happened(record, session, after: 0)
  }

  /// Shows an event of which the client knows the first `knownCount` messages.
  func happened(_ record: RunRecord, _ session: RunSession, after knownCount: Int) async throws {
    let messages = steps(of: record, session) + (announcement(session).map { [$0] } ?? [])
    state.withLock { state in
      state.event = (record.id, messages.count)
      state.streamedAttempt = nil
      if knownCount > 0 {
        state.cursor = self.cursor(after: min(knownCount, messages.count), in: state)
      }
    }
    for (index, message) in messages.enumerated().dropFirst(knownCount) {
      try await send(message, session, after: index + 1)
      if case .proposal = message { state.withLock { $0.showsProposal = true } }
    }
  }

  func received(_ text: String, _ session: RunSession) async throws {
    if case .ask(let attempt) = session.machine.next {
      state.withLock { $0.streamedAttempt = attempt }
    }
    // The last message of the event before announced the node.
    let messageCount = state.withLock { $0.event?.messageCount ?? 0 }
    try await send(.token(text), session, after: max(0, messageCount - 1))
  }

  func restarted(_ session: RunSession) async throws {
    let messageCount = state.withLock { state in
      state.streamedAttempt = nil
      return state.event?.messageCount ?? 0
    }
    if let message = announcement(session) {
      try await send(message, session, after: messageCount)
    }
  }

  private func announcement(_ session: RunSession) -> RunStep? {
    session.machine.nextNode.map { node, attempt in
      .nodeStarted(AgentNodeStarted(node: node.rawValue, attempt: Int32(attempt)))
    }
  }

  /// - Parameter messageCount: how many messages of the event the client knows then.
  private func send(
    _ step: RunStep, _ session: RunSession, after messageCount: Int
  ) async throws {
    let cursor = state.withLock { self.cursor(after: messageCount, in: $0) }
    let response = Response(
      runID: session.run.id.description, cursor: cursor, step: step)
    guard let response else { return }
    code.show(runOf: session.run.learnerID)
    await code.show(step.citations)
    do throws(RPCError) {
      try await responses.write(adapt(response), resumeCursor: cursor)
    } catch {
      throw ClientGone(cause: error)
    }
    state.withLock { $0.cursor = cursor }
  }

  private func cursor(after messageCount: Int, in state: State) -> String {
    guard let event = state.event else { return "" }
    return messageCount == event.messageCount
      ? cursors.receipt(event.id) : cursors.step(event.id, messageCount: messageCount)
  }

  /// What an event shows; `session` is the state after it.
  private func steps(of record: RunRecord, _ session: RunSession) -> [RunStep] {
    let machine = session.machine
    switch record.event {
    case .started, .modelFailed, .proposalRejected, .failed, .cancelled: return []
    case .contextRetrieved: return [.context(machine.context.citations)]
    case .replied(let reply):
      let isStreamed = state.withLock { $0.streamedAttempt == reply.attempt }
      if isStreamed || reply.reply.text.isEmpty { return [] }
      // Prose is stored as it is shown.
      let isProposal = session.run.kind == .goal
      return [.token(isProposal ? LiveText.shown(reply.reply.text) : reply.reply.text)]
    case .proposalChecked(let check): return [.findings(ContractFindings(check))]
    case .proposalMade(let proposal):
      return [.proposal(Contract.GoalProposal(proposal, machine.context.citations))]
    case .goalStored(let stored):
      let goal = GeneratedGoal(
        stored, of: session.run, at: record.createdAt, machine.context.citations,
        receipt: WriteReceipt(
          cursor: cursors.receipt(record.id), replayed: state.withLock { $0.isReplay }))
      return [
        .nodeStarted(AgentNodeStarted(node: AgentNode.respond.rawValue, attempt: 1)),
        .stored(goal),
      ]
    case .answered(let abstained):
      return [
        .answered(
          text: abstained
            ? AgentPrompts.abstention(session.run.request.language) : machine.reply?.text ?? "",
          citations: machine.context.citations, abstained: abstained)
      ]
    }
  }
}
