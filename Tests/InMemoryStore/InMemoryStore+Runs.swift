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
      state.runs[id]?.lease = lease
      return true
    }
  }

  package func release(
    ofRun id: EntityID, owner: String, at now: Timestamp
  ) async throws(StoreError) {
    try access(.read) { state in
      guard let lease = state.runs[id]?.lease, lease.owner == owner else { return }
      state.runs[id]?.lease.until = min(lease.until, now)
    }
  }

  package func takeOver(
    _ id: EntityID, _ lease: AgentLease, isAlone: Bool, at now: Timestamp
  ) async throws(StoreError) -> AgentRun? {
    try access(.read) { state in
      guard let run = state.runs[id], run.isFree(for: lease.owner, isAlone, now) else { return nil }
      state.runs[id]?.lease = lease
      state.runs[id]?.takeoverCount += 1
      return state.runs[id]
    }
  }

  package func abandoned(
    by owner: String, isAlone: Bool, at now: Timestamp, limit: Int
  ) async throws(StoreError) -> [AbandonedRun] {
    try access(.read) { state in
      let free = state.runs.values.filter { $0.isFree(for: owner, isAlone, now) }
      return free.sorted { $0.lease.until < $1.lease.until }.prefix(limit).map {
        AbandonedRun(id: $0.id, kind: $0.kind, leaseUntil: $0.lease.until)
      }
    }
  }

  /// A run as it stands, for tests.
  package func run(_ id: EntityID) -> AgentRun? { state.withLock { $0.runs[id] } }

  /// Puts a run and its events so far in place, as a server that was killed left them.
  package func seed(_ run: AgentRun, _ events: [StoredEvent]) {
    state.withLock { $0.runs[run.id] = run }
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
  mutating func update(_ run: AgentRun, after version: Int64) -> Bool {
    guard let old = runs[run.id], old.version == version else { return false }
    var run = run
    run.lease.until = max(run.lease.until, old.lease.until)
    run.takeoverCount = old.takeoverCount
    runs[run.id] = run
    return true
  }
}

extension AgentRun {
  fileprivate func isFree(for owner: String, _ isAlone: Bool, _ now: Timestamp) -> Bool {
    status == .running && (lease.until <= now || isAlone && lease.owner != owner)
  }
}
