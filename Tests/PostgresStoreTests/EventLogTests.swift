import Domain
import Testing

@testable import PostgresStore

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
      // A session that ignores the lock has an event, and gives it a position meanwhile.
      try await script.run(
        """
        BEGIN; INSERT INTO event_positions (position, seq, event_type, created_at)
          VALUES (1000, 2, 'user.created', now())
        """)
      let batch = Task { try await store.sequencer.sequence(limit: 10) }
      try await store.untilAnotherSessionWaitsForALock()
      try await script.run("COMMIT")
      await #expect(throws: StoreError.self) { try await batch.value }
      #expect(try await script.run("SELECT seq FROM event_positions") == [["2"]])
    }
  }

  /// Whatever waits, whatever the statistics say, and however old a snapshot is held.
  @Test func aBatchCostsWhatItTakesAndNotWhatWaits() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let holder = try await store.script()
      try await script.run("ALTER TABLE events SET (autovacuum_enabled = false); ANALYZE events")
      // A dump, and a writer that does nothing more, however long the rest takes.
      try await holder.run("SET idle_in_transaction_session_timeout = 0")
      try await holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()")
      // The plan holds for the sequencer's own session.
      let setting = Statement("test.seqscan", "SELECT current_setting('enable_seqscan')")
      let found: String? = try await store.database.rows(
        setting(), as: .nobody, on: .sequencer
      ).first?.value(0)
      #expect(found == "off")
      // Holes: numbers of who may still commit, and of who did not.
      try await holder.run(RawEvent.many(3))
      try await script.run(RawEvent.many(1))
      try await script.run("BEGIN; \(RawEvent.many(500)); ROLLBACK")
      try await script.run(RawEvent.many(999))
      let few = try await store.pagesOfOneBatch(script)
      #expect(try await store.sequencer.sequence(limit: 1000)?.count == 1000)
      for _ in 0..<10 { try await script.run(RawEvent.many(20_000)) }
      let many = try await store.pagesOfOneBatch(script)
      #expect(many <= 2 * few, "\(many) pages with 200,000 waiting, \(few) with 1,000")
      let sequencer = store.sequencer
      var positions = 1000
      while let count = try await sequencer.sequence(limit: 10_000)?.count, count > 0 {
        positions += count
      }
      #expect(positions == 201_000)
      // One that comes alone is found by its number, and not by looking through all that has positions.
      try await script.run(RawEvent.many(1))
      let one = try await store.pagesOfOneBatch(script)
      #expect(one < 200, "\(one) pages for one event")
      #expect(try await sequencer.sequence(limit: 1000)?.count == 1)
      // Nothing waits, and to say so takes no look at what came since the open hole.
      #expect(try await store.log.newestUnsequenced() == nil)
      #expect(try await store.log.end(unsequencedMax: 10)?.unsequenced == [])
      for (statement, arguments) in [
        (EventStatements.newestUnsequenced as any StatementSource, ""), (EventStatements.end, "11"),
        (SequencerStatements.mark, ""),
      ] {
        let (pages, plan) = try await script.pages(of: statement, arguments)
        #expect(pages < 4000, "\(statement.statement.name)\n\(plan)")
      }
      try await holder.run("COMMIT")
      #expect(try await store.log.newestUnsequenced() != nil)
      #expect(try await store.log.end(unsequencedMax: 10)?.unsequenced == [1...3])
      // Another leader begins with what was written down.
      let successor = store.sequencer
      #expect(try await successor.sequence(limit: 10)?.map(\.seq) == [1, 2, 3])
      #expect(
        try await script.run(
          "SELECT count(*), max(position), count(DISTINCT seq) FROM event_positions")
          == [["201004", "201004", "201004"]])
    }
  }

  /// A learner's texts can be long: a batch ends at so many bytes, and the next takes the rest.
  @Test func aBatchOfLongTextsIsCutAndLosesNothing() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      try await script.run("ALTER TABLE events ALTER COLUMN payload SET STORAGE EXTERNAL")
      try await script.run(
        RawEvent.many(200, payload: "jsonb_build_object('t', repeat('x', 90000))"))
      let sequencer = store.sequencer
      var counts: [Int] = []
      while let count = try await sequencer.sequence(limit: 1000)?.count, count > 0 {
        counts.append(count)
      }
      #expect(counts.count == 3 && counts.reduce(0, +) == 200, "\(counts)")
      #expect(try await store.log.head() == 200)
    }
  }

  @Test func aSequenceThatLosesEventsIsNotLed() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      _ = try await store.addUser()
      for (wrong, right) in [
        ("ALTER SEQUENCE events_seq_seq CACHE 20", "ALTER SEQUENCE events_seq_seq CACHE 1"),
        ("SELECT setval('events_seq_seq', 1, false)", "SELECT setval('events_seq_seq', 1)"),
      ] {
        try await script.run(wrong)
        await #expect(throws: StoreError.self) { try await store.sequencer.sequence(limit: 10) }
        try await script.run(right)
      }
      #expect(try await store.sequencer.sequence(limit: 10)?.count == 1)
    }
  }

  @Test func whatAPayloadSaysIsNoReasonToStop() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let payload = """
        jsonb_build_object('goal_id', (ARRAY['"x"', '7', 'null', '"00000000-0000-7000-8000-00000000000A"',
          '{"a": 1}'])[i]::jsonb, 'course_id', repeat('9', 100))
        """
      try await script.run(RawEvent.many(5, payload: payload))
      #expect(try await store.sequencer.sequence(limit: 10)?.count == 5)
      #expect(
        try await script.run(
          "SELECT goal_id, course_id FROM event_positions WHERE goal_id IS NOT NULL")
          == [["00000000-0000-7000-8000-00000000000a", nil]])
    }
  }

  @Test func nobodyChoosesANumberOfTheLog() async throws {
    try await StoreFixture.run { store in
      let session = try await ScriptSession(
        ConnectionSettings(conninfo: store.connection.conninfo(role: .application)))
      let id = store.ids.next(at: StoreFixture.start)
      let insert = RawEvent(id: id, entity: id, version: 1).insert
      try await session.run("SET hito.scope = 'system'")
      let error = await #expect(throws: ServerError.self) {
        try await session.run(
          insert.split(separator: "(id,").joined(separator: "(seq, id,")
            .split(separator: "VALUES (").joined(separator: "VALUES (99, "))
      }
      #expect(error?.sqlState == "42501")
      try await session.run(insert)
      // Its transaction had an id before the number was taken.
      let script = try await store.script()
      #expect(
        try await script.run(
          """
          SELECT pg_get_expr(adbin, adrelid) LIKE '%WHEN (pg_current_xact_id() IS NOT NULL) THEN nextval(%'
          FROM pg_attrdef WHERE adrelid = 'events'::regclass
          """) == [["t"]])
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
        INSERT INTO event_positions (position, seq, event_type, created_at)
        SELECT i, i, 'goal.created',
          timestamptz 'epoch' + \(origin.microsecondsSinceEpoch) * interval '1 microsecond'
            + (CASE WHEN i % 10 = 0 THEN i - 8 ELSE i END) * interval '1 second'
        FROM generate_series(1, 1000) i
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

  /// So many events of as many entities; `i` counts them from 1.
  static func many(_ count: Int, payload: String = "'{}'") -> String {
    """
    INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload, metadata,
      schema_version, created_at)
    SELECT gen_random_uuid(), 'task.updated', 'task', gen_random_uuid(), 1, gen_random_uuid(),
      \(payload), '{}', 1, now() FROM generate_series(1, \(count)) i
    """
  }

  var insert: String {
    """
    INSERT INTO events (id, event_type, entity_type, entity_id, version, payload, metadata,
      schema_version, created_at)
    VALUES ('\(id)', 'course.updated', 'course', '\(entity)', \(version), '{}', '{}', 1, now())
    """
  }
}

extension StoreFixture {
  /// How many pages one batch of 1,000 reads and writes, of all that waits above what has positions.
  func pagesOfOneBatch(_ script: ScriptSession) async throws -> Int {
    let place = SequencerStatements.place.statement
    let types = place.parameters.map(\.sqlName).joined(separator: ", ")
    let head =
      try await script.run("SELECT coalesce(max(seq), 0) FROM event_positions")[0][0] ?? "0"
    let holes = try await script.run(
      """
      SELECT coalesce(array_agg(low) FILTER (WHERE low = high), '{}'),
        coalesce(array_agg(low) FILTER (WHERE low < high), '{}'),
        coalesce(array_agg(high) FILTER (WHERE low < high), '{}')
      FROM (SELECT seq + 1 AS low, lead(seq) OVER (ORDER BY seq) - 1 AS high
        FROM (SELECT 0 AS seq UNION ALL SELECT seq FROM event_positions) p) g WHERE low <= high
      """)[0].map { "'\($0 ?? "{}")'" }.joined(separator: ", ")
    let plan = try await script.run(
      """
      \(PostgresDatabase.sequencerSession); SET hito.sequencer = 'test';
      DEALLOCATE ALL; PREPARE place (\(types)) AS \(place.text);
      BEGIN;
      EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
        EXECUTE place ('test', \(holes), \(head), 1000, 8000000)
      """)
    try await script.run("ROLLBACK")
    // The first of each name is the whole statement's.
    return ["Hit", "Read"].map { name in
      plan[0][0]?.firstMatch(of: try! Regex("\"Shared \(name) Blocks\": ([0-9]+)"))
        .flatMap { $0[1].substring }.flatMap { Int($0) } ?? 0
    }.reduce(0, +)
  }
}
