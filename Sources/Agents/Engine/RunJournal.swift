package import Domain
package import Retrieval

/// Reads and writes the events of runs.
package struct RunJournal: Sendable {
  private static let pageLimit = 200
  private static let attemptMaximum = 10

  private let stores: AgentStores
  package let clock: any TimeSource
  package let ids: any IDGenerator
  package let options: AgentOptions
  /// Told after each commit.
  package let committed: @Sendable () -> Void
  /// Lets goals that runs store be found.
  private let indexer: PassageIndexer

  package init(
    stores: AgentStores, clock: any TimeSource, ids: any IDGenerator, options: AgentOptions,
    committed: @escaping @Sendable () -> Void, indexer: PassageIndexer
  ) {
    self.stores = stores
    self.clock = clock
    self.ids = ids
    self.options = options
    self.committed = committed
    self.indexer = indexer
  }

  /// Another server went on with the run, or ended it.
  package struct MovedOn: Error {}

  /// A run with its events; nil where there is none that the caller may see.
  package func load(
    _ id: UUIDv7, scope: AccessScope
  ) async throws(StoreError) -> (RunSession, [RunRecord])? {
    guard let run = try await stores.runs.run(id, scope: scope) else { return nil }
    var session = RunSession(run)
    let records = try await readOn(&session)
    return (session, records)
  }

  /// Goes on to what was committed since.
  package func readOn(_ session: inout RunSession) async throws(StoreError) -> [RunRecord] {
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
  package func commit(
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
  package func end(_ id: UUIDv7, with event: AgentRunEvent) async throws {
    let system = AccessScope(callerID: id, role: .service)
    for _ in 0..<Self.attemptMaximum {
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
