import Domain
import EventLog
import InMemoryStore
import Logging
import PostgresStore
import Testing

/// What anybody can do who may write to the database, and what `hito audit verify` says of it.
@Suite struct AuditTests {
  func sealed(
    _ body: @Sendable (StoreFixture, ScriptSession) async throws -> Void
  ) async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser()
      for number in 0..<4 { _ = try await store.addGoal(owner: ada, title: "Meta \(number)") }
      _ = try await store.sequenceAll()
      let entry = AuditEntry(
        id: store.ids.next(at: StoreFixture.start), kind: .read, method: "m",
        firstAt: StoreFixture.start, lastAt: StoreFixture.start)
      try await store.audit.append([entry, entry])
      try await LogSealer(
        log: store.log, store: store.audit, time: Clock(), logger: Logger(label: "test")
      ).sealAll()
      let owner = ConnectionSettings(conninfo: store.connection.conninfo(role: .owner))
      try await body(store, try await ScriptSession(owner))
    }
  }

  private struct Clock: TimeSource {
    func now() -> Timestamp { StoreFixture.start }
  }

  func fault(_ store: StoreFixture) async throws -> AuditFault? {
    try await SealVerifier(log: store.log, store: store.audit).verify().fault
  }

  @Test(arguments: [
    "payload = jsonb_set(payload, '{title}', '\"otro\"')", "metadata = '{}'",
    "created_at = created_at + interval '1 microsecond'", "user_id = NULL", "version = 99",
    "event_type = 'goal.updated'",
  ])
  func anEditedEventIsNamed(_ change: String) async throws {
    try await sealed { store, session in
      let rows = try await session.run(
        """
        UPDATE events SET \(change) WHERE seq = (SELECT seq FROM event_positions WHERE position = 6)
        RETURNING id
        """)
      let id = try #require((rows.first?.first ?? nil).flatMap { EntityID($0) })
      #expect(try await fault(store) == .eventEdited(6, id))
    }
  }

  @Test(arguments: [Int64(1), 2])
  func aRemovedEntryIsNamed(_ number: Int64) async throws {
    try await sealed { store, session in
      try await session.run("DELETE FROM audit_entries WHERE number = \(number)")
      #expect(try await fault(store) == .entryMissing(number))
    }
  }

  @Test func entriesThatAreSaidToBeRemovedCannotStayAndBeEdited() async throws {
    try await sealed { store, session in
      try await session.run(
        """
        UPDATE audit_entries SET method = 'other' WHERE number = 1;
        INSERT INTO audit_entries (number, id, kind, method, status, reason, peer, count, first_at,
          last_at)
        VALUES (3, gen_random_uuid(), 'notice', 'retention', 0, '', '', 2, now(), now());
        """)
      guard case .entryInserted(1, _) = try await fault(store) else {
        return #expect(Bool(false), "an edited entry passes as removed")
      }
      // Removed in truth, they are only missing, as the notice says.
      try await session.run("DELETE FROM audit_entries WHERE number <= 2")
      #expect(try await fault(store) == nil)
      // And none can be made up in their place.
      try await session.run(
        """
        INSERT INTO audit_entries SELECT (jsonb_populate_record(a,
          jsonb_build_object('number', 2, 'id', gen_random_uuid()))).* FROM audit_entries a
        """)
      guard case .entryInserted(2, _) = try await fault(store) else {
        return #expect(Bool(false), "an entry that was made up is not seen")
      }
    }
  }

  @Test func gapsInWhatIsNotSealedYetAreNamed() async throws {
    try await sealed { store, session in
      let ada = try await store.addUser()
      _ = try await store.addGoal(owner: ada)
      _ = try await store.sequenceAll()
      let head = try await store.log.head()
      try await session.run(
        """
        DELETE FROM events
        WHERE seq = (SELECT seq FROM event_positions WHERE position = \(head - 1))
        """)
      #expect(try await fault(store) == .eventMissing(head - 1))
    }
    try await sealed { store, session in
      try await session.run(
        """
        INSERT INTO audit_entries SELECT (jsonb_populate_record(a,
          jsonb_build_object('number', 4, 'id', gen_random_uuid()))).*
        FROM audit_entries a WHERE a.number = 1
        """)
      #expect(try await fault(store) == .entryMissing(3))
    }
  }

  @Test func aRemovedEventIsNamed() async throws {
    try await sealed { store, session in
      try await session.run(
        "DELETE FROM events WHERE seq = (SELECT seq FROM event_positions WHERE position = 6)")
      #expect(try await fault(store) == .eventMissing(6))
    }
  }

  @Test func theEndOfTheLogCannotBeCutUnseen() async throws {
    try await sealed { store, session in
      try await session.run("DELETE FROM event_positions WHERE position > 15")
      #expect(try await fault(store) == .eventMissing(16))
    }
  }

  @Test func anEventThatIsPutIntoThePastIsNamed() async throws {
    try await sealed { store, session in
      let rows = try await session.run(
        """
        UPDATE event_low_mark SET low = 1000000, high = NULL, holes = '{}';
        INSERT INTO events OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(e, jsonb_build_object(
          'id', gen_random_uuid(), 'seq', 500000, 'entity_id', gen_random_uuid()))).*
        FROM events e ORDER BY e.seq LIMIT 1 RETURNING id
        """)
      let id = try #require((rows.first?.first ?? nil).flatMap { EntityID($0) })
      #expect(try await fault(store) == .eventInserted(id))
    }
  }

  @Test func entriesAndSealsAreVerifiedToo() async throws {
    try await sealed { store, session in
      try await session.run("UPDATE audit_entries SET count = 5 WHERE number = 2")
      guard case .entryEdited(2, _) = try await fault(store) else {
        Issue.record("an edited entry was not named")
        return
      }
      try await session.run(
        "UPDATE audit_entries SET count = 1; DELETE FROM audit_entries WHERE number = 1")
      #expect(try await fault(store) == .entryMissing(1))
    }
    try await sealed { store, session in
      try await session.run("UPDATE log_seals SET last_position = last_position - 1")
      #expect(try await fault(store) == .sealEdited(1))
    }
  }

  @Test func theServersRoleMayNotEditWhatItWrites() async throws {
    try await StoreFixture.run { store in
      let application = ConnectionSettings(
        conninfo: store.connection.conninfo(role: .application))
      let session = try await ScriptSession(application)
      for statement in [
        "UPDATE audit_entries SET count = 1", "DELETE FROM audit_entries",
        "UPDATE log_seals SET number = 1", "DELETE FROM log_seals",
      ] {
        await #expect(throws: ServerError.self) { try await session.run(statement) }
      }
    }
  }
}

/// Entries that were kept long enough.
extension AuditTests {
  /// Entries of so many days ago, sealed; and one that no seal has.
  private func aged(
    _ body: @Sendable (StoreFixture, PostgresRetention) async throws -> Void
  ) async throws {
    try await StoreFixture.run { store in
      let now = WallClock().now()
      func entry(daysAgo: Int64) -> AuditEntry {
        let time = now.advanced(by: .seconds(-86_400 * daysAgo))
        return AuditEntry(
          id: store.ids.next(at: time), kind: .read, method: "m", firstAt: time, lastAt: time)
      }
      try await store.audit.append([500, 499, 498, 450, 420, 399, 410].map(entry))
      var configuration = LogSealer.Configuration()
      configuration.rowMax = 3
      try await LogSealer(
        log: store.log, store: store.audit, time: WallClock(), configuration: configuration,
        logger: Logger(label: "test")
      ).sealAll()
      try await store.audit.append([entry(daysAgo: 600)])
      try await body(store, PostgresRetention(store.database))
    }
  }

  private static let due = WallClock().now().advanced(by: .seconds(-86_400 * 400))
  private static let future = WallClock().now().advanced(by: .seconds(86_400 * 1000))

  private func purge(
    _ retention: PostgresRetention, before time: Timestamp = due, limit: Int = 100
  ) async throws -> Int {
    try await retention.purge(.audit, before: time, limit: limit)
  }

  private func entries(_ store: StoreFixture) async throws -> [AuditEntry] {
    try await store.audit.entries(after: 0, limit: 100)
  }

  @Test func oldEntriesGoInOrderAndThatTheyWentIsAnEntry() async throws {
    try await aged { store, retention in
      #expect(try await purge(retention, limit: 2) == 2)
      // Up to the first one that is not old, whatever comes after it.
      #expect(try await purge(retention) == 3)
      #expect(try await purge(retention) == 0)
      let left = try await entries(store)
      #expect(left.map(\.number) == [6, 7, 8, 9, 10])
      #expect(left.map(\.kind) == [.read, .read, .read, .notice, .notice])
      #expect(left.suffix(2).map(\.count) == [2, 5])
      let report = try await SealVerifier(log: store.log, store: store.audit).verify()
      #expect(report.fault == nil)
      #expect(report.removedEntry == 5)
      // Numbers go on where they were.
      try await store.audit.append([left[0]])
      #expect(try await entries(store).last?.number == 11)
    }
  }

  @Test func whatIsNotSealedOrIsTheLastStays() async throws {
    try await aged { store, retention in
      let counts = [
        try await purge(retention, before: Self.future),
        try await purge(retention, before: Self.future),
      ]
      #expect(counts == [7, 0])
      #expect(try await entries(store).map(\.number) == [8, 9])
    }
  }

  @Test func whatWentWithoutANoticeIsNamed() async throws {
    try await aged { store, retention in
      let owner = ConnectionSettings(conninfo: store.connection.conninfo(role: .owner))
      let session = try await ScriptSession(owner)
      #expect(try await purge(retention, limit: 2) == 2)
      try await session.run("DELETE FROM audit_entries WHERE number = 3")
      #expect(try await fault(store) == .entryMissing(3))
      try await session.run(
        "DELETE FROM audit_entries WHERE number < 7; UPDATE audit_entries SET method = 'x'")
      #expect(try await fault(store) == .entryMissing(1))
    }
  }
}
