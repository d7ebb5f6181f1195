import Domain
import EventLake
import Foundation
import InMemoryStore
import Logging
import TestSupport
import Testing

@testable import PostgresStore

/// Events leave PostgreSQL for a real lake, and every reader finds them there.
@Suite struct EventFloorTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private static let day: Int64 = 86_400

  /// A database with a lake, and what joins them.
  private struct World {
    let store: StoreFixture
    let folder: String
    let lake: ParquetEventLake
    let stored: PostgresEventLog
    let log: PostgresEventLog
    let sink: LakeSink
    let retention: LakeRetention
    let script: ScriptSession

    static func run(
      lifetime: Int64 = 5 * day, _ body: @Sendable (World) async throws -> Void
    ) async throws {
      try await StoreFixture.run { store in
        let folder = FileManager.default.temporaryDirectory
          .appendingPathComponent("hito-floor-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lake = ParquetEventLake(directory: folder)
        try await lake.recover()
        let stored = PostgresEventLog(store.database)
        try await body(
          World(
            store: store, folder: folder, lake: lake, stored: stored,
            log: PostgresEventLog(store.database, archive: lake),
            sink: LakeSink(lake: lake, log: stored, logger: quiet),
            retention: LakeRetention(
              lake: lake, log: stored, removal: PostgresEventRemoval(store.database),
              lifetime: .seconds(lifetime), time: WallClock(), logger: quiet),
            script: try await store.script()))
        try await lake.close()
      }
    }

    /// Events of as many entities, `age` days old and later, `perDay` a day: tasks' of so many goals and
    /// users.
    func add(
      _ count: Int, age: Int = 40, perDay: Int = 20, users: Int = 7, goals: Int = 50
    ) async throws {
      try await script.run(
        """
        INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
          metadata, schema_version, created_at)
        SELECT (left(hito_id_at(n.moment)::text, 19) || substr(gen_random_uuid()::text, 20))::uuid,
          (ARRAY['task.updated', 'task.completed', 'goal.updated', 'code.submitted'])[1 + i % 4],
          'task', gen_random_uuid(), 1, md5('user' || i % \(users))::uuid,
          jsonb_build_object('goal_id', md5('goal' || i % \(goals))::uuid, 'n', i,
            'title', 'Añadir "tests" ✓', 'x', 1.50), '{"actor": {"kind": "test"}}', 1, n.moment
        FROM generate_series(1, \(count)) i
        CROSS JOIN LATERAL (SELECT now() - interval '\(age) days'
          + i * interval '1 day' / \(perDay) AS moment) n
        """)
      _ = try await store.sequenceAll()
      _ = try await sink.flush()
    }

    func all(of log: PostgresEventLog, limit: Int = 1000) async throws -> [StoredEvent] {
      var events: [StoredEvent] = []
      while true {
        let page = try await log.page(
          after: events.last?.position ?? 0, limit: limit, byteCountMax: 1 << 20)
        events += page.events
        if page.isEnd { return events }
      }
    }

    func count(_ query: String) async throws -> Int {
      try await script.run("SELECT count(*) FROM \(query)").first?.first.flatMap { $0 }
        .flatMap { Int($0) } ?? -1
    }
  }

  private static let everybody = AccessScope(
    callerID: EntityID(high: 1, low: 1), role: .service)

  private static func id(_ text: String, _ script: ScriptSession) async throws -> EntityID {
    try #require(
      try await script.run("SELECT md5('\(text)')::uuid").first?.first?.flatMap { EntityID($0) })
  }

  @Test func everyReaderFindsWhatHasLeft() async throws {
    try await World.run { world in
      try await world.add(1000, perDay: 25)
      let before = try await world.all(of: world.stored)
      #expect(before.count == 1000)
      // 35 days of 40, at 25 a day.
      let removed = try await world.retention.step()
      #expect((850...900).contains(removed))
      let floor = try await world.log.floor()
      #expect(floor.position == Int64(removed) && floor.eventID == before[removed - 1].id)
      #expect(floor.archiveID == world.lake.id)
      #expect(try await world.count("events") == 1000 - removed)
      #expect(try await world.count("event_positions") == 1000)
      // The log, page by page, whatever the pages; all of it equal, numbers too.
      for limit in [7, 100, 1000] {
        #expect(try await world.all(of: world.log, limit: limit) == before)
      }
      let small = try await world.log.page(after: 3, limit: 100, byteCountMax: 1)
      #expect(small.events == [before[3]] && !small.isEnd)
      // Parts of it.
      try await checkWindows(world, before)
      // Single events.
      for index in [0, removed - 1, removed, 999] {
        let event = before[index]
        #expect(try await world.log.position(of: event.id) == event.position)
        #expect(try await world.log.contains(event.id))
      }
      let unknown = EntityID(high: before[10].id.high, low: 5)
      #expect(try await world.log.position(of: unknown) == nil)
      #expect(try await !world.log.contains(unknown))
      #expect(try await world.log.position(at: before[99].createdAt) == 100)
      #expect(try await world.log.head() == 1000)
      #expect(try await world.store.embeddings.isEmbedded(event: before[0].id))
    }
  }

  private func checkWindows(_ world: World, _ before: [StoredEvent]) async throws {
    let user = try await Self.id("user3", world.script)
    let goal = try await Self.id("goal11", world.script)
    var filters: [EventFilter] = []
    for users in [[], [user]] as [[EntityID]] {
      for goals in [[], [goal]] as [[EntityID]] {
        for types in [[], ["task.*"], ["goal.updated"]] as [[String]] {
          var filter = EventFilter()
          (filter.userIDs, filter.goalIDs, filter.types) = (users, goals, types)
          filters.append(filter)
        }
      }
    }
    for filter in filters {
      let expected = before.filter { event in
        let facts = EventFacts(of: event)
        return (filter.userIDs.isEmpty || event.userID.map(filter.userIDs.contains) ?? false)
          && (filter.goalIDs.isEmpty || facts.goalID.map(filter.goalIDs.contains) ?? false)
          && (filter.types.isEmpty || filter.types.contains(event.type)
            || filter.types.contains("\(event.kind).*"))
      }
      for limits in [
        WindowLimits(eventCount: 100, lookedCount: 1000),
        WindowLimits(eventCount: 3, byteCount: 300, lookedCount: 20),
      ] {
        var found: [StoredEvent] = []
        var position: Int64 = 0
        while position < 1000 {
          let page = try await world.log.events(
            in: EventWindow(after: position, through: 1000, filter: filter), limits: limits,
            scope: Self.everybody)
          #expect(page.completeTo > position)
          found += page.events
          position = page.completeTo
        }
        #expect(found == expected, "\(filter) \(limits)")
      }
    }
    // A learner sees no more below the floor than above.
    let own = try await world.log.events(
      in: EventWindow(after: 0, through: 1000),
      limits: WindowLimits(eventCount: 9, lookedCount: 99),
      scope: AccessScope(callerID: user, role: .learner))
    #expect(own.events == Array(before.filter { $0.userID == user }.prefix(9)))
  }

  @Test func withoutTheLakeWhatHasLeftIsAnErrorAndNeverAGap() async throws {
    try await World.run { world in
      try await world.add(780)
      let before = try await world.all(of: world.stored)
      let removed = try await world.retention.step()
      #expect((650...750).contains(removed))
      let log = PostgresEventLog(world.store.database)
      for _ in 0..<2 {
        await #expect(throws: StoreError.archived(.notHere)) {
          try await log.page(after: 0, limit: 10, byteCountMax: 1 << 20)
        }
        await #expect(throws: StoreError.archived(.notHere)) {
          try await log.events(
            in: EventWindow(after: 0, through: 780),
            limits: WindowLimits(eventCount: 10, lookedCount: 100), scope: Self.everybody)
        }
      }
      await #expect(throws: StoreError.archived(.notHere)) {
        try await log.position(of: before[0].id)
      }
      let user = try #require(before[0].userID)
      func tail(_ from: Timestamp, after: Int64 = 0) async throws -> [StoredEvent] {
        try await log.tail(
          user: user, from: from, to: world.store.now, after: after, scope: Self.everybody)
      }
      await #expect(throws: StoreError.archived(.notHere)) { try await tail(before[5].createdAt) }
      // What cannot have left is answered.
      let own = before.filter { $0.userID == user }
      let kept = before[removed].createdAt
      #expect(try await tail(kept) == own.filter { $0.createdAt >= kept })
      #expect(
        try await tail(before[5].createdAt, after: Int64(removed))
          == own.filter { $0.position > removed })
      #expect(
        try await log.page(after: Int64(removed), limit: 500, byteCountMax: .max).events
          == Array(before.dropFirst(removed)))
      #expect(try await log.position(of: before[removed].id) == Int64(removed) + 1)
      #expect(try await log.position(of: world.store.ids.next(at: world.store.now)) == nil)
    }
  }

  @Test func theDatabaseItselfRefusesWhatIsNotAllowed() async throws {
    try await World.run { world in
      try await world.add(100)
      let before = try await world.all(of: world.stored)
      let history = try await world.log.history()
      let removal = PostgresEventRemoval(world.store.database)
      let lake = try #require(world.lake.id)
      func batch(_ range: Range<Int>, epoch: UInt32? = nil, lake: EntityID? = nil) -> RemovalBatch {
        RemovalBatch(
          archiveID: lake ?? world.lake.id ?? EntityID(high: 0, low: 1),
          epoch: epoch ?? history.current.id, firstPosition: Int64(range.lowerBound) + 1,
          eventIDs: before[range].map(\.id), before: world.store.now)
      }
      var swapped = batch(0..<10)
      swapped.eventIDs.swapAt(3, 4)
      var beyond = batch(0..<100)
      beyond.eventIDs.append(world.store.ids.next(at: world.store.now))
      for wrong in [swapped, beyond, batch(0..<10, epoch: history.current.id &+ 1)] {
        await #expect(throws: StoreError.self) { _ = try await removal.remove(wrong) }
      }
      // Not after the floor: nothing.
      #expect(try await removal.remove(batch(1..<10)) == 0)
      #expect(try await removal.remove(batch(0..<0)) == 0)
      #expect(try await world.count("events") == 100)
      #expect(try await removal.remove(batch(0..<10)) == 10)
      await #expect(throws: StoreError.self) {
        _ = try await removal.remove(batch(10..<20, lake: EntityID(high: 9, low: 9)))
      }
      #expect(try await removal.remove(batch(0..<10)) == 0)
      // The role may remove nothing by itself, nor move the floor.
      for text in [
        "DELETE FROM events", "DELETE FROM event_positions", "UPDATE event_floor SET position = 99",
        "INSERT INTO event_floor DEFAULT VALUES",
      ] {
        let statement = Statement("test.\(text.count)", text)
        await #expect(throws: StoreError.self) {
          _ = try await world.store.database.write(statement(), for: .housekeeping)
        }
      }
      #expect(try await removal.floor().archiveID == lake)
    }
  }

  @Test func nothingOfTheLastDayGoesWhateverAClockSays() async throws {
    try await World.run(lifetime: -100_000) { world in
      try await world.add(60, age: 2, perDay: 20)
      for _ in 0..<2 {
        let error = await #expect(throws: LakeRetention.Obstacle.self) {
          _ = try await world.retention.step()
        }
        let floor = try await world.log.floor().position
        #expect((18...20).contains(floor), "\(floor)")
        #expect(error == .kept(position: floor + 1))
      }
    }
    // An id that is not of its time would be in no order: it and what follows stay.
    try await World.run { world in
      try await world.add(40)
      try await world.script.run(
        """
        \(RawEvent.many(1)); UPDATE events SET created_at = now() - interval '35 days'
          WHERE seq = (SELECT max(seq) FROM events)
        """)
      try await world.add(40, age: 30)
      let events = try await world.all(of: world.stored)
      #expect(events.firstIndex { $0.id.creationTime == nil } == 40)
      await #expect(throws: LakeRetention.Obstacle.kept(position: 41)) {
        _ = try await world.retention.step()
      }
      #expect(try await world.log.floor().position == 40)
    }
  }

  /// The version of an entity is on its row; ids are in the order of time.
  @Test func whatHasLeftCannotBeWrittenAgain() async throws {
    try await World.run { world in
      let store = world.store
      let made = store.now.advanced(by: .seconds(-40 * Self.day))
      let ada = try await store.addUser("Ada", at: made)
      _ = try await store.addGoal(owner: ada, at: made)
      _ = try await store.sequenceAll()
      _ = try await world.sink.flush()
      let events = try await world.all(of: world.stored)
      #expect(try await world.retention.step() == events.count)
      #expect(try await world.count("events") == 0)
      // The same ids, with anything else: by the servers' role and by the owner.
      let insert = RawEvent(id: events[1].id, entity: store.ids.next(at: store.now), version: 1)
        .insert
      let statement = Statement("test.again", insert)
      await #expect(throws: StoreError.self) {
        _ = try await store.database.write(statement(), for: .commit)
      }
      await #expect(throws: ServerError.self) { try await world.script.run(insert) }
      // The same versions: of a row that is there, by who read it before it was at this version, and of
      // a row that would be made again.
      var renamed = ada
      renamed.version = ada.version
      let update = renamed.event(
        .userUpdated, id: store.ids.next(at: store.now), at: store.now, metadata: .object([]))
      #expect(
        try await store.writes.commit(
          Write(changes: [.updateUser(renamed)], events: [update], reply: nil)) == .stale)
      let user = ada.event(
        .userCreated, id: store.ids.next(at: store.now), at: store.now, metadata: .object([]))
      await #expect(throws: StoreError.self) {
        let outcome = try await store.writes.commit(
          Write(changes: [.insertUser(ada)], events: [user], reply: nil))
        if outcome != .committed { throw StoreError.duplicate(constraint: "\(outcome)") }
      }
      #expect(try await world.count("events") == 0)
      // What is new is written as ever, and has the next position.
      let bob = try await store.addUser("Bob", at: store.now)
      let next = try await store.sequenceAll()
      #expect(next.map(\.entityID) == [bob.id])
      #expect(next.map(\.position) == [Int64(events.count) + 1])
      #expect(try await world.sink.flush() == Int64(events.count) + 1)
      #expect(try await world.all(of: world.log) == events + next)
      // A sequence that began again would give numbers twice.
      try await world.script.run("SELECT setval('events_seq_seq', 1)")
      await #expect(throws: StoreError.self) { try await store.sequencer.sequence(limit: 10) }
    }
  }

  @Test func aRunFindsItsOwnEvents() async throws {
    try await World.run { world in
      try await world.add(200, age: 30, perDay: 20)
      let ada = try await world.store.addUser(
        "Ada", at: world.store.now.advanced(by: .seconds(-20 * Self.day)))
      let run = world.store.ids.next(at: world.store.now)
      try await world.script.run(
        """
        INSERT INTO agent_runs (id, kind, user_id, caller_id, request, status, version, owner,
          lease_until, created_at, updated_at)
          VALUES ('\(run)', 'goal', '\(ada.id)', '\(ada.id)', '{}', 'awaiting_approval', 12, 'one',
            now(), now() - interval '20 days', now());
        INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
          metadata, schema_version, created_at)
        SELECT (left(hito_id_at(n.moment)::text, 19) || substr(gen_random_uuid()::text, 20))::uuid,
          'ai.replied', 'agent_run', CASE WHEN i % 2 = 0 THEN '\(run)'::uuid ELSE gen_random_uuid() END,
          i / 2, '\(ada.id)', '{}', '{}', 1, n.moment
        FROM generate_series(2, 24) i
        CROSS JOIN LATERAL (SELECT now() - interval '20 days' + i * interval '18 hours' AS moment) n
        """)
      _ = try await world.store.sequenceAll()
      _ = try await world.sink.flush()
      func versions(
        _ store: PostgresAgentRunStore, after: Int64, limit: Int = 100, of user: EntityID = ada.id
      ) async throws -> [Int64] {
        try await store.events(
          ofRun: run, after: after, limit: limit,
          scope: AccessScope(callerID: user, role: .learner)
        ).map(\.version)
      }
      _ = try await world.retention.step()
      let left = try await world.count("events WHERE entity_id = '\(run)'")
      #expect(left > 0 && left < 12)
      let runs = PostgresAgentRunStore(world.store.database, archive: world.lake)
      #expect(try await versions(runs, after: 0) == Array(1...12))
      #expect(try await versions(runs, after: 2, limit: 4) == [3, 4, 5, 6])
      #expect(try await versions(runs, after: 11) == [12])
      #expect(try await versions(runs, after: 12) == [])
      let stranger = EntityID(high: 3, low: 3)
      #expect(try await versions(runs, after: 0, of: stranger) == [])
      await #expect(throws: StoreError.archived(.notHere)) {
        try await versions(PostgresAgentRunStore(world.store.database), after: 0)
      }
    }
  }

  /// A hundred thousand events below the floor: what a small read costs, and what removing costs.
  @Test func aSmallReadOfALongPastTouchesLittle() async throws {
    try await World.run { world in
      try await world.script.run("SET statement_timeout = 0")
      for part in 0..<5 {
        try await world.add(
          20_000, age: 60 - part * 10, perDay: 4000, users: 500, goals: 20_000)
      }
      try await world.lake.compact(before: world.store.now)
      let clock = ContinuousClock()
      let start = clock.now
      let removed = try await world.retention.step()
      let took = clock.now - start
      #expect(removed >= 80_000)
      // Asked for by one goal's key: five events of a hundred thousand.
      let goal = try await Self.id("goal77", world.script)
      var filter = EventFilter()
      filter.goalIDs = [goal]
      let floor = try await world.log.floor().position
      let window = EventWindow(after: 0, through: floor, filter: filter)
      let limits = WindowLimits(eventCount: 100, byteCount: 256 << 10, lookedCount: 1000)
      let warm = try await world.log.events(in: window, limits: limits, scope: Self.everybody)
      #expect((4...5).contains(warm.events.count) && warm.completeTo == floor)
      let begin = clock.now
      for _ in 0..<20 {
        _ = try await world.log.events(in: window, limits: limits, scope: Self.everybody)
      }
      let read = (clock.now - begin) / 20
      let places = warm.events.map {
        EventPlace(
          position: $0.position, seq: $0.seq, type: $0.type, userID: $0.userID,
          createdAt: $0.createdAt)
      }
      let rows = try await world.lake.rows(at: places, byteCountMax: .max)
      #expect(rows.files.count <= 5 && rows.rowGroupsRead <= 10, "\(rows.rowGroupsRead)")
      let statement = EventStatements.windowOfPlaces(by: .goals)
      let (pages, plan) = try await world.script.pages(
        of: statement,
        "0, \(floor), 1000, 100, 262144, '{}', '{\(goal)}', '{}', '{}', '{}', NULL")
      #expect(pages < 40, "\(pages) pages\n\(plan)")
      let pageStart = clock.now
      let page = try await world.log.page(after: 50_000, limit: 1000, byteCountMax: 8 << 20)
      let pageTook = clock.now - pageStart
      #expect(page.events.count == 1000)
      print(
        "removed \(removed) events in \(took), five of \(floor) read in \(read) "
          + "(\(rows.files.count) files, \(rows.rowGroupsRead) row groups, \(pages) pages), "
          + "a page of 1000 in \(pageTook)")
    }
  }
}
