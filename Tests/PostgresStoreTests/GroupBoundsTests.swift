import Domain
import Testing

@testable import PostgresStore

/// Groups at their bounds.
@Suite struct GroupBoundsTests {
  private static let parkedCount: Int64 = 10_000

  @Test func tenThousandParkedEventsAreListedReplayedAndSkipped() async throws {
    try await StoreFixture.run { store in
      let world = try await GroupSuite.world(store, .pinned)
      try await store.script().run(
        """
        INSERT INTO group_entries (group_id, position, event_id, pin, state, attempt, due_at)
        SELECT '\(world.group.id)', n, gen_random_uuid(), gen_random_uuid(), 'parked', 3, now()
        FROM generate_series(1, \(Self.parkedCount)) n
        """)
      let (session, _) = try await world.join("w")
      // It stands still: there is no room for one more.
      let still = try await world.exchange {
        $0.reading = world.reading(GroupSuite.entries(20_001...20_001), after: 0, through: 50)
        $0.rooms = [session]
      }
      #expect(still.parkedCount == 10_000 && still.deliveries.isEmpty)
      let page = try await store.groups.parked(in: world.group.id, after: 9_000, limit: 200)
      #expect(page.map(\.position) == Array(9_001...9_200))
      let all = try await store.groups.parkedPositions(in: world.group.id, events: nil)
      #expect(all.count == 10_000)
      func commit(_ positions: [Int64], isReplay: Bool) async throws -> CommitOutcome {
        try await store.writes.commit(
          Write(
            changes: [.unpark(world.group.id, positions: positions, isReplay: isReplay)],
            events: [], reply: nil))
      }
      #expect(try await commit(Array(all.prefix(5_000)), isReplay: true) == .committed)
      #expect(try await commit(Array(all.suffix(5_000)), isReplay: false) == .committed)
      let taken = try await world.exchange {
        $0.rooms = [EntityID](repeating: session, count: 1000)
      }
      #expect(taken.deliveries.map(\.position) == Array(1...1000))
      #expect(taken.outstandingCount == 5_001 && taken.parkedCount == 0)
    }
  }

  @Test func noTwoEventsOfAnEntityAreHeldWhateverTheStatementsDo() async throws {
    try await StoreFixture.run { store in
      let world = try await GroupSuite.world(store, .pinned)
      let (session, _) = try await world.join("w")
      _ = try await world.exchange {
        $0.reading = world.reading(GroupSuite.entries(1...8, pins: 1), after: 0, through: 50)
        $0.rooms = [session]
      }
      let script = try await store.script()
      await #expect(throws: (any Error).self) {
        try await script.run(
          """
          UPDATE group_entries SET state = 'held', session_id = '\(session)' WHERE position = 2
          """)
      }
      #expect(try await world.status.heldCount == 1)
    }
  }

  @Test func aThousandGroupsAreListedInPages() async throws {
    try await StoreFixture.run { store in
      let world = try await GroupSuite.world(store, .roundRobin)
      try await store.script().run(
        """
        INSERT INTO consumer_groups
        SELECT gen_random_uuid(), 'many-' || lpad(n::text, 4, '0'), '\(world.user.id)', g.filter,
          g.strategy, g.from_time, g.attempt_max, g.ack_timeout, g.retry_delay, g.retry_delay_max,
          g.outstanding_max, g.parked_max, 0, 1, now()
        FROM consumer_groups g, generate_series(1, 1000) n WHERE g.name = 'g'
        """)
      #expect(try await store.groups.groupCount() == 1001)
      var (names, after): ([String], String) = ([], "")
      while true {
        let page = try await store.groups.groups(after: after, limit: 200, of: world.user.id)
        guard let last = page.last else { break }
        names += page.map(\.group.name)
        after = last.group.name
      }
      #expect(names.count == 1001 && names == names.sorted())
    }
  }
}
