import Domain
import Testing

@testable import PostgresStore

/// The log's identity and its epochs, as the database keeps them.
@Suite struct LogEpochTests {
  private func reasons(_ store: StoreFixture) async throws -> [[String?]] {
    try await store.script().run("SELECT reason, began_after FROM log_epochs ORDER BY number")
  }

  @Test func aNewLogHasAnIdentityAndOneEpoch() async throws {
    try await StoreFixture.run { store in
      let history = try await store.log.history()
      #expect(history.epochs.map(\.beganAfter) == [0])
      #expect(history.logID != LogHistory.unnamed.logID)
      let settings = ConnectionSettings(conninfo: store.connection.conninfo(role: .application))
      #expect(try await PostgresInstallation.history(settings) == history)
      // Leading again in the same database begins none.
      _ = try await store.addUser()
      _ = try await store.sequenceAll()
      _ = try await store.sequencer.sequence(limit: 1)
      #expect(try await store.log.history().epochs.count <= 2)
      let current = try await store.log.history().current.id
      #expect(try await store.log.page(after: 0, limit: 1, byteCountMax: 1).epoch == current)
      #expect(try await store.log.end(unsequencedMax: 1)?.epoch == current)
    }
  }

  @Test func noRoleOfTheServerChangesThem() async throws {
    try await StoreFixture.run { store in
      let session = try await ScriptSession(
        ConnectionSettings(conninfo: store.connection.conninfo(role: .application)))
      for statement in [
        "UPDATE log_identity SET id = id", "DELETE FROM log_identity",
        "INSERT INTO log_identity DEFAULT VALUES", "UPDATE log_epochs SET began_after = 0",
        "DELETE FROM log_epochs",
      ] {
        await #expect(throws: ServerError.self, "\(statement)") { try await session.run(statement) }
      }
    }
  }

  /// A copy of the database, a promoted standby and a recovery to a point in time.
  @Test(arguments: ["system_id = 1", "timeline = timeline + 1", "database_id = 1"])
  func whoLeadsInAnotherDatabaseBeginsAnEpochBeforeAnyPosition(difference: String) async throws {
    try await StoreFixture.run { store in
      _ = try await store.addUser()
      _ = try await store.sequenceAll()
      let before = try await store.log.history()
      try await store.script().run("UPDATE log_epochs SET \(difference)")
      _ = try await store.addUser("Bob")
      let events = try await PostgresEventSequencer(store.database).sequence(limit: 10)
      #expect(events?.map(\.position) == [2])
      let after = try await store.log.history()
      #expect(after.continues(before) && after.epochs.count == before.epochs.count + 1)
      #expect(after.current.beganAfter == 1)
      #expect(after.epoch(of: 2) == after.current && after.epoch(of: 1) != after.current)
      #expect(try await reasons(store).last == ["database", "1"])
    }
  }

  @Test func aLossIsDeclaredOnceByManyWitnesses() async throws {
    try await StoreFixture.run(connectionCount: 8) { store in
      _ = try await store.addUser()
      _ = try await store.sequenceAll()
      let epoch = try await store.log.history().current.id
      let count = try await store.log.history().epochs.count
      // Nothing is lost of what is there.
      let none = LogLoss(epoch: epoch, seen: 1, witness: "test")
      #expect(try await store.log.declare(none).epochs.count == count)
      let histories = try await withThrowingTaskGroup(of: LogHistory.self) { group in
        for witness in 0..<16 {
          let loss = LogLoss(epoch: epoch, seen: 5 + Int64(witness), witness: "\(witness)")
          group.addTask { try await store.log.declare(loss) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let history = try await store.log.history()
      #expect(history.epochs.count == count + 1 && history.current.beganAfter == 1)
      #expect(histories.contains(history))
      #expect(try await reasons(store).last == ["loss", "1"])
      // As the model says.
      let again = LogLoss(epoch: history.current.id, seen: 9, shared: 0, witness: "test")
      let expected = history.losing(again, last: 1).epochs.map(\.beganAfter)
      #expect(try await store.log.declare(again).epochs.map(\.beganAfter) == expected)
      // A whole epoch that is gone, and one that an operator knows of.
      let gone = LogLoss(
        epoch: try await store.log.history().current.id, seen: .max, shared: 0, witness: "test")
      #expect(try await store.log.declare(gone).epochs.count == count + 3)
      #expect(try await store.log.declareFork(why: "restored").epochs.count == count + 4)
      #expect(try await reasons(store).last == ["operator", "1"])
    }
  }

  @Test func anEventIsInTheLogBeforeItHasAPosition() async throws {
    try await StoreFixture.run { store in
      _ = try await store.addUser()
      let id = try #require(try await store.log.newestUnsequenced())
      #expect(try await store.log.contains(id))
      #expect(try await !store.log.contains(store.ids.next(at: StoreFixture.start)))
      _ = try await store.sequenceAll()
      #expect(try await store.log.contains(id))
    }
  }
}
