package import Domain

extension InMemoryStore: EventLog {
  package func page(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws(StoreError) -> LogPage {
    try access(.readLog) { state in
      var page = LogPage(events: [], isEnd: true, epoch: state.history.current.id)
      var byteCount = 0
      // Positions are dense from 1: the index after `position` is `position` itself.
      for event in state.sequenced.dropFirst(Int(max(0, position))) {
        if page.events.count >= limit || byteCount >= byteCountMax { break }
        byteCount += event.payload.byteCount + event.metadata.byteCount
        page.events.append(event)
      }
      page.isEnd = max(0, position) + Int64(page.events.count) >= Int64(state.sequenced.count)
      return page
    }
  }

  /// Nothing ever leaves.
  package func floor() async throws(StoreError) -> LogFloor { .none }

  package func end(unsequencedMax: Int) async throws(StoreError) -> LogEnd? {
    try access(.readLog) { state in
      guard state.waiting.count <= unsequencedMax else { return nil }
      return LogEnd(
        position: Int64(state.sequenced.count),
        unsequenced: state.waiting.map(\.seq).sorted().map { $0...$0 },
        epoch: state.history.current.id)
    }
  }

  package func events(
    in window: EventWindow, limits: WindowLimits, scope: AccessScope
  ) async throws(StoreError) -> WindowPage {
    let interest = EventInterest(window.filter, scope)
    return try access(.readLog) { state in
      var page = WindowPage(
        events: [], completeTo: max(window.after, window.through), lookedCount: 0,
        epoch: state.history.current.id)
      guard interest.lead != .nothing else { return page }
      var byteCount = 0
      for event in state.sequenced.dropFirst(Int(max(0, window.after)))
      where event.position <= window.through && interest.leads(to: event, state) {
        page.lookedCount += 1
        if interest.holds(event, state) {
          page.events.append(event)
          byteCount += event.payload.byteCount + event.metadata.byteCount
        }
        if page.lookedCount >= limits.lookedCount || page.events.count >= limits.eventCount
          || byteCount >= limits.byteCount
        {
          page.completeTo = event.position
          break
        }
      }
      return page
    }
  }

  package func history() async throws(StoreError) -> LogHistory { state.withLock { $0.history } }

  package func declare(_ loss: LogLoss) async throws(StoreError) -> LogHistory {
    state.withLock { state in
      state.history = state.history.losing(loss, last: Int64(state.sequenced.count))
      return state.history
    }
  }

  package func contains(_ eventID: EntityID) async throws(StoreError) -> Bool {
    state.withLock { state in
      (state.sequenced + state.waiting).contains { $0.id == eventID }
    }
  }

  /// What a failover does to a log: the events after `position`, and those that wait, are gone. Rows stay.
  package func loseEvents(after position: Int64) {
    state.withLock { state in
      state.sequenced.removeAll { $0.position > position }
      state.waiting.removeAll()
    }
  }

  package func head() async throws(StoreError) -> Int64 {
    try access(.readLog) { Int64($0.sequenced.count) }
  }

  package func position(of eventID: EntityID) async throws(StoreError) -> Int64? {
    try access(.readLog) { $0.sequenced.first { $0.id == eventID }?.position }
  }

  package func newestUnsequenced() async throws(StoreError) -> EntityID? {
    try access(.readLog) { $0.waiting.last?.id }
  }

  package func position(at time: Timestamp) async throws(StoreError) -> Int64 {
    try access(.readLog) { $0.sequenced.last { $0.createdAt <= time }?.position ?? 0 }
  }

  package func tail(
    user: EntityID, from: Timestamp, to: Timestamp, after position: Int64, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    try access(.readLog) { state in
      (state.sequenced.filter { $0.position > position } + state.waiting).filter {
        $0.userID == user && $0.createdAt >= from && $0.createdAt < to
          && (scope.role.seesEverybody || user == scope.callerID)
      }
    }
  }
}

extension InMemoryStore: EventSequencer {
  package func sequence(limit: Int) async throws(StoreError) -> [StoredEvent]? {
    let result: Result<[StoredEvent]?, StoreError> = state.withLock { state in
      if let fault = state.takeFault(.sequence) { return .failure(fault) }
      guard !state.isLockedByOther else { return .success(nil) }
      let events = state.sequence(limit: limit)
      if let fault = state.takeFault(.sequenceAnswer) { return .failure(fault) }
      return .success(events)
    }
    return try result.get()
  }
}

extension InMemoryStore: TokenStore {
  package func insert(_ token: TokenRecord, event: NewEvent) async throws(StoreError) {
    let taken: String? = try access(.read) { state in
      if state.tokens[token.id] != nil { return "tokens_pkey" }
      if state.tokens.values.contains(where: { $0.hash == token.hash }) { return "tokens_hash_key" }
      state.tokens[token.id] = token
      state.append(event)
      return nil
    }
    if let taken { throw .duplicate(constraint: taken) }
  }

  package func insert(
    _ token: TokenRecord, event: NewEvent, workingCountMax: Int
  ) async throws(StoreError) -> TokenInsertion {
    let result: Result<TokenInsertion, StoreError> = try access(.read) { state in
      let working = state.tokens.values.filter {
        $0.revokedAt == nil && $0.expiresAt > token.createdAt
      }
      if let parent = token.parentID, !working.contains(where: { $0.id == parent }) {
        return .success(.parentEnded)
      }
      if working.count(where: { $0.userID == token.userID }) >= workingCountMax {
        return .success(.limitReached)
      }
      if state.tokens[token.id] != nil { return .failure(.duplicate(constraint: "tokens_pkey")) }
      state.tokens[token.id] = token
      state.append(event)
      return .success(.inserted)
    }
    return try result.get()
  }

  package func token(hash: [UInt8]) async throws(StoreError) -> TokenRecord? {
    try access(.read) { state in
      state.tokens.values.first {
        $0.hash == hash && state.users[$0.userID]?.isActive == true
      }
    }
  }

  package func roles(
    of ids: [EntityID], at now: Timestamp
  ) async throws(StoreError) -> [EntityID: Role] {
    try access(.read) { state in
      var roles: [EntityID: Role] = [:]
      for id in ids {
        guard let token = state.tokens[id], token.revokedAt == nil, token.expiresAt > now,
          let user = state.users[token.userID], user.isActive
        else { continue }
        roles[id] = min(token.role, user.role)
      }
      return roles
    }
  }

  package func token(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> TokenRecord? {
    try access(.read) { state in
      state.tokens[id].flatMap {
        scope.role.seesEverybody || $0.userID == scope.callerID ? $0 : nil
      }
    }
  }

  package func tokens(
    user: EntityID?, scope: AccessScope
  ) async throws(StoreError) -> [TokenRecord] {
    try access(.read) { state in
      Array(
        state.tokens.values.filter {
          (user == nil || $0.userID == user)
            && (scope.role.seesEverybody || $0.userID == scope.callerID)
        }
        .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(1000))
    }
  }

  package func revoke(
    _ id: EntityID, at now: Timestamp, event: @Sendable (TokenRecord) -> NewEvent
  ) async throws(StoreError) -> Bool {
    try access(.read) { state in
      guard state.tokens[id] != nil else { return false }
      var family: Set = [id]
      while true {
        let children = state.tokens.values.filter { token in
          !family.contains(token.id) && token.parentID.map(family.contains) ?? false
        }
        if children.isEmpty { break }
        family.formUnion(children.map(\.id))
      }
      for id in family where state.tokens[id]?.revokedAt == nil {
        state.tokens[id]?.revokedAt = now
        if let token = state.tokens[id] { state.append(event(token)) }
      }
      return true
    }
  }
}

extension InMemoryStore.State {
  mutating func sequence(limit: Int) -> [StoredEvent] {
    var events = Array(waiting.prefix(max(1, limit)))
    waiting.removeFirst(events.count)
    for index in events.indices {
      events[index].position = Int64(sequenced.count) + Int64(index) + 1
    }
    sequenced += events
    return events
  }
}

extension EventInterest {
  fileprivate func leads(to event: StoredEvent, _ state: InMemoryStore.State) -> Bool {
    let facts = EventFacts(of: event)
    return switch lead {
    case .tasks: facts.taskID.map(filter.taskIDs.contains) ?? false
    case .goals: facts.goalID.map(filter.goalIDs.contains) ?? false
    case .users: event.userID.map(filter.userIDs.contains) ?? false
    case .courses: facts.courseID.map(filter.courseIDs.contains) ?? false
    case .overseer: isOverseen(event, facts, state)
    case .types: isOfType(event)
    case .everything: true
    case .nothing: false
    }
  }

  /// Every bound holds.
  fileprivate func holds(_ event: StoredEvent, _ state: InMemoryStore.State) -> Bool {
    let facts = EventFacts(of: event)
    func holds(_ wanted: [EntityID], _ value: EntityID?) -> Bool {
      wanted.isEmpty || value.map(wanted.contains) ?? false
    }
    return holds(filter.userIDs, event.userID) && holds(filter.goalIDs, facts.goalID)
      && holds(filter.taskIDs, facts.taskID) && holds(filter.courseIDs, facts.courseID)
      && (filter.types.isEmpty || isOfType(event))
      && (overseerID == nil || isOverseen(event, facts, state))
  }

  private func isOfType(_ event: StoredEvent) -> Bool {
    filter.types.contains(event.type) || filter.types.contains("\(event.kind).*")
  }

  private func isOverseen(
    _ event: StoredEvent, _ facts: EventFacts, _ state: InMemoryStore.State
  ) -> Bool {
    event.userID == overseerID
      || facts.courseID.flatMap { state.courses[$0] }.map { $0.userID == overseerID } ?? false
  }
}
