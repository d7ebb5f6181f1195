package import Domain

extension InMemoryStore: AgentRunStore {
  package func run(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> AgentRun? {
    try access(.read) { state in
      guard let run = state.runs[id] else { return nil }
      return scope.role.seesEverybody || run.learnerID == scope.callerID ? run : nil
    }
  }

  package func events(
    ofRun id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    try access(.read) { state in
      let events = (state.sequenced + state.waiting).filter {
        $0.entityType == EntityType.agentRun.rawValue && $0.entityID == id && $0.version > version
          && (scope.role.seesEverybody || $0.userID == scope.callerID)
      }
      return Array(events.sorted { $0.version < $1.version }.prefix(limit))
    }
  }

  package func renew(_ lease: AgentLease, ofRun id: EntityID) async throws(StoreError) -> Bool {
    try access(.read) { state in
      guard let run = state.runs[id], run.status == .running, run.lease.owner == lease.owner else {
        return false
      }
      state.leaseEnds[id] = clock.now().advanced(by: lease.duration)
      return true
    }
  }

  package func release(ofRun id: EntityID, owner: String) async throws(StoreError) {
    try access(.read) { state in
      guard state.runs[id]?.lease.owner == owner else { return }
      state.leaseEnds[id] = min(state.leaseEnd(of: id), clock.now())
    }
  }

  package func takeOver(
    _ id: EntityID, _ lease: AgentLease, isAlone: Bool
  ) async throws(StoreError) -> AgentRun? {
    try access(.read) { state in
      let now = clock.now()
      guard let run = state.runs[id], state.isFree(run, for: lease.owner, isAlone, now) else {
        return nil
      }
      state.leaseEnds[id] = now.advanced(by: lease.duration)
      state.runs[id]?.lease = AgentLease(owner: lease.owner)
      state.runs[id]?.takeoverCount += 1
      return state.runs[id]
    }
  }

  package func abandoned(
    by owner: String, isAlone: Bool, limit: Int
  ) async throws(StoreError) -> [AbandonedRun] {
    try access(.read) { state in
      let now = clock.now()
      let free = state.runs.values.filter { state.isFree($0, for: owner, isAlone, now) }
        .map { (run: $0, end: state.leaseEnd(of: $0.id)) }
      return free.sorted { $0.end < $1.end }.prefix(limit).map { run, end in
        let micros = now.microsecondsSinceEpoch - end.microsecondsSinceEpoch
        return AbandonedRun(id: run.id, kind: run.kind, overFor: .microseconds(max(0, micros)))
      }
    }
  }

  /// A run as it stands, for tests.
  package func run(_ id: EntityID) -> AgentRun? { state.withLock { $0.runs[id] } }

  /// When the lease of a run ends, for tests.
  package func leaseEnd(ofRun id: EntityID) -> Timestamp { state.withLock { $0.leaseEnd(of: id) } }

  /// Puts a run and its events so far in place, as a server that was killed left them.
  package func seed(_ run: AgentRun, _ events: [StoredEvent]) {
    state.withLock { state in
      state.runs[run.id] = run
      state.grant(run.lease, to: run.id, at: clock.now())
    }
    seed(events)
  }
}

extension InMemoryStore: ModelUsageStore {
  package func usage(
    of callerID: EntityID, since: Timestamp
  ) async throws(StoreError) -> ModelUsage {
    try access(.read) { state in
      state.usages.filter { $0.callerID == callerID && $0.time >= since }.reduce(into: ModelUsage())
      {
        $0.promptTokenCount += $1.usage.promptTokenCount
        $0.replyTokenCount += $1.usage.replyTokenCount
        $0.costMicros += $1.usage.costMicros
      }
    }
  }

  package func record(
    _ usage: ModelUsage, of callerID: EntityID, at now: Timestamp
  ) async throws(StoreError) {
    try access(.read) { $0.usages.append((callerID, now, usage)) }
  }
}

extension InMemoryStore.State {
  mutating func insert(_ run: AgentRun, at now: Timestamp) throws(StoreError) {
    var stored = run
    // As it reads back: a lease that was read has nothing to give.
    stored.lease.duration = .zero
    try insert(stored, run.id, into: \.runs, "agent_runs_pkey")
    grant(run.lease, to: run.id, at: now)
  }

  mutating func update(_ run: AgentRun, after version: Int64, at now: Timestamp) -> Bool {
    guard let old = runs[run.id], old.version == version else { return false }
    grant(run.lease, to: run.id, at: now)
    var run = run
    run.lease.duration = .zero
    run.takeoverCount = old.takeoverCount
    runs[run.id] = run
    return true
  }

  func leaseEnd(of id: EntityID) -> Timestamp {
    leaseEnds[id] ?? Timestamp(microsecondsSinceEpoch: 0)
  }

  /// Never shortens it.
  fileprivate mutating func grant(_ lease: AgentLease, to id: EntityID, at now: Timestamp) {
    leaseEnds[id] = max(leaseEnd(of: id), now.advanced(by: lease.duration))
  }

  fileprivate func isFree(
    _ run: AgentRun, for owner: String, _ isAlone: Bool, _ now: Timestamp
  ) -> Bool {
    run.status == .running
      && (leaseEnd(of: run.id) <= now || isAlone && run.lease.owner != owner)
  }
}
