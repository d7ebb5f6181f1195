package import Domain

/// Drives runs: does what their machines say comes next and commits what came of it, node by node.
///
/// While it does, it keeps the run's lease. Where the driving task is cancelled, the model's call
/// ends at once and the run is recorded as cancelled; where this server goes away, the run is let go
/// for another one.
package struct RunDriver: Sendable {
  private enum Ending: Sendable {
    case done(RunSession)
    case leaseLost
    case timedOut
  }

  private let stores: AgentStores
  private let journal: RunJournal
  private let live: any LiveLog
  private let options: AgentOptions

  package init(
    stores: AgentStores, journal: RunJournal, live: any LiveLog, options: AgentOptions
  ) {
    self.stores = stores
    self.journal = journal
    self.live = live
    self.options = options
  }

  /// Drives a run that this server has the lease of, to its end or to where it waits for approval.
  ///
  /// - Throws: `RunJournal.Superseded` where another server has the run now.
  package func drive(
    _ session: RunSession, _ subject: RunSubject, _ sink: any RunSink
  ) async throws -> RunSession {
    do {
      switch try await race(session, subject, sink) {
      case .done(let session): return session
      case .leaseLost: throw RunJournal.Superseded()
      case .timedOut: return try await endOfTime(session.run.id)
      }
    } catch let error as RunJournal.Superseded {
      throw error
    } catch {
      await leave(session.run.id, error)
      throw error
    }
  }

  private func race(
    _ session: RunSession, _ subject: RunSubject, _ sink: any RunSink
  ) async throws -> Ending {
    try await withThrowingTaskGroup(of: Ending.self) { group in
      defer { group.cancelAll() }
      group.addTask { .done(try await perform(session, subject, sink)) }
      group.addTask {
        try await keepLease(options.lease, every: options.heartbeatInterval, by: options.clock) {
          (lease) throws(StoreError) in try await stores.runs.renew(lease, ofRun: session.run.id)
        }
        return .leaseLost
      }
      group.addTask {
        try await options.clock.sleep(for: options.runTimeout)
        return .timedOut
      }
      guard let ending = try await group.next() else { throw CancellationError() }
      return ending
    }
  }

  private func perform(
    _ start: RunSession, _ subject: RunSubject, _ sink: any RunSink
  ) async throws -> RunSession {
    var session = start
    while true {
      try Task.checkCancellation()
      let nodes = RunNodes(stores: stores, journal: journal, session: session, subject: subject)
      let record: RunRecord
      switch session.machine.next {
      case .start:
        record = try await journal.commit(.started(model: stores.model?.name), to: &session)
      case .retrieve: record = try await journal.commit(try await nodes.retrieve(), to: &session)
      case .ask(let attempt):
        record = try await journal.commit(try await nodes.ask(attempt, sink), to: &session)
      case .check(let attempt):
        record = try await journal.commit(try await nodes.check(attempt), to: &session)
      case .plan(let attempt):
        record = try await journal.commit(try await nodes.plan(attempt), to: &session)
      case .propose:
        guard let proposal = session.machine.proposal else { return session }
        record = try await journal.commit(.proposalMade(proposal), to: &session)
      case .persist:
        record = try await persist(nodes, &session)
      case .answer(let abstains):
        record = try await journal.commit(.answered(abstained: abstains), to: &session)
      case .fail(let failure):
        record = try await journal.commit(.failed(failure), to: &session)
      case .awaitApproval, .rest: return session
      }
      try await sink.happened(record, session)
    }
  }

  /// The goal, its tasks, all events and the end of the run in one commit.
  private func persist(_ nodes: RunNodes, _ session: inout RunSession) async throws -> RunRecord {
    let context = journal.context(session)
    switch try await nodes.persist(context) {
    case .failure(let failure):
      return try await journal.commit(.failed(failure), to: &session, context: context)
    case .success(let (event, aggregate)):
      return try await journal.commit(
        event, to: &session, context: context, changes: aggregate.changes,
        events: aggregate.events)
    }
  }

  private func endOfTime(_ id: EntityID) async throws -> RunSession {
    try await journal.end(id, with: .failed(AgentFailure(.timedOut)))
    let system = AccessScope(callerID: id, role: .service)
    guard let (session, _) = try await journal.load(id, scope: system) else {
      throw DomainError.notFound(.agentRun, id)
    }
    return session
  }

  /// Leaves a run of this server's whose driving, or what came before it, ended with `error`. In a task
  /// of its own, because this one may be cancelled, and for a short time only.
  package func leave(_ id: EntityID, _ error: any Error) async {
    // A model's call that ends as cancelled in a task that is not, ended because of its reader.
    // And a call whose time is up may find the store giving up before its own task is cancelled.
    let isOver = CallDeadline.current.map { $0 <= .now } ?? false
    let hasLeft = isOver || Task.isCancelled || error is ClientGone || error is CancellationError
    let isCancelled = hasLeft && !live.isDraining
    await Task {
      await CallDeadline.$current.withValue(.now + options.releaseTimeout) {
        if isCancelled {
          try? await journal.end(id, with: .cancelled)
        } else {
          // Another server may continue it now, or this server on the next try.
          try? await stores.runs.release(ofRun: id, owner: options.owner)
        }
      }
    }.value
  }
}

/// Whoever a run is streamed to does not take any more of it.
package struct ClientGone: Error {
  package var cause: any Error

  package init(cause: any Error) { self.cause = cause }
}
