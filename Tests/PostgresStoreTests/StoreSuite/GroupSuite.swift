import Domain
import SeededRandom
import Testing

/// Consumer groups: what each store has to do, and that both do the same in any history.
@Suite struct GroupSuite {
  /// A store with a log of so many events and a group.
  struct World: Sendable {
    let store: any TestedStore
    let user: User
    let group: ConsumerGroup
    let epoch: UInt32

    func exchange(_ change: (inout GroupExchange) -> Void) async throws -> GroupExchanged {
      var exchange = GroupExchange()
      change(&exchange)
      return try #require(try await store.groups.exchange(exchange, in: group.id))
    }

    /// Joins and returns the session.
    func join(
      _ name: String, instance: String = "", session: EntityID? = nil
    ) async throws -> (session: EntityID, outcome: JoinOutcome) {
      let session = session ?? store.ids.next(at: StoreFixture.start)
      let join = GroupJoin(
        groupID: group.id, name: name, instance: instance, userID: user.id, serverID: "s",
        sessionID: session)
      return (session, try await store.groups.join(join))
    }

    func reading(
      _ entries: [GroupEntry], after: Int64, through: Int64
    ) -> GroupReading {
      GroupReading(after: after, through: through, entries: entries, epoch: epoch)
    }

    var status: GroupStatus {
      get async throws { try #require(try await store.groups.group(named: group.name)) }
    }
  }

  static func limits(
    attemptMax: Int32 = 3, parkedMax: Int32 = 10_000
  ) -> GroupLimits {
    var limits = GroupLimits()
    limits.attemptMax = attemptMax
    limits.ackTimeout = .seconds(1000)
    limits.retryDelay = .seconds(100)
    limits.retryDelayMax = .seconds(400)
    limits.parkedMax = parkedMax
    return limits
  }

  static func world(
    _ store: any TestedStore, _ strategy: GroupStrategy, limits: GroupLimits = limits(),
    id: EntityID? = nil
  ) async throws -> World {
    let user = try await store.addUser("Servicio", role: .service)
    // A log of a hundred positions.
    for _ in 0..<20 { _ = try await store.addGoal(owner: user, taskCount: 4) }
    _ = try await store.sequenceAll()
    let history = try await store.log.history()
    let group = ConsumerGroup(
      id: id ?? store.ids.next(at: StoreFixture.start), name: "g", userID: user.id,
      filter: EventFilter(), strategy: strategy, from: nil, limits: limits, readPosition: 0,
      createdAt: StoreFixture.start)
    let outcome = try await store.writes.commit(
      Write(changes: [.insertGroup(group)], events: [], reply: nil))
    guard outcome == .committed else { throw FixtureError(outcome) }
    return World(store: store, user: user, group: group, epoch: history.current.id)
  }

  static func entries(
    _ positions: ClosedRange<Int64>, pins: Int64? = nil
  ) -> [GroupEntry] {
    positions.map {
      GroupEntry(
        position: $0, eventID: EntityID(high: 7, low: UInt64($0)),
        pin: pin($0, pins))
    }
  }

  private static func pin(_ position: Int64, _ pins: Int64?) -> EntityID? {
    pins.map { EntityID(high: 9, low: UInt64(position % $0)) }
  }

  @Test(arguments: StoreKind.allCases)
  func aGroupReadsBackAsItWasMade(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let user = try await store.addUser("Servicio", role: .service)
      var filter = EventFilter()
      filter.userIDs = [user.id]
      filter.types = ["goal.*", "task.created"]
      var group = ConsumerGroup(
        id: store.ids.next(at: StoreFixture.start), name: "a-1_b", userID: user.id,
        filter: filter, strategy: .pinned, from: StoreFixture.start, limits: Self.limits(),
        readPosition: 0, createdAt: StoreFixture.start)
      func commit(_ change: Change) async throws -> CommitOutcome {
        try await store.writes.commit(Write(changes: [change], events: [], reply: nil))
      }
      #expect(try await commit(.insertGroup(group)) == .committed)
      #expect(try await store.groups.group(named: "a-1_b")?.group == group)
      #expect(try await store.groups.group(named: "a") == nil)
      var second = group
      second.id = store.ids.next(at: StoreFixture.start)
      await #expect(throws: StoreError.duplicate(constraint: "consumer_groups_name_key")) {
        _ = try await commit(.insertGroup(second))
      }
      group.limits.attemptMax = 9
      group.version = 2
      #expect(try await commit(.updateGroup(group)) == .committed)
      #expect(try await commit(.updateGroup(group)) == .stale)
      #expect(try await store.groups.groups(after: "", limit: 9, of: nil).map(\.group) == [group])
      #expect(try await store.groups.groups(after: "", limit: 9, of: group.id).isEmpty)
      #expect(try await store.groups.groups(after: "a-1_b", limit: 9, of: nil).isEmpty)
      #expect(try await commit(.deleteGroup(group.id)) == .committed)
      #expect(try await commit(.deleteGroup(group.id)) == .stale)
      #expect(try await store.groups.exchange(GroupExchange(), in: group.id) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aNameIsOneConsumersUntilItsLeaseIsOver(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let world = try await Self.world(store, .pinned)
      let (first, outcome) = try await world.join("w", instance: "a")
      #expect(outcome == .joined)
      #expect(try await world.join("w", instance: "b").outcome == .nameTaken)
      #expect(try await world.join("w").outcome == .nameTaken)
      _ = try await world.exchange {
        $0.reading = world.reading(Self.entries(1...3), after: 0, through: 50)
        $0.rooms = [first, first]
      }
      // Its own process comes again, and what it held waits for whoever is next.
      let (again, same) = try await world.join("w", instance: "a")
      #expect(same == .joined)
      #expect(try await world.status.heldCount == 0)
      #expect(try await store.groups.renew([first, again]) == [again])
      let taken = try await world.exchange { $0.rooms = [again, first] }
      #expect(taken.deliveries.map(\.sessionID) == [again] && taken.deliveries[0].attempt == 2)
      try await store.letTimePass(.seconds(20))
      #expect(try await world.exchange { $0.rooms = [again] }.deliveries.isEmpty)
      #expect(try await world.join("w", instance: "b").outcome == .joined)
      let nowhere = GroupJoin(
        groupID: world.user.id, name: "w", instance: "", userID: world.user.id, serverID: "s",
        sessionID: first)
      #expect(try await store.groups.join(nowhere) == .noGroup)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func whatWasReadTwiceOrOfAnotherLogCountsForNothing(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let world = try await Self.world(store, .roundRobin)
      let head = try await store.log.head()
      var reading = world.reading(Self.entries(1...2), after: 0, through: 10)
      reading.epoch &+= 1
      _ = try await world.exchange { $0.reading = reading }
      _ = try await world.exchange {
        $0.reading = world.reading(Self.entries(1...2), after: 0, through: head + 1)
      }
      #expect(try await world.status.group.readPosition == 0)
      for _ in 0..<2 {
        let result = try await world.exchange {
          $0.reading = world.reading(Self.entries(1...2), after: 0, through: 10)
        }
        #expect(result.outstandingCount == 2 && result.group.readPosition == 10)
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aGroupWithTooMuchParkedHandsOutNothing(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let world = try await Self.world(
        store, .roundRobin, limits: Self.limits(attemptMax: 1, parkedMax: 10))
      let (session, _) = try await world.join("w")
      let all = try await world.exchange {
        $0.reading = world.reading(Self.entries(1...30), after: 0, through: 50)
        $0.rooms = [EntityID](repeating: session, count: 10)
      }
      let parked = try await world.exchange { exchange in
        exchange.settlements = all.deliveries.map {
          Settlement(
            position: $0.position, sessionID: session, attempt: 1, action: .park, reason: "odd")
        }
        exchange.rooms = [session]
      }
      #expect(parked.parkedCount == 10 && parked.deliveries.isEmpty)
      #expect(parked.settled == [Bool](repeating: true, count: 10))
      let found = try await store.groups.parked(in: world.group.id, after: 4, limit: 3)
      #expect(found.map(\.position) == [5, 6, 7] && found[0].reason == "odd")
      let ids = [found[0].eventID]
      let positions = try await store.groups.parkedPositions(in: world.group.id, events: ids)
      #expect(positions == [5])
      let replay = Change.unpark(world.group.id, positions: positions, isReplay: true)
      func commit(_ change: Change) async throws -> CommitOutcome {
        try await store.writes.commit(Write(changes: [change], events: [], reply: nil))
      }
      #expect(try await commit(replay) == .committed)
      #expect(try await commit(replay) == .stale)
      let next = try await world.exchange { $0.rooms = [session] }
      #expect(next.deliveries.map(\.position) == [5] && next.deliveries[0].attempt == 1)
      let skip = Change.unpark(world.group.id, positions: [6, 7], isReplay: false)
      #expect(try await commit(skip) == .committed)
      #expect(try await world.status.parkedCount == 7)
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func historiesAreTheSameAsThoseOfTheModel(_ seed: UInt64) async throws {
    try await StoreFixture.run(connectionCount: 8) { store in
      let strategy: GroupStrategy = seed % 2 == 0 ? .pinned : .roundRobin
      let id = store.ids.next(at: StoreFixture.start)
      let real = try await Self.world(store, strategy, id: id)
      let model = try await Self.world(MemoryFixture(), strategy, id: id)
      var history = GroupHistory(seed: seed, isPinned: strategy == .pinned)
      for _ in 0..<120 {
        try await history.step(real, model)
        let (one, other) = (try await real.status, try await model.status)
        #expect(one.waitingCount == other.waitingCount && one.heldCount == other.heldCount)
        #expect(one.parkedCount == other.parkedCount)
        #expect(one.firstUnsettled == other.firstUnsettled)
        #expect(one.group.readPosition == other.group.readPosition)
      }
    }
  }
}

/// Random steps, the same on PostgreSQL and on the model.
struct GroupHistory {
  private var random: SeededGenerator
  private let pins: Int64?
  private var sessions: [EntityID] = []
  private var held: [GroupDelivery] = []
  private var readPosition: Int64 = 0
  private let ids = UUIDv7Generator()

  init(seed: UInt64, isPinned: Bool) {
    random = SeededGenerator(state: seed)
    pins = isPinned ? 4 : nil
  }

  mutating func step(_ real: GroupSuite.World, _ model: GroupSuite.World) async throws {
    let both = [real, model]
    for world in both { _ = try await world.store.groups.renew(sessions) }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: try await join(both)
    case 1: try await leave(both)
    case 2:
      let seconds = [150, 300, 1200].randomElement(using: &random) ?? 150
      for world in both { try await world.store.letTimePass(.seconds(seconds)) }
    case 3: try await unpark(both)
    default: try await exchange(real, model)
    }
  }

  private mutating func join(_ worlds: [GroupSuite.World]) async throws {
    let name = "w\(Int.random(in: 0..<4, using: &random))"
    let instance = ["", "a", "b"].randomElement(using: &random) ?? ""
    let session = ids.next(at: StoreFixture.start)
    var outcomes: [JoinOutcome] = []
    for world in worlds {
      outcomes.append(
        try await world.join(name, instance: instance, session: session).outcome)
    }
    #expect(outcomes[0] == outcomes[1])
    if outcomes[0] == .joined { sessions.append(session) }
  }

  private mutating func leave(_ worlds: [GroupSuite.World]) async throws {
    guard let session = sessions.randomElement(using: &random) else { return }
    let own = held.filter { $0.sessionID == session }.map(\.position)
    let unsent = Array(own.prefix(Int.random(in: 0...2, using: &random)))
    let isOrderly = Bool.random(using: &random)
    for world in worlds {
      try await world.store.groups.leave(
        GroupLeave(
          groupID: world.group.id, sessionID: session, unsent: unsent, isOrderly: isOrderly))
    }
  }

  private mutating func unpark(_ worlds: [GroupSuite.World]) async throws {
    let positions = try await worlds[1].store.groups.parkedPositions(
      in: worlds[1].group.id, events: nil)
    let some = positions.filter { _ in Bool.random(using: &random) }
    guard !some.isEmpty else { return }
    let isReplay = Int.random(in: 0..<3, using: &random) > 0
    for world in worlds {
      let write = Write(
        changes: [.unpark(world.group.id, positions: some, isReplay: isReplay)], events: [],
        reply: nil)
      #expect(try await world.store.writes.commit(write) == .committed)
    }
  }

  private mutating func exchange(
    _ real: GroupSuite.World, _ model: GroupSuite.World
  ) async throws {
    var exchange = GroupExchange()
    let settled = held.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
    exchange.settlements = settled.map { delivery in
      let actions: [SettleAction] = [
        .done, .done, .retry(after: nil), .retry(after: .seconds(100)), .park, .extend,
      ]
      return Settlement(
        position: delivery.position, sessionID: delivery.sessionID, attempt: delivery.attempt,
        action: actions.randomElement(using: &random) ?? .done, reason: "r")
    }
    let through = min(readPosition + Int64.random(in: 1...12, using: &random), 100)
    if Bool.random(using: &random), through > readPosition {
      let entries = GroupSuite.entries(readPosition + 1...through, pins: pins)
      exchange.reading = real.reading(entries, after: readPosition, through: through)
    }
    exchange.rooms = (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in
      sessions.randomElement(using: &random)
    }
    var other = exchange
    other.reading?.epoch = model.epoch
    let one = try #require(try await real.store.groups.exchange(exchange, in: real.group.id))
    let two = try #require(try await model.store.groups.exchange(other, in: model.group.id))
    #expect(one.settled == two.settled)
    #expect(one.deliveries.map(Self.facts) == two.deliveries.map(Self.facts))
    #expect(one.outstandingCount == two.outstandingCount && one.parkedCount == two.parkedCount)
    #expect((one.nextDue == nil) == (two.nextDue == nil))
    readPosition = one.group.readPosition
    // One of each position, or a replayed event's first attempt would stand for another one.
    let taken = Set(one.deliveries.map(\.position))
    held = Array((held.filter { !taken.contains($0.position) } + one.deliveries).suffix(40))
  }

  private static func facts(_ delivery: GroupDelivery) -> [String] {
    ["\(delivery.position)", "\(delivery.attempt)", "\(delivery.sessionID)"]
  }
}
