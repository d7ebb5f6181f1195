package import Domain
package import JSON

/// One event of a run, as it is committed.
package struct RunRecord: Sendable {
  package var event: AgentRunEvent
  package var id: EntityID
  package var version: Int64
  package var createdAt: Timestamp
}

/// A run and what its events say comes next.
package struct RunSession: Sendable {
  package private(set) var run: AgentRun
  package private(set) var machine: AgentRunMachine
  /// What the events of the run say of where it comes from: the call that began it.
  package private(set) var metadata: JSONValue
  /// A later build has done something in it that this one does not know: it may be shown here, and is not this
  /// build's to continue.
  package private(set) var isOfLaterBuild = false

  /// A run without events.
  package init(_ run: AgentRun, metadata: JSONValue = .object([])) {
    self.run = run
    self.run.version = 0
    machine = AgentRunMachine(run.request)
    self.metadata = metadata
  }

  /// An event of the run to commit, and the session after it.
  package func advanced(
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

  /// Advances to an event as the log holds it; nil for one of a type that only a later build has.
  mutating func observe(_ stored: StoredEvent) throws(StoreError) -> RunRecord? {
    if EventType(rawValue: stored.type) == nil, stored.version == run.version + 1 {
      run.version = stored.version
      isOfLaterBuild = true
      return nil
    }
    guard stored.version == run.version + 1, let payload = JSONValue(parsing: stored.openedPayload),
      let event = AgentRunEvent(type: stored.type, payload: payload)
    else { throw .corrupt("event \(stored.version) of a run cannot be read") }
    if run.version == 0 { metadata = JSONValue(parsing: stored.openedMetadata) ?? .object([]) }
    let record = RunRecord(
      event: event, id: stored.id, version: stored.version, createdAt: stored.createdAt)
    try step(to: record)
    return record
  }

  /// Advances to a record that was read before.
  package mutating func step(to record: RunRecord) throws(StoreError) {
    do {
      try machine.apply(record.event)
    } catch {
      throw .corrupt("event \(record.version) of a run does not follow from those before it")
    }
    run.observe(record.event, version: record.version, at: record.createdAt)
  }

  package mutating func took(_ lease: AgentLease) { run.lease = lease }
}
