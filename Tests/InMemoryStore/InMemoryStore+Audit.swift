package import Domain

extension InMemoryStore: AuditStore {
  package func append(_ entries: [AuditEntry]) async throws(StoreError) {
    try access(.commit) { state in
      for var entry in entries {
        entry.number = (state.auditEntries.last?.number ?? 0) + 1
        state.auditEntries.append(entry)
      }
    }
  }

  package func entries(
    _ query: AuditQuery, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<AuditEntry> {
    try access(.read) { state in
      let before = page.after?.entryNumber ?? .max
      let wanted = state.auditEntries.reversed().filter { entry in
        entry.number < before && query.admits(entry)
          && (scope.role.seesEverybody || entry.subjectID == scope.callerID
            || entry.actorID == scope.callerID
              && (query.subjectID == nil || !entry.hidesSubject(from: scope.callerID)))
      }
      let items = Array(wanted.prefix(page.limit))
      return Page(
        items: items,
        next: wanted.count > items.count ? items.last.map { PageKey(entry: $0.number) } : nil)
    }
  }

  package func entries(
    after number: Int64, limit: Int
  ) async throws(StoreError) -> [AuditEntry] {
    try access(.read) { Array($0.auditEntries.filter { $0.number > number }.prefix(limit)) }
  }

  package func removedEntry() async throws(StoreError) -> Int64 {
    try access(.read) { state in
      state.auditEntries.filter { $0.kind == .notice && $0.method == AuditEntry.removalMethod }
        .map(\.count).max() ?? 0
    }
  }

  package func lastSeal() async throws(StoreError) -> LogSeal? {
    try access(.read) { $0.seals.last }
  }

  package func seals(after number: Int64, limit: Int) async throws(StoreError) -> [LogSeal] {
    try access(.read) { Array($0.seals.filter { $0.number > number }.prefix(limit)) }
  }

  package func insert(_ seal: LogSeal) async throws(StoreError) -> Bool {
    try access(.commit) { state in
      guard !state.seals.contains(where: { $0.number == seal.number }) else { return false }
      state.seals.append(seal)
      return true
    }
  }

  package func eventOutsideTheLog() async throws(StoreError) -> EntityID? { nil }

  /// Changes rows as nobody may: what seals are there to show.
  package func tamper(_ body: @Sendable (inout [StoredEvent], inout [AuditEntry]) -> Void) {
    state.withLock { body(&$0.sequenced, &$0.auditEntries) }
  }
}

extension AuditQuery {
  fileprivate func admits(_ entry: AuditEntry) -> Bool {
    (actorID == nil || entry.actorID == actorID)
      && (subjectID == nil || entry.subjectID == subjectID)
      && (kinds.isEmpty || kinds.contains(entry.kind))
      && from.map { entry.lastAt >= $0 } ?? true && until.map { entry.firstAt < $0 } ?? true
  }
}
