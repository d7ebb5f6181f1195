package import Domain

/// Groups in PostgreSQL. Every change of what a group holds locks the group's row first, so that any number of
/// servers may serve its consumers; that two never hold events of one entity is also a unique index.
package struct PostgresConsumerGroupStore: ConsumerGroupStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func group(named name: String) async throws(StoreError) -> GroupStatus? {
    try await database.rows(GroupStatements.byName(name), as: .system(.groups)).first(Self.status)
  }

  package func groupCount() async throws(StoreError) -> Int {
    let count = try await database.rows(GroupStatements.count(), as: .system(.groups))
      .first?.value(0, as: Int64.self)
    return Int(count ?? 0)
  }

  package func groups(
    after name: String, limit: Int, of userID: EntityID?
  ) async throws(StoreError) -> [GroupStatus] {
    try await database.rows(
      GroupStatements.list(name, Int64(limit), userID), as: .system(.groups), on: .long
    ).map(Self.status)
  }

  package func consumers(
    of groupID: EntityID
  ) async throws(StoreError) -> [GroupConsumerStatus] {
    try await database.rows(GroupStatements.consumers(groupID), as: .system(.groups)).map {
      (row) throws(StoreError) in
      let (name, server, time, count): (String, String, Timestamp, Int64) = try row.values()
      return GroupConsumerStatus(
        name: name, serverID: server, connectedAt: time, heldCount: count)
    }
  }

  package func parked(
    in groupID: EntityID, after position: Int64, limit: Int
  ) async throws(StoreError) -> [ParkedEntry] {
    try await database.rows(
      GroupStatements.parked(groupID, position, Int64(limit)), as: .system(.groups)
    ).map { (row) throws(StoreError) in
      let (position, id, attempt, reason, time): (Int64, EntityID, Int32, String, Timestamp) =
        try row.values()
      return ParkedEntry(
        position: position, eventID: id, attempt: attempt, reason: reason, parkedAt: time)
    }
  }

  package func parkedPositions(
    in groupID: EntityID, events: [EntityID]?
  ) async throws(StoreError) -> [Int64] {
    try await database.rows(
      GroupStatements.parkedPositions(groupID, events), as: .system(.groups)
    ).map { (row) throws(StoreError) in try row.value(0) }
  }

  // MARK: Consumers

  package func join(_ join: GroupJoin) async throws(StoreError) -> JoinOutcome {
    let calls = [
      EventStatements.inOrderOfIndexes(), GroupStatements.lock(join.groupID),
      GroupStatements.forgetConsumers(join.groupID),
      GroupStatements.join(
        join.groupID, join.name, join.instance, join.userID, join.serverID, join.sessionID,
        GroupJoin.lease.wholeMicroseconds, Int64(ConsumerGroup.consumerMax)),
    ]
    let results = try await database.run(StatementUnit(writing: calls, for: .groups))
    guard let row = results.last?.first else { throw .corrupt("group.join gave no result") }
    let (isJoined, isFull, isThere): (Bool, Bool, Bool) = try row.values()
    guard isThere else { return .noGroup }
    return isJoined ? .joined : isFull ? .tooManyConsumers : .nameTaken
  }

  package func leave(_ leave: GroupLeave) async throws(StoreError) {
    let calls = [
      EventStatements.inOrderOfIndexes(), GroupStatements.lock(leave.groupID),
      GroupStatements.release(leave.groupID, leave.sessionID, leave.unsent, leave.isOrderly),
      GroupStatements.endLease(leave.groupID, leave.sessionID),
    ]
    _ = try await database.run(StatementUnit(writing: calls, for: .groups))
  }

  package func renew(_ sessionIDs: [EntityID]) async throws(StoreError) -> Set<EntityID> {
    let ids: [EntityID] = try await database.write(
      GroupStatements.renew(sessionIDs, GroupJoin.lease.wholeMicroseconds), for: .groups
    ).map { (row) throws(StoreError) in try row.value(0) }
    return Set(ids)
  }

  // MARK: Exchanges

  package func exchange(
    _ exchange: GroupExchange, in groupID: EntityID
  ) async throws(StoreError) -> GroupExchanged? {
    var calls = [EventStatements.inOrderOfIndexes(), GroupStatements.lock(groupID)]
    let settlements = exchange.settlements
    if !settlements.isEmpty {
      calls.append(
        GroupStatements.settle(
          groupID, settlements.indices.map(Int64.init), settlements.map(\.position),
          settlements.map(\.sessionID), settlements.map(\.attempt), settlements.map(\.action.name),
          settlements.map(\.action.delay?.wholeMicroseconds), settlements.map(\.reason)))
    }
    calls.append(GroupStatements.expire(groupID))
    if let reading = exchange.reading {
      let entries = reading.entries
      calls.append(
        GroupStatements.read(
          groupID, reading.after, reading.through, entries.map(\.position), entries.map(\.eventID),
          entries.map(\.pin), Int64(reading.epoch)))
    }
    if !exchange.rooms.isEmpty { calls.append(GroupStatements.take(groupID, exchange.rooms)) }
    calls.append(GroupStatements.outcome(groupID))
    let results = try await database.run(StatementUnit(writing: calls, for: .groups))
    guard let outcome = results.last?.first else { return nil }
    return try Self.exchanged(exchange, results, outcome)
  }

  private static func exchanged(
    _ exchange: GroupExchange, _ results: [ResultSet], _ outcome: Row
  ) throws(StoreError) -> GroupExchanged {
    var settled = [Bool](repeating: false, count: exchange.settlements.count)
    if !settled.isEmpty {
      for number in try results[2].map({ (row) throws(StoreError) -> Int64 in try row.value(0) })
      where settled.indices.contains(Int(number)) {
        settled[Int(number)] = true
      }
    }
    var deliveries: [GroupDelivery] = []
    if !exchange.rooms.isEmpty {
      deliveries = try results[results.count - 2].map { (row) throws(StoreError) in
        let (position, id, attempt, session, until): (Int64, EntityID, Int32, EntityID, Timestamp) =
          try row.values()
        return GroupDelivery(
          position: position, eventID: id, attempt: attempt, sessionID: session, until: until)
      }
    }
    let (outstanding, parked, due): (Int64, Int64, Int64?) = try outcome.values(
      from: ConsumerGroupRow.width)
    return GroupExchanged(
      group: try ConsumerGroupRow.read(outcome), settled: settled,
      deliveries: deliveries.sorted { $0.position < $1.position },
      outstandingCount: Int(outstanding), parkedCount: Int(parked),
      nextDue: due.map { .microseconds($0) })
  }

  private static func status(_ row: Row) throws(StoreError) -> GroupStatus {
    let (first, waiting, held, parked, consumers): (Int64?, Int64, Int64, Int64, Int64) =
      try row.values(from: ConsumerGroupRow.width)
    return GroupStatus(
      group: try ConsumerGroupRow.read(row), firstUnsettled: first, waitingCount: waiting,
      heldCount: held, parkedCount: parked, consumerCount: consumers)
  }
}

extension SettleAction {
  fileprivate var name: String {
    switch self {
    case .done: "done"
    case .retry: "retry"
    case .park: "park"
    case .extend: "extend"
    }
  }

  fileprivate var delay: Duration? { if case .retry(let delay) = self { delay } else { nil } }
}
