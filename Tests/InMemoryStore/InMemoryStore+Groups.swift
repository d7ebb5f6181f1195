package import Domain

/// A consumer group as plain values: what the store suite holds PostgreSQL to.
struct HeldGroup: Sendable {
  enum Place: Sendable, Hashable {
    case waiting(from: Timestamp)
    case held(by: EntityID, until: Timestamp)
    case parked(since: Timestamp, reason: String)
  }

  struct Entry: Sendable {
    var entry: GroupEntry
    var attempt: Int32 = 0
    var place: Place
  }

  struct Consumer: Sendable {
    var join: GroupJoin
    var connectedAt: Timestamp
    var leaseEnd: Timestamp
  }

  var group: ConsumerGroup
  var entries: [Int64: Entry] = [:]
  var consumers: [String: Consumer] = [:]

  var positions: [Int64] { entries.keys.sorted() }

  func positions(where isWanted: (Entry) -> Bool) -> [Int64] {
    positions.filter { entries[$0].map(isWanted) ?? false }
  }

  var parked: [Int64] { positions { $0.isParked } }
  var outstanding: [Int64] { positions { !$0.isParked } }

  mutating func put(_ position: Int64, _ place: Place) { entries[position]?.place = place }

  mutating func settle(_ settlement: Settlement, at now: Timestamp) -> Bool {
    guard let entry = entries[settlement.position], entry.attempt == settlement.attempt,
      case .held(settlement.sessionID, _) = entry.place
    else { return false }
    let limits = group.limits
    switch settlement.action {
    case .done: entries[settlement.position] = nil
    case .extend:
      put(
        settlement.position,
        .held(by: settlement.sessionID, until: now.advanced(by: limits.ackTimeout)))
    case .retry(let delay) where entry.attempt < limits.attemptMax:
      let delay = delay ?? limits.delay(afterAttempt: entry.attempt)
      put(settlement.position, .waiting(from: now.advanced(by: delay)))
    case .retry, .park:
      put(settlement.position, .parked(since: now, reason: settlement.reason))
    }
    return true
  }

  mutating func expire(at now: Timestamp) {
    for (position, entry) in entries {
      guard case .held(_, let until) = entry.place, until <= now else { continue }
      put(
        position,
        entry.attempt < group.limits.attemptMax
          ? .waiting(from: now) : .parked(since: now, reason: "not settled in time"))
    }
  }

  mutating func take(_ rooms: [EntityID], at now: Timestamp) -> [GroupDelivery] {
    guard parked.count < group.limits.parkedMax else { return [] }
    let live = Set(consumers.values.filter { $0.leaseEnd > now }.map(\.join.sessionID))
    var deliveries: [GroupDelivery] = []
    // What is held when it begins, and what comes first of its pin.
    let heldPins = Set(entries.values.filter(\.isHeld).compactMap(\.entry.pin))
    var seenPins: Set<EntityID> = []
    var rooms = rooms.filter(live.contains)[...]
    for position in outstanding {
      guard let entry = entries[position], case .waiting(let from) = entry.place else { continue }
      if let pin = entry.entry.pin {
        guard seenPins.insert(pin).inserted, !heldPins.contains(pin) else { continue }
      }
      guard from <= now, let session = rooms.popFirst() else { continue }
      let until = now.advanced(by: group.limits.ackTimeout)
      entries[position]?.attempt += 1
      put(position, .held(by: session, until: until))
      deliveries.append(
        GroupDelivery(
          position: position, eventID: entry.entry.eventID, attempt: entry.attempt + 1,
          sessionID: session, until: until))
    }
    return deliveries
  }

  func nextDue(after now: Timestamp) -> Duration? {
    let times = entries.values.compactMap { entry -> Timestamp? in
      switch entry.place {
      case .waiting(let time), .held(_, let time): time > now ? time : nil
      case .parked: nil
      }
    }
    return times.min().map {
      .microseconds($0.microsecondsSinceEpoch - now.microsecondsSinceEpoch)
    }
  }

  func status(at now: Timestamp) -> GroupStatus {
    GroupStatus(
      group: group, firstUnsettled: outstanding.first,
      waitingCount: Int64(positions { $0.isWaiting }.count),
      heldCount: Int64(positions { $0.isHeld }.count), parkedCount: Int64(parked.count),
      consumerCount: Int64(consumers.values.count { $0.leaseEnd > now }))
  }
}

extension HeldGroup.Entry {
  var isParked: Bool { if case .parked = place { true } else { false } }
  var isHeld: Bool { if case .held = place { true } else { false } }
  var isWaiting: Bool { if case .waiting = place { true } else { false } }
}

extension InMemoryStore.State {
  /// - Returns: false where a row is not as it was read.
  mutating func applyToGroups(_ change: Change, at now: Timestamp) throws(StoreError) -> Bool {
    switch change {
    case .insertGroup(let group):
      guard users[group.userID] != nil else { return false }
      if groups.values.contains(where: { $0.group.name == group.name }) {
        throw .duplicate(constraint: "consumer_groups_name_key")
      }
      groups[group.id] = HeldGroup(group: group)
    case .updateGroup(let group):
      guard groups[group.id]?.group.version == group.version - 1 else { return false }
      groups[group.id]?.group.limits = group.limits
      groups[group.id]?.group.version = group.version
    case .deleteGroup(let id): return groups.removeValue(forKey: id) != nil
    case .unpark(let id, let positions, let isReplay):
      guard let held = groups[id],
        positions.allSatisfy({ held.entries[$0]?.isParked ?? false })
      else { return false }
      for position in positions {
        groups[id]?.entries[position]?.attempt = 0
        groups[id]?.put(position, .waiting(from: now))
        if !isReplay { groups[id]?.entries[position] = nil }
      }
    default: break
    }
    return true
  }
}

extension InMemoryStore: ConsumerGroupStore {
  package func group(named name: String) async throws(StoreError) -> GroupStatus? {
    let now = clock.now()
    return try access(.read) { state in
      state.groups.values.first { $0.group.name == name }?.status(at: now)
    }
  }

  package func groupCount() async throws(StoreError) -> Int {
    try access(.read) { $0.groups.count }
  }

  package func groups(
    after name: String, limit: Int, of userID: EntityID?
  ) async throws(StoreError) -> [GroupStatus] {
    let now = clock.now()
    return try access(.read) { state in
      state.groups.values
        .filter { $0.group.name > name && (userID == nil || $0.group.userID == userID) }
        .sorted { $0.group.name < $1.group.name }.prefix(limit).map { $0.status(at: now) }
    }
  }

  package func consumers(
    of groupID: EntityID
  ) async throws(StoreError) -> [GroupConsumerStatus] {
    let now = clock.now()
    return try access(.read) { state in
      guard let held = state.groups[groupID] else { return [] }
      return held.consumers.values.filter { $0.leaseEnd > now }
        .sorted { $0.join.name < $1.join.name }
        .map { consumer in
          let count = held.positions {
            if case .held(consumer.join.sessionID, _) = $0.place { true } else { false }
          }.count
          return GroupConsumerStatus(
            name: consumer.join.name, serverID: consumer.join.serverID,
            connectedAt: consumer.connectedAt, heldCount: Int64(count))
        }
    }
  }

  package func parked(
    in groupID: EntityID, after position: Int64, limit: Int
  ) async throws(StoreError) -> [ParkedEntry] {
    try access(.read) { state in
      guard let held = state.groups[groupID] else { return [] }
      return held.parked.filter { $0 > position }.prefix(limit).compactMap { position in
        guard let entry = held.entries[position],
          case .parked(let time, let reason) = entry.place
        else { return nil }
        return ParkedEntry(
          position: position, eventID: entry.entry.eventID, attempt: entry.attempt,
          reason: reason, parkedAt: time)
      }
    }
  }

  package func parkedPositions(
    in groupID: EntityID, events: [EntityID]?
  ) async throws(StoreError) -> [Int64] {
    try access(.read) { state in
      guard let held = state.groups[groupID] else { return [] }
      return held.parked.filter { position in
        guard let events, let entry = held.entries[position] else { return true }
        return events.contains(entry.entry.eventID)
      }
    }
  }

  package func join(_ join: GroupJoin) async throws(StoreError) -> JoinOutcome {
    let now = clock.now()
    return try access(.commit) { state in
      guard let held = state.groups[join.groupID] else { return .noGroup }
      let others = held.consumers.values.count { $0.leaseEnd > now && $0.join.name != join.name }
      guard others < ConsumerGroup.consumerMax else { return .tooManyConsumers }
      if let old = held.consumers[join.name] {
        let isOwn =
          !join.instance.isEmpty && old.join.instance == join.instance
          && old.join.userID == join.userID
        guard old.leaseEnd <= now || isOwn else { return .nameTaken }
        if isOwn {
          for (position, entry) in held.entries {
            guard case .held(old.join.sessionID, _) = entry.place else { continue }
            state.groups[join.groupID]?.put(position, .waiting(from: now))
          }
        }
      }
      state.groups[join.groupID]?.consumers[join.name] = HeldGroup.Consumer(
        join: join, connectedAt: now, leaseEnd: now.advanced(by: GroupJoin.lease))
      return .joined
    }
  }

  package func leave(_ leave: GroupLeave) async throws(StoreError) {
    let now = clock.now()
    try access(.commit) { state in
      guard let held = state.groups[leave.groupID] else { return }
      for (position, entry) in held.entries {
        guard case .held(leave.sessionID, _) = entry.place else { continue }
        let isUnsent = leave.unsent.contains(position)
        guard leave.isOrderly || entry.entry.pin == nil || isUnsent else { continue }
        state.groups[leave.groupID]?.put(position, .waiting(from: now))
        if isUnsent { state.groups[leave.groupID]?.entries[position]?.attempt -= 1 }
      }
      for (name, consumer) in held.consumers where consumer.join.sessionID == leave.sessionID {
        state.groups[leave.groupID]?.consumers[name]?.leaseEnd = now
      }
    }
  }

  package func renew(_ sessionIDs: [EntityID]) async throws(StoreError) -> Set<EntityID> {
    let end = clock.now().advanced(by: GroupJoin.lease)
    return try access(.commit) { state in
      var kept: Set<EntityID> = []
      for (id, held) in state.groups {
        for (name, consumer) in held.consumers
        where sessionIDs.contains(consumer.join.sessionID) {
          state.groups[id]?.consumers[name]?.leaseEnd = end
          kept.insert(consumer.join.sessionID)
        }
      }
      return kept
    }
  }

  package func exchange(
    _ exchange: GroupExchange, in groupID: EntityID
  ) async throws(StoreError) -> GroupExchanged? {
    let now = clock.now()
    return try access(.commit) { state in
      guard var held = state.groups[groupID] else { return nil }
      let settled = exchange.settlements.map { held.settle($0, at: now) }
      held.expire(at: now)
      if let reading = exchange.reading, reading.after == held.group.readPosition,
        reading.epoch == state.history.current.id,
        reading.through <= Int64(state.sequenced.count)
      {
        held.group.readPosition = reading.through
        for entry in reading.entries {
          held.entries[entry.position] = HeldGroup.Entry(entry: entry, place: .waiting(from: now))
        }
      }
      let deliveries = held.take(exchange.rooms, at: now)
      state.groups[groupID] = held
      return GroupExchanged(
        group: held.group, settled: settled, deliveries: deliveries,
        outstandingCount: held.outstanding.count, parkedCount: held.parked.count,
        nextDue: held.nextDue(after: now))
    }
  }
}

extension InMemoryStore: ExternalEventStore {
  package func records(
    of keys: [ExternalKey]
  ) async throws(StoreError) -> [ExternalRecord] {
    try access(.read) { state in keys.compactMap { state.externals[$0] } }
  }

  package func subjects(
    _ keys: [SubjectKey]
  ) async throws(StoreError) -> [ExternalSubject] {
    try access(.read) { state in
      keys.compactMap { key in
        state.subjects[key].map {
          ExternalSubject(
            key: key, entityID: $0.entityID, version: $0.version, loadedVersion: $0.version)
        }
      }
    }
  }
}
