package import Domain

extension InMemoryStore: ValidationStore {
  package func validation(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundValidation? {
    try access(.read) { state in state.validations[id].flatMap { state.found($0, scope) } }
  }

  package func lastValidation(
    ofSnapshot id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundValidation? {
    try access(.read) { state in
      state.validations.values
        .filter { $0.snapshotID == id && $0.status == .completed && !$0.isPreview }
        .max { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        .flatMap { state.found($0, scope) }
    }
  }

  package func validations(
    _ filter: ValidationFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ValidationRun> {
    try access(.read) { state in
      let runs = state.validations.values.filter { run in
        let leads =
          if let id = filter.snapshotID {
            run.snapshotID == id
          } else if let id = filter.taskID {
            run.taskID == id
          } else if let id = filter.groupID {
            run.groupID == id
          } else {
            run.userID == filter.ownerID ?? scope.callerID
          }
        return leads && (filter.status == nil || run.status == filter.status)
          && state.found(run, scope) != nil
      }.map { run in
        var run = run
        run.report = nil
        return run
      }
      return cut(runs, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }

  package func events(
    ofValidation id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    try access(.read) { state in
      guard let run = state.validations[id], state.found(run, scope) != nil else { return [] }
      let events = (state.sequenced + state.waiting).filter {
        $0.entityType == EntityType.validation.rawValue && $0.entityID == id
          && $0.version > version
      }
      return Array(events.sorted { $0.version < $1.version }.prefix(limit))
    }
  }

  package func files(
    ofSnapshot id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> [SourceFile] {
    try access(.read) { state in
      guard let snapshot = state.snapshots[id], state.oversees(snapshot, scope) else { return [] }
      return snapshot.files
    }
  }

  package func judgedSnapshots(ofTasks ids: [EntityID]) async throws(StoreError) -> [EntityID] {
    try access(.read) { state in
      ids.compactMap { task in
        state.snapshots.values
          .filter { $0.taskID == task && $0.judgement?.verdict.isDecided ?? false }
          .max { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }?.id
      }
    }
  }
}

extension InMemoryStore: ValidationQueue {
  package func queuedCount(of key: EntityID) async throws(StoreError) -> Int {
    try access(.read) { $0.queued.count { $0.queueKey == key } }
  }

  package func position(of id: EntityID) async throws(StoreError) -> Int? {
    try access(.read) { $0.queued.firstIndex { $0.id == id } }
  }

  package func claim(
    _ lease: AgentLease, isAlone: Bool
  ) async throws(StoreError) -> ValidationRun? {
    try access(.read) { state in
      let now = clock.now()
      let abandoned = state.validations.values
        .filter { run in
          run.status == .running
            && (state.leaseEnd(of: run.id) <= now || isAlone && run.lease.owner != lease.owner)
        }
        .min { state.leaseEnd(of: $0.id) < state.leaseEnd(of: $1.id) }
      guard var run = abandoned ?? state.queued.first else { return nil }
      run.status = .running
      run.lease = AgentLease(owner: lease.owner)
      run.attempt += 1
      run.startedAt = now
      state.validations[run.id] = run
      state.leaseEnds[run.id] = now.advanced(by: lease.duration)
      return run
    }
  }

  package func renew(
    _ lease: AgentLease, ofValidation id: EntityID
  ) async throws(StoreError) -> Bool {
    try access(.read) { state in
      guard let run = state.validations[id], run.status == .running,
        run.lease.owner == lease.owner
      else { return false }
      state.leaseEnds[id] = clock.now().advanced(by: lease.duration)
      return true
    }
  }

  package func release(
    ofValidation id: EntityID, owner: String
  ) async throws(StoreError) {
    try access(.read) { state in
      guard let run = state.validations[id], run.status == .running, run.lease.owner == owner
      else { return }
      state.leaseEnds[id] = min(state.leaseEnd(of: id), clock.now())
    }
  }
}

extension InMemoryStore: TaskTestsStore {
  package func taskTests(
    ofTasks ids: [EntityID], scope: AccessScope
  ) async throws(StoreError) -> [TaskTests] {
    try access(.read) { state in
      ids.compactMap { state.taskTests[$0]?.last }.filter { state.oversees($0, scope) }
    }
  }

  package func history(
    ofTask id: EntityID, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [TaskTests] {
    try access(.read) { state in
      Array(
        (state.taskTests[id] ?? []).filter { state.oversees($0, scope) }.reversed().prefix(limit))
    }
  }

  package func tasks(
    withSuite id: EntityID, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [TaskTests] {
    try access(.read) { state in
      let tests = state.taskTests.values.compactMap(\.last)
        .filter { $0.suiteID == id && state.oversees($0, scope) }
      return Array(tests.sorted { $0.taskID < $1.taskID }.prefix(limit))
    }
  }

  package func suite(_ id: EntityID) async throws(StoreError) -> StoredSuite? {
    try access(.read) { $0.suites[id] }
  }

  package func suite(
    hash: [UInt8], authorID: EntityID
  ) async throws(StoreError) -> StoredSuite? {
    try access(.read) { state in
      state.suites.values.first { $0.authorID == authorID && $0.hash == hash }
    }
  }
}

extension InMemoryStore.State {
  /// In the order of their turns.
  fileprivate var queued: [ValidationRun] {
    validations.values.filter { $0.status == .queued }.sorted {
      (turns[$0.id] ?? 0, $0.id) < (turns[$1.id] ?? 0, $1.id)
    }
  }

  fileprivate func found(_ run: ValidationRun, _ scope: AccessScope) -> FoundValidation? {
    guard let snapshot = snapshots[run.snapshotID], oversees(snapshot, scope) else { return nil }
    let full = fullReports[run.id].flatMap { full in
      let isVisible =
        scope.role.seesEverybody || full.suiteAuthorID == scope.callerID
        || scope.role == .instructor && run.userID != scope.callerID
      return isVisible ? full.report : nil
    }
    return FoundValidation(run: run, fullReport: full)
  }

  fileprivate func oversees(_ tests: TaskTests, _ scope: AccessScope) -> Bool {
    if scope.role.seesEverybody || tests.userID == scope.callerID { return true }
    guard scope.role == .instructor, let goal = goals[tests.goalID], goal.status != .deleted else {
      return false
    }
    return oversees(scope.callerID, tests.userID, in: goal.courseID)
  }

  mutating func enqueue(_ run: ValidationRun) throws(StoreError) -> Bool {
    let mine = queued.filter { $0.queueKey == run.queueKey }
    guard mine.count < ValidationLimits.queued else { return false }
    let next = mine.compactMap { turns[$0.id] }.max().map { $0 + 1 } ?? 0
    turns[run.id] = max(next, queued.compactMap { turns[$0.id] }.min() ?? 0)
    try insert(run, run.id, into: \.validations, "validations_pkey")
    return true
  }

  mutating func update(
    _ run: ValidationRun, after version: Int64, _ full: FullReport?, at now: Timestamp
  ) -> Bool {
    guard let old = validations[run.id], old.version == version, old.attempt == run.attempt,
      old.lease.owner == run.lease.owner
    else { return false }
    var run = run
    leaseEnds[run.id] = max(leaseEnd(of: run.id), now.advanced(by: run.lease.duration))
    run.lease.duration = .zero
    validations[run.id] = run
    if let full { fullReports[run.id] = full }
    return true
  }

  mutating func insert(_ tests: [TaskTests]) throws(StoreError) -> Bool {
    for entry in tests {
      guard tasks[entry.taskID] != nil, entry.suiteID.map({ suites[$0] != nil }) ?? true else {
        return false
      }
      guard taskTests[entry.taskID]?.last?.version ?? 0 == entry.version - 1 else {
        throw .duplicate(constraint: "task_tests_pkey")
      }
      taskTests[entry.taskID, default: []].append(entry)
    }
    return true
  }
}
