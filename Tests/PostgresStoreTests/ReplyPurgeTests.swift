import Domain
import TestSupport
import Testing

@testable import PostgresStore

/// How remembered replies are forgotten.
@Suite struct ReplyPurgeTests {
  private static let hour = Duration.seconds(3600)
  private static let keysOfHour = 500

  private static func addHour(_ time: String, _ script: ScriptSession) async throws {
    try await script.run(
      """
      WITH key AS (
        INSERT INTO idempotency_keys (caller_id, method, key, request_hash, created_at)
        SELECT gen_random_uuid(), 'm', 'k', sha256('x'),
          \(time) + i * interval '1 second' FROM generate_series(1, \(keysOfHour)) i
        RETURNING reply_id, caller_id, created_at)
      INSERT INTO idempotency_replies
        SELECT hito_reply_slot(created_at), reply_id, caller_id, repeat('r', 500)::bytea FROM key
      """)
  }

  private static func count(_ query: String, _ script: ScriptSession) async throws -> Int {
    Int(try await script.run(query).first?.first.flatMap { $0 } ?? "") ?? -1
  }

  @Test func twoDaysOfRepliesTakeTheRoomOfOneDayAndBatchesReadWhatTheyRemove() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      // Vacuum must not be what keeps batches small.
      try await script.run("ALTER TABLE idempotency_keys SET (autovacuum_enabled = off)")
      // The beginning of an hour.
      let start = Timestamp(microsecondsSinceEpoch: 500_000 * 3_600_000_000)
      var pageCounts: [Int] = []
      var from = Timestamp(microsecondsSinceEpoch: 0)
      for number in 0..<48 {
        let now = start.advanced(by: Self.hour * number)
        let time = "to_timestamp(\(now.microsecondsSinceEpoch / 1_000_000))"
        try await Self.addHour(time, script)
        let end = now.advanced(by: .zero - Self.hour * 25)
        let emptied = try await store.writes.emptyReplies(
          before: end, now: now, databaseTime: now)
        // From the hour of the oldest key that is kept to the next one, each has a partition.
        #expect(emptied == (number < 26 ? 0 : 1), "hour \(number)")
        let explained = try await script.run(
          """
          EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON)
          SELECT ctid, created_at FROM idempotency_keys
          WHERE created_at >= to_timestamp(\(from.microsecondsSinceEpoch) / 1000000.0)
            AND created_at < to_timestamp(\(end.microsecondsSinceEpoch / 1_000_000))
          ORDER BY created_at LIMIT 200
          """)
        let plan = explained.compactMap { $0.first ?? nil }.joined()
        pageCounts.append(Self.number(after: "\"Shared Hit Blocks\": ", in: plan) ?? -1)
        var removed = 0
        while true {
          let batch = try await store.writes.purgeKeys(
            from: from, before: end, limit: 200, databaseTime: now)
          removed += batch.count
          from = batch.next ?? from
          if batch.count < 200 { break }
        }
        #expect(removed == (number < 26 ? 0 : Self.keysOfHour), "hour \(number)")
      }
      // 25 hours and the one under way.
      #expect(
        try await Self.count("SELECT count(*) FROM idempotency_keys", script)
          == Self.keysOfHour * 26)
      // Not one of the replies of a key that is kept is gone, and at most two hours more are there.
      #expect(
        try await Self.count(
          """
          SELECT count(*) FROM idempotency_keys k JOIN idempotency_replies r
          ON r.slot = hito_reply_slot(k.created_at) AND r.id = k.reply_id
          """, script) == Self.keysOfHour * 26)
      #expect(
        try await Self.count("SELECT count(*) FROM idempotency_replies", script)
          <= Self.keysOfHour * 27)
      // A batch of the last hours reads about as much as one of the first hours that had something
      // to remove.
      let (first, last) = (pageCounts[27], pageCounts[47])
      #expect(first > 0 && last <= 2 * first + 8, "\(pageCounts)")
    }
  }

  private static func number(after label: String, in text: String) -> Int? {
    guard let range = text.firstRange(of: label) else { return nil }
    return Int(text[range.upperBound...].prefix { $0.isNumber })
  }

  @Test func aPartitionThatIsReadHasItsTurnLater() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let reader = try await store.script()
      let now = Timestamp(microsecondsSinceEpoch: 1_800_000_000_000_000)
      try await Self.addHour("to_timestamp(1800000000 - 30 * 3600)", script)
      try await reader.run("BEGIN; SELECT count(*) FROM idempotency_replies")
      let end = now.advanced(by: .zero - Self.hour * 25)
      #expect(try await store.writes.emptyReplies(before: end, now: now, databaseTime: now) == 0)
      try await reader.run("COMMIT")
      #expect(try await store.writes.emptyReplies(before: end, now: now, databaseTime: now) > 0)
      #expect(try await Self.count("SELECT count(*) FROM idempotency_replies", script) == 0)
      // A span without an end keeps everything, as does one that is upside down.
      try await Self.addHour("to_timestamp(1800000000)", script)
      #expect(
        try await store.writes.emptyReplies(before: Timestamp(microsecondsSinceEpoch: 0), now: now)
          == 0)
      #expect(try await store.writes.emptyReplies(before: now, now: end) == 0)
    }
  }

  @Test func theMigrationCarriesRepliesOver() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let migrator = Migrator(MigrationTests.settings(connection))
      let version = Migration.replies.version
      try await migrator.migrate(to: version - 1)
      let script = try await ScriptSession(MigrationTests.settings(connection))
      try await script.run(
        """
        INSERT INTO idempotency_keys (caller_id, method, key, request_hash, reply, created_at)
        SELECT '00000000-0000-7000-8000-000000000001', 'm', i::text, sha256('x'),
          ('reply ' || i)::bytea, now() - i * interval '1 hour' FROM generate_series(0, 40) i
        """)
      let kept = """
        SELECT k.key, convert_from(r.reply, 'UTF8') FROM idempotency_keys k
        JOIN idempotency_replies r ON r.slot = hito_reply_slot(k.created_at) AND r.id = k.reply_id
        ORDER BY k.created_at DESC
        """
      let expected = (0..<25).map { ["\($0)", "reply \($0)"] }
      try await migrator.migrate(to: version)
      #expect(try await script.run(kept) == expected)
      try await migrator.migrate(to: version - 1)
      #expect(
        try await script.run(
          "SELECT key, convert_from(reply, 'UTF8') FROM idempotency_keys ORDER BY created_at DESC")
          == expected)
      try await migrator.migrate(to: version)
      #expect(try await script.run(kept) == expected)
    }
  }

  /// The database dates replies by its own clock, and promises them for 24 hours by it.
  @Test(arguments: [-2, 2])
  func aServersClockTakesNothingThatTheDatabaseRemembers(_ hoursAhead: Int) async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      for hoursAgo in [0, 23] {
        try await Self.addHour("now() - interval '\(hoursAgo) hours 30 minutes'", script)
      }
      let micros = try await Self.count(
        "SELECT (extract(epoch FROM now()) * 1000000)::bigint", script)
      let now = Timestamp(microsecondsSinceEpoch: Int64(micros))
        .advanced(by: Self.hour * hoursAhead)
      let end = now.advanced(by: .zero - Self.hour * 25)
      _ = try await store.writes.emptyReplies(before: end, now: now)
      _ = try await store.writes.purgeKeys(
        from: Timestamp(microsecondsSinceEpoch: 0), before: now, limit: 10_000)
      for table in ["idempotency_keys", "idempotency_replies"] {
        #expect(
          try await Self.count("SELECT count(*) FROM \(table)", script) == 2 * Self.keysOfHour,
          "\(table)")
      }
    }
  }
}
