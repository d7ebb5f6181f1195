package import Domain
package import JSON
package import Writes

/// Reads and writes the events of runs.
package struct RunJournal: Sendable {
  private static let pageLimit = 200

  private let runs: any AgentRunStore
  private let writes: DecisionExecutor
  package let options: AgentOptions

  package init(runs: any AgentRunStore, writes: DecisionExecutor, options: AgentOptions) {
    self.runs = runs
    self.writes = writes
    self.options = options
  }

  package var clock: any TimeSource { writes.clock }

  /// Another server continued the run, or ended it.
  package struct Superseded: Error {}

  /// What a call that asks for a run comes to.
  package enum Begun: Sendable {
    /// A new run, with its first event committed.
    case new(RunSession, RunRecord)
    /// The run that the same call made when it came before.
    case known(EntityID)
  }

  /// Commits a new run with its first event.
  ///
  /// - Parameter key: names the call; nil where a repeat of it is to begin another run.
  package func begin(
    _ request: AgentRequest, learnerID: EntityID, callerID: EntityID, model: String?,
    key: RequestKey?, metadata: JSONValue
  ) async throws -> Begun {
    let encode = { (begun: (RunSession, RunRecord)) in Array(begun.0.run.id.description.utf8) }
    let written = try await writes.perform(
      key, metadata: metadata, chargedTo: callerID, encode: encode
    ) { context in
      let session = RunSession(
        AgentRun(
          id: context.nextID(), learnerID: learnerID, callerID: callerID, request: request,
          lease: options.lease, createdAt: context.now, updatedAt: context.now),
        metadata: metadata)
      let (begun, record, event) = try session.advanced(
        by: .started(model: model), lease: nil, context: context)
      return Decision(
        changes: [.insertRun(begun.run)], events: [event], response: (begun, record))
    }
    switch written {
    case .committed(let (session, record)): return .new(session, record)
    case .repeated(let bytes): return .known(try runID(bytes))
    }
  }

  /// The run that the call which `key` names made when it came before; nil where it did not.
  package func known(_ key: RequestKey) async throws -> EntityID? {
    try await writes.reply(to: key).map { bytes in try runID(bytes) }
  }

  private func runID(_ bytes: [UInt8]) throws(StoreError) -> EntityID {
    guard let id = EntityID(String(decoding: bytes, as: UTF8.self)) else {
      throw .corrupt("the stored reply to a call that began a run is not an id")
    }
    return id
  }

  /// A run with its events; nil where there is none that the caller may see.
  package func load(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> (RunSession, [RunRecord])? {
    guard let run = try await runs.run(id, scope: scope) else { return nil }
    var session = RunSession(run)
    let records = try await readOn(&session)
    return (session, records)
  }

  /// Advances to what was committed since.
  package func readOn(_ session: inout RunSession) async throws(StoreError) -> [RunRecord] {
    var records: [RunRecord] = []
    // Whoever may see the run sees what happened in it, which is its learner's.
    let scope = AccessScope(callerID: session.run.learnerID, role: .learner)
    while true {
      let page = try await runs.events(
        ofRun: session.run.id, after: session.run.version, limit: Self.pageLimit, scope: scope)
      for event in page {
        if let record = try session.observe(event) { records.append(record) }
      }
      if page.count < Self.pageLimit { return records }
    }
  }

  /// What the next write of a run is made with.
  func context(_ session: RunSession) -> ChangeContext {
    ChangeContext(now: clock.now(), ids: writes.ids, metadata: session.metadata)
  }

  /// Commits an event, with other changes and their events before it, and moves the session on.
  ///
  /// - Throws: `Superseded` where the run is not as the session knows it any more.
  package func commit(
    _ event: AgentRunEvent, to session: inout RunSession, context: ChangeContext? = nil,
    changes: [Change] = [], events: [NewEvent] = []
  ) async throws -> RunRecord {
    let context = context ?? self.context(session)
    let (next, record, new) = try session.advanced(
      by: event, lease: options.lease, context: context)
    let changes = changes + [.updateRun(next.run, after: session.run.version)]
    guard
      try await writes.commit(
        changes: changes, events: events + [new], chargedTo: session.run.callerID)
    else {
      throw Superseded()
    }
    session = next
    return record
  }

  /// Ends a run that this server drives, whatever it is at; nothing where it has ended or is
  /// another's by now.
  package func end(_ id: EntityID, with event: AgentRunEvent) async throws {
    let system = AccessScope(callerID: id, role: .service)
    for _ in 0..<DecisionExecutor.attemptMax {
      guard var (session, _) = try await load(id, scope: system),
        session.run.status == .running, session.run.lease.owner == options.owner
      else { return }
      do {
        _ = try await commit(event, to: &session)
        return
      } catch is Superseded {
        continue
      }
    }
    throw Superseded()
  }
}
