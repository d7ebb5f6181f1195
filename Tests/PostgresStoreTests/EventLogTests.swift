import Domain
import PostgresStore
import Testing

/// The log: order, sequencing, taking over, waking.
@Suite struct EventLogTests {
  @Test func anInsertThatIsHeldOpenIsNeverSkipped() async throws {
    try await StoreFixture.run { store in
      let owner = try await store.addUser()
      let script = try await store.script()
      let held = store.ids.next(at: StoreFixture.start)
      // It takes its number in the sequence first, and commits last.
      try await script.run("BEGIN; \(RawEvent(id: held, entity: held, version: 1).insert)")
      let goal = try await store.addGoal(owner: owner)
      let early = try await store.sequenceAll()
      #expect(early.map(\.position) == [1, 2, 3, 4, 5])
      #expect(early.contains { $0.entityID == goal.goal.id })
      #expect(try await store.log.position(of: held) == nil)
      try await script.run("COMMIT")
      let late = try await store.sequenceAll()
      #expect(late.map(\.id) == [held])
      #expect(late[0].position == 6)
      #expect(late[0].seq < early[1].seq)
      #expect(try await store.log.position(of: held) == 6)
      #expect(try await store.log.events(after: 5, limit: 10).map(\.id) == [held])
    }
  }

  @Test func whatIsCommittedAfterTheEndWasAskedForIsNotPartOfIt() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let held = store.ids.next(at: StoreFixture.start)
      try await script.run("BEGIN; \(RawEvent(id: held, entity: held, version: 1).insert)")
      _ = try await store.addUser()
      let end = try #require(try await store.log.end(unsequencedMax: 10))
      try await script.run("COMMIT")
      // Its number is smaller than that of the user's event, and it is later.
      let events = try await store.sequenceAll()
      #expect(events.map(\.id).first == held && events.count == 2)
      #expect(events.map { end.isUnsequenced($0.seq) } == [false, true])
    }
  }

  @Test func anInsertThatIsRolledBackLeavesNoHole() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let id = store.ids.next(at: StoreFixture.start)
      try await script.run("BEGIN; \(RawEvent(id: id, entity: id, version: 1).insert); ROLLBACK")
      _ = try await store.addUser()
      #expect(try await store.sequenceAll().map(\.position) == [1])
    }
  }

  @Test func oneServerSequencesAndAnotherTakesOver() async throws {
    try await StoreFixture.run { first in
      _ = try await first.addUser()
      #expect(try await first.sequencer.sequence(limit: 10)?.count == 1)
      try await StoreFixture.serve(first.connection) { database in
        let second = PostgresEventSequencer(database)
        #expect(try await second.sequence(limit: 10) == nil)
        try await TestAdministrator.terminateSessions(
          of: first.connection, named: "hito sequencer")
        _ = try await first.addUser("Bob")
        // Both sessions were ended; whichever is back first leads, and only one does.
        var sequenced: [StoredEvent] = []
        var leader = 0
        try await eventually {
          for (number, sequencer) in [(2, second), (1, first.sequencer)] {
            if let events = try? await sequencer.sequence(limit: 10), sequenced.isEmpty {
              sequenced = events
              leader = number
            }
          }
          return !sequenced.isEmpty
        }
        #expect(sequenced.map(\.position) == [2])
        let follower = leader == 1 ? second : first.sequencer
        #expect(try await follower.sequence(limit: 10) == nil)
      }
    }
  }

  @Test func aTornBatchGivesNoPositions() async throws {
    try await StoreFixture.run { store in
      let owner = try await store.addUser()
      _ = try await store.addGoal(owner: owner)
      let script = try await store.script()
      // A session that ignores the lock has a row, and gives it a position meanwhile.
      try await script.run("BEGIN; UPDATE events SET position = 1000 WHERE seq = 2")
      let batch = Task { try await store.sequencer.sequence(limit: 10) }
      try await store.untilAnotherSessionWaitsForALock()
      try await script.run("COMMIT")
      await #expect(throws: StoreError.self) { try await batch.value }
      #expect(try await store.log.head() == 0)
      #expect(try await script.run("SELECT count(position) FROM events") == [["1"]])
    }
  }

  @Test func aTimeLeadsToThePositionBeforeWhatCameLater() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let origin = StoreFixture.start
      #expect(try await store.log.position(at: origin) == 0)
      // Every tenth event was committed eight places later than it was made.
      try await script.run(
        """
        INSERT INTO events (id, position, event_type, entity_type, entity_id, version, payload,
          metadata, schema_version, created_at)
        SELECT gen_random_uuid(), i, 'goal.created', 'goal', gen_random_uuid(), 1, '{}', '{}', 1,
          timestamptz 'epoch' + \(origin.microsecondsSinceEpoch) * interval '1 microsecond'
            + (CASE WHEN i % 10 = 0 THEN i - 8 ELSE i END) * interval '1 second'
        FROM generate_series(1, 1000) i;
        UPDATE event_position SET last = 1000
        """)
      func time(_ seconds: Int) -> Timestamp { origin.advanced(by: .seconds(seconds)) }
      #expect(try await store.log.position(at: time(0)) == 0)
      #expect(try await store.log.position(at: time(1)) == 1)
      // Event 3 is the first made after second 2, though event 10 was made at second 2 as well.
      #expect(try await store.log.position(at: time(2)) == 2)
      #expect(try await store.log.position(at: time(505)) == 505)
      #expect(try await store.log.position(at: time(511)) == 511)
      #expect(try await store.log.position(at: time(5000)) == 1000)
      #expect(try await store.log.position(at: Timestamp(microsecondsSinceEpoch: .min)) == 0)
    }
  }

  @Test func aNotifyWakesAnotherServer() async throws {
    try await StoreFixture.run { first in
      try await StoreFixture.serve(first.connection) { database in
        var wakeups = database.wakeups.makeAsyncIterator()
        // The first comes with the connection: from here on nothing is missed.
        _ = await wakeups.next()
        try await first.sequencer.notify()
        _ = await wakeups.next()
      }
    }
  }
}

/// An event as SQL, for transactions that tests hold open.
struct RawEvent {
  var id: EntityID
  var entity: EntityID
  var version: Int

  var insert: String {
    """
    INSERT INTO events (id, event_type, entity_type, entity_id, version, payload, metadata,
      schema_version, created_at)
    VALUES ('\(id)', 'course.updated', 'course', '\(entity)', \(version), '{}', '{}', 1, now())
    """
  }
}
