internal import Domain
internal import JSON

/// One event of a run, as it is committed.
struct RunRecord: Sendable {
  var event: AgentRunEvent
  var id: UUIDv7
  var version: Int64
  var createdAt: Timestamp
}

/// A run and what its events say comes next.
struct RunSession: Sendable {
  private(set) var run: AgentRun
  private(set) var machine: AgentRunMachine
  /// What the events of the run say of where it comes from: the call that began it.
  private(set) var metadata: JSONValue

  /// A run without events.
  init(_ run: AgentRun, metadata: JSONValue = .object([])) {
    self.run = run
    self.run.version = 0
    machine = AgentRunMachine(run.request)
    self.metadata = metadata
  }

  /// An event of the run to commit, and the session behind it.
  func advanced(
    by event: AgentRunEvent, lease: AgentLease?, context: ChangeContext
  ) throws -> (RunSession, RunRecord, NewEvent) {
    let event = event.bounded
    var next = self
    try next.machine.apply(event)
    if let lease { next.run.lease = lease }
    let new = next.run.record(
      event, id: context.nextID(), at: context.now, metadata: context.metadata)
    let record = RunRecord(
      event: event, id: new.id, version: new.version, createdAt: new.createdAt)
    return (next, record, new)
  }

  /// Goes on to an event as the log holds it.
  mutating func observe(_ stored: StoredEvent) throws(StoreError) -> RunRecord {
    guard stored.version == run.version + 1, let payload = JSONValue(parsing: stored.payload),
      let event = AgentRunEvent(type: stored.type, payload: payload)
    else { throw .corrupt("event \(stored.version) of a run cannot be read") }
    if run.version == 0 { metadata = JSONValue(parsing: stored.metadata) ?? .object([]) }
    let record = RunRecord(
      event: event, id: stored.id, version: stored.version, createdAt: stored.createdAt)
    try step(to: record)
    return record
  }

  /// Goes on to a record that was read before.
  mutating func step(to record: RunRecord) throws(StoreError) {
    do {
      try machine.apply(record.event)
    } catch {
      throw .corrupt("event \(record.version) of a run does not follow from those before it")
    }
    run.observe(record.event, version: record.version, at: record.createdAt)
  }

  mutating func took(_ lease: AgentLease) { run.lease = lease }
}

/// Reads and writes the events of runs.
struct RunJournal: Sendable {
  private static let pageLimit = 200

  let stores: ServiceStores
  let clock: any TimeSource
  let ids: any IDGenerator
  let options: AgentOptions
  /// Told after each commit.
  let committed: @Sendable () -> Void
  /// Lets goals that runs store be found.
  let indexer: PassageIndexer

  /// Another server went on with the run, or ended it.
  struct MovedOn: Error {}

  /// A run with its events; nil where there is none that the caller may see.
  func load(
    _ id: UUIDv7, scope: AccessScope
  ) async throws(StoreError) -> (RunSession, [RunRecord])? {
    guard let run = try await stores.runs.run(id, scope: scope) else { return nil }
    var session = RunSession(run)
    let records = try await readOn(&session)
    return (session, records)
  }

  /// Goes on to what was committed since.
  func readOn(_ session: inout RunSession) async throws(StoreError) -> [RunRecord] {
    var records: [RunRecord] = []
    while true {
      let page = try await stores.runs.events(
        ofRun: session.run.id, after: session.run.version, limit: Self.pageLimit)
      for event in page { records.append(try session.observe(event)) }
      if page.count < Self.pageLimit { return records }
    }
  }

  /// What the next write of a run is made with.
  func context(_ session: RunSession) -> ChangeContext {
    ChangeContext(now: clock.now(), ids: ids, metadata: session.metadata)
  }

  /// Commits an event, with other changes and their events before it, and moves the session on.
  ///
  /// - Throws: `MovedOn` where the run is not as the session knows it any more.
  func commit(
    _ event: AgentRunEvent, to session: inout RunSession, context: ChangeContext? = nil,
    changes: [Change] = [], events: [NewEvent] = []
  ) async throws -> RunRecord {
    let context = context ?? self.context(session)
    let (next, record, new) = try session.advanced(
      by: event, lease: options.lease(from: context.now), context: context)
    let passages = await indexer.changes(for: changes, PassageIndexer.Memory())
    let write = Write(
      changes: changes + passages + [.updateRun(next.run, after: session.run.version)],
      events: events + [new], reply: nil)
    guard try await stores.writes.commit(write) == .committed else { throw MovedOn() }
    committed()
    session = next
    return record
  }

  /// Ends a run that this server drives, whatever it is at; nothing where it has ended or is
  /// another's by now.
  func end(_ id: UUIDv7, with event: AgentRunEvent) async throws {
    let system = AccessScope(callerID: id, role: .service)
    for _ in 0..<WriteExecutor.attemptMaximum {
      guard var (session, _) = try await load(id, scope: system),
        session.run.status == .running, session.run.lease.owner == options.owner
      else { return }
      do {
        _ = try await commit(event, to: &session)
        return
      } catch is MovedOn {
        continue
      }
    }
    throw MovedOn()
  }
}
