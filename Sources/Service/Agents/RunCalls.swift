internal import Agents
internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// The calls that begin, repeat and follow runs.
///
/// A call that begins a run drives it, in its own task: when the call ends, so does the run. A repeat
/// under the call's key finds the same run: it is shown from its first step, followed while another
/// call drives it, taken over where nobody does any more, and started again where it was cancelled or
/// failed for a time. Nodes that had finished are never run twice.
struct RunCalls: Sendable {
  let ports: ServicePorts
  let hub: EventHub
  let journal: RunJournal
  let driver: RunDriver
  let quotas: QuotaBook

  private var options: AgentOptions { journal.options }
  private var clock: any TimeSource { journal.clock }
  private var follower: RunFollower {
    RunFollower(journal: journal, live: hub, options: options)
  }

  /// Notes whose code a call shows as its sources.
  func shownCode(_ context: CallContext) -> ShownCode { ShownCode(context, ports.snapshots) }

  /// Names a keyed call by the message that was understood, which any encoding of it shares.
  func requestKey(
    _ request: some WireMessage, _ context: CallContext, _ caller: Caller
  ) -> RequestKey? {
    RequestKey(context, caller, content: request.encodedBytes())
  }

  /// The run that this call made when it came before; nil where it did not.
  func known(_ key: RequestKey?) async throws -> EntityID? {
    guard let key else { return nil }
    return try await journal.known(key)
  }

  /// Begins a run and drives it to its end, or continues the one that the call's key names.
  func run(
    _ request: AgentRequest, learnerID: EntityID, _ subject: RunSubject, _ key: RequestKey?,
    _ context: CallContext, _ caller: Caller, on stream: RunStream<some RunResponse>
  ) async throws {
    try await quotas.checkStorage(of: caller)
    let outcome = try await journal.begin(
      request, learnerID: learnerID, callerID: caller.userID, model: ports.model?.name, key: key,
      metadata: EventMetadata.of(context, caller))
    let (begun, record): (RunSession, RunRecord)
    switch outcome {
    case .known(let id): return try await repeatRun(id, subject, caller, on: stream)
    case .new(let session, let first): (begun, record) = (session, first)
    }
    do {
      try await show(record, begun, on: stream)
      try finish(try await driver.drive(begun, subject, stream))
    } catch is RunJournal.Superseded {
      try await show(
        begun.run.id, subject, caller, on: stream, after: RunPlace(record.id), mayDrive: true)
    } catch let error as ClientGone {
      throw error.cause
    } catch {
      throw ending(error, of: stream)
    }
  }

  /// Shows a run from its first step, and drives it where nobody else does.
  func repeatRun(
    _ id: EntityID, _ subject: RunSubject, _ caller: Caller, on stream: RunStream<some RunResponse>
  ) async throws {
    stream.showReplay(true)
    try await show(id, subject, caller, on: stream, after: nil, mayDrive: true)
  }

  /// Shows a run after one of its steps, or from its first, until it ends.
  func watch(
    _ id: EntityID, _ caller: Caller, on stream: RunStream<some RunResponse>,
    after place: RunPlace?
  ) async throws {
    try await show(id, RunSubject(), caller, on: stream, after: place, mayDrive: false)
  }

  private func show(
    _ id: EntityID, _ subject: RunSubject, _ caller: Caller,
    on stream: RunStream<some RunResponse>, after place: RunPlace?, mayDrive: Bool
  ) async throws {
    do {
      var position = hub.head ?? 0
      var session = try await replay(id, caller, on: stream, after: place)
      var mayRestart = mayDrive
      while true {
        switch session.run.status {
        case .completed: return
        case .awaitingApproval where stream.hasShownProposal: return
        case .failed, .cancelled:
          guard mayRestart, session.machine.isResumable, !session.isOfLaterBuild,
            session.run.version < AgentLimits.events
          else { return try finish(session) }
          mayRestart = false
          stream.showReplay(false)
          session = try await restarted(session, on: stream)
          session = try await driver.drive(session, subject, stream)
        case .rejected: return try finish(session)
        case .running, .awaitingApproval:
          // A server that goes away leaves what nobody drives to another.
          if mayDrive, !hub.isDraining, let taken = try await takenOver(session, on: stream) {
            stream.showReplay(false)
            session = try await driver.drive(taken, subject, stream)
            continue
          }
          try await follower.showNext(
            of: &session, after: &position, on: stream, endsWithDrain: !mayDrive)
        }
      }
    } catch is RunJournal.Superseded {
      throw RPCError.contention()
    } catch let error as ClientGone {
      throw error.cause
    } catch {
      throw ending(error, of: stream)
    }
  }

  private func replay(
    _ id: EntityID, _ caller: Caller, on stream: RunStream<some RunResponse>,
    after place: RunPlace?
  ) async throws -> RunSession {
    guard let (end, records) = try await journal.load(id, scope: AccessScope(caller)) else {
      throw DomainError.notFound(.agentRun, id)
    }
    var session = RunSession(end.run)
    var unreached = place
    for record in records {
      try session.step(to: record)
      guard let place = unreached else {
        try await stream.happened(record, session)
        continue
      }
      if record.id == place.eventID {
        unreached = nil
        try await stream.happened(record, session, after: place.messageCount)
      }
    }
    guard unreached == nil else { throw RPCError.badCursor("is not of this run") }
    return end
  }

  /// The run under this server's lease, with what was committed meanwhile shown; nil where another
  /// drives it.
  private func takenOver(
    _ session: RunSession, on stream: RunStream<some RunResponse>
  ) async throws -> RunSession? {
    guard session.run.status == .running, !session.isOfLaterBuild else { return nil }
    let taken = try await ports.runs.takeOver(session.run.id, options.lease, isAlone: false)
    guard let taken else { return nil }
    var session = session
    var shown = session
    session.took(taken.lease)
    for record in try await journal.readOn(&session) {
      try shown.step(to: record)
      try await show(record, shown, on: stream)
    }
    return session.run.status == .running && !session.isOfLaterBuild ? session : nil
  }

  private func restarted(
    _ session: RunSession, on stream: RunStream<some RunResponse>
  ) async throws -> RunSession {
    var session = session
    let record = try await journal.commit(.started(model: ports.model?.name), to: &session)
    try await show(record, session, on: stream)
    return session
  }

  /// What ends a stream whose run was let go, not cancelled, is the server that goes away: whoever
  /// repeats the call finds the run further on.
  private func ending(_ error: any Error, of stream: RunStream<some RunResponse>) -> any Error {
    let isLetGo = Task.isCancelled && hub.isDraining
    guard isLetGo || error is RunFollower.Draining else { return error }
    return RPCError.draining(resumeCursor: stream.cursor.isEmpty ? nil : stream.cursor)
  }

  /// Shows a step of a run that this server has and does not drive yet. Where nobody takes it, the run
  /// ends as when it is driven: otherwise another server would continue it for a caller who has
  /// left.
  private func show(
    _ record: RunRecord, _ session: RunSession, on stream: RunStream<some RunResponse>
  ) async throws {
    do {
      try await stream.happened(record, session)
    } catch {
      await driver.leave(session.run.id, error)
      throw error
    }
  }

  /// What a run that has ended is to its caller.
  private func finish(_ session: RunSession) throws {
    switch session.run.status {
    case .completed, .awaitingApproval, .running: return
    case .failed: throw session.machine.failure ?? AgentFailure(.interrupted)
    case .cancelled: throw RPCError(.cancelled, "the run was cancelled")
    case .rejected:
      throw RPCError.precondition("the proposal was rejected", .agentRun, session.run.id)
    }
  }
}
