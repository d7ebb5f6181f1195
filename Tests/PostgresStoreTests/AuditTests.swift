import Domain
import EventLog
import Logging
import PostgresStore
import Testing

/// What anybody can do who may write to the database, and what `hito audit verify` says of it.
@Suite struct AuditTests {
  private func sealed(
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

  private func fault(_ store: StoreFixture) async throws -> AuditFault? {
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
