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

/// The message of a stream that shows runs.
protocol RunResponse: WireMessage {
  /// Nil for a step that this stream has no message for.
  init?(runID: String, cursor: String, step: RunStep)
}

/// Shows a run to a client: turns its events, and the model's text as it comes, into messages.
///
/// Each message carries the cursor of the last event that the client then knows all of, so that a
/// stream that is resumed there repeats a message at most, and skips none. A node that is announced
/// again begins anew: what came of it so far is void.
final class RunStream<Response: RunResponse>: RunSink {
  private struct State {
    var cursor = ""
    /// The attempt whose text was sent as it came.
    var streamedAttempt: Int?
    var showsProposal = false
    /// What is shown was done for the call that this one repeats.
    var isReplay = false
  }

  private let responses: ResponseWriter<Response>
  private let cursors: CursorCodec
  private let state = Mutex(State())

  init(_ responses: ResponseWriter<Response>, _ cursors: CursorCodec) {
    self.responses = responses
    self.cursors = cursors
  }

  /// Where to resume.
  var cursor: String { state.withLock { $0.cursor } }

  /// Whether the proposal that waits for approval was sent on this stream.
  var hasShownProposal: Bool { state.withLock { $0.showsProposal } }

  /// Whether what is shown from now on was done for an earlier call under the same key.
  func showReplay(_ isReplay: Bool) { state.withLock { $0.isReplay = isReplay } }

  func happened(_ record: RunRecord, _ session: RunSession) async throws {
    var steps = steps(of: record, session)
    let last = steps.popLast()
    for step in steps { try await send(step, session) }
    state.withLock { state in
      state.cursor = cursors.receipt(record.id)
      if case .proposalMade = record.event { state.showsProposal = true }
    }
    if let last { try await send(last, session) }
    try await announce(session)
  }

  /// Continues after an event that the client knows.
  func resume(after record: RunRecord, _ session: RunSession) async throws {
    state.withLock { $0.cursor = cursors.receipt(record.id) }
    try await announce(session)
  }

  func received(_ text: String, _ session: RunSession) async throws {
    if case .ask(let attempt) = session.machine.next {
      state.withLock { $0.streamedAttempt = attempt }
    }
    try await send(.token(text), session)
  }

  func restarted(_ session: RunSession) async throws { try await announce(session) }

  private func announce(_ session: RunSession) async throws {
    state.withLock { $0.streamedAttempt = nil }
    guard let (node, attempt) = session.machine.nextNode else { return }
    try await send(
      .nodeStarted(AgentNodeStarted(node: node.rawValue, attempt: Int32(attempt))), session)
  }

  private func send(_ step: RunStep, _ session: RunSession) async throws {
    let cursor = cursor
    let response = Response(
      runID: session.run.id.description, cursor: cursor, step: step)
    guard let response else { return }
    do throws(RPCError) {
      try await responses.write(response, resumeCursor: cursor.isEmpty ? nil : cursor)
    } catch {
      throw ClientGone(cause: error)
    }
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
