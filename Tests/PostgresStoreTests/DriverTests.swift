import Domain
import JSON
import Synchronization
import Testing

@testable import PostgresStore

/// The driver against a real server.
@Suite struct DriverTests {
  static let echo = Query<
    Bool, Int32, Int64, Double, String, EntityID, Timestamp, Bytes, JSONText, TextList
  >("test.echo", "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10")
  static let one = Query<Int64>("test.one", "SELECT $1")
  static let divide = Query<Int64>("test.divide", "SELECT 100 / $1")
  static let sleep = Query<Double>("test.sleep", "SELECT pg_sleep($1)")
  static let lock = Query<Int64>("test.lock", "SELECT pg_advisory_xact_lock($1)")
  static let sleeping = Statement(
    "test.sleeping",
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
      + " AND datname = current_database()")

  /// Asked on another lane than the sleeper's, not to wait behind it.
  static func isSleeping(
    _ store: StoreFixture, askOn lane: PostgresDatabase.Lane
  ) async throws -> Bool {
    try await store.database.rows(
      sleeping(), as: .nobody, on: lane
    )[0].value(0, as: Int64.self) > 0
  }

  @Test func valuesGoAndComeUnchanged() async throws {
    try await StoreFixture.run { store in
      let id = store.ids.next(at: StoreFixture.start)
      let time = Timestamp(microsecondsSinceEpoch: -1_234_567)
      let texts = ["", "ñandú \"q\" \\ {x}", "NULL"]
      let json = JSONValue.object([("a", .array([.string("\"ñ\u{1}"), .null]))])
      let row = try await store.database.rows(
        Self.echo(
          true, .min, .max, -0.1, "", id, time, Bytes([0, 255, 1]), JSONText(json.text),
          TextList(texts)),
        as: .nobody
      )[0]
      #expect(try row.value(0, as: Bool.self))
      #expect(try row.value(1, as: Int32.self) == .min)
      #expect(try row.value(2, as: Int64.self) == .max)
      #expect(try row.value(3, as: Double.self) == -0.1)
      #expect(try row.value(4, as: String.self) == "")
      #expect(try row.value(5, as: EntityID.self) == id)
      #expect(try row.value(6, as: Timestamp.self) == time)
      #expect(try row.value(7, as: Bytes.self).bytes == [0, 255, 1])
      #expect(try row.value(8, as: JSONText.self).text == #"{"a": ["\"ñ\u0001", null]}"#)
      #expect(try row.value(9, as: TextList.self).texts == texts)
    }
  }

  @Test func vectorsGoAsPgvectorHoldsThem() async throws {
    let echo = Query<VectorParameter>("test.vector", "SELECT ($1::vector)::text")
    try await StoreFixture.run { store in
      let vectors: [([Float], String)] = [
        ([1], "[1]"), ([0.5, -2.25, 0], "[0.5,-2.25,0]"),
        (
          [Float](repeating: 1e-3, count: 2000),
          "[\([String](repeating: "0.001", count: 2000).joined(separator: ","))]"
        ),
      ]
      for (numbers, text) in vectors {
        let rows = try await store.database.rows(echo(VectorParameter(numbers)), as: .nobody)
        #expect(try rows[0].value(0, as: String.self) == text)
      }
      // None, more than the server takes, more than their number can say, and what is no number.
      for numbers in [
        [], [Float](repeating: 1, count: 16_001), [Float](repeating: 1, count: 70_000), [.nan],
      ] {
        let error = await #expect(throws: UnitError.self) {
          try await store.database.attempt(
            StatementUnit([echo(VectorParameter(numbers))], as: .nobody))
        }
        #expect(error?.serverError != nil, "\(numbers.count)")
      }
    }
  }

  @Test func nullsAndWrongTypesAreToldApart() async throws {
    try await StoreFixture.run { store in
      let row = try await store.database.rows(
        Query<String?>("test.nulls", "SELECT $1, 1::int8, ARRAY[]::text[], NULL::text[]")(nil),
        as: .nobody)[0]
      #expect(try row.value(0, as: String?.self) == nil)
      #expect(throws: StoreError.corrupt("the column 0 is NULL")) {
        try row.value(0, as: String.self)
      }
      #expect(throws: StoreError.corrupt("the column 1 does not hold a valid EntityID")) {
        try row.value(1, as: EntityID.self)
      }
      #expect(throws: StoreError.corrupt("there is no column 7")) {
        try row.value(7, as: Bool.self)
      }
      for column in [2, 3] { #expect(try row.value(column, as: TextList.self).texts == []) }
    }
  }

  @Test func everyStatementIsPreparedByTheServer() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      #expect(Set(Statement.all.map(\.name)).count == Statement.all.count)
      for statement in Statement.all {
        let types = statement.parameters.map(\.sqlName).joined(separator: ", ")
        let list = types.isEmpty ? "" : "(\(types))"
        await #expect(throws: Never.self, "\(statement.name)") {
          try await script.run("PREPARE \"\(statement.name)\" \(list) AS \(statement.text)")
        }
      }
    }
  }

  @Test func aCommitOfWhatCallersChangedIsToldBeforeItsCallerHearsOfIt() async throws {
    final class Told: Sendable { let count = Atomic(0) }
    try await StoreFixture.run { store in
      let told = Told()
      store.database.onCommit { told.count.add(1, ordering: .relaxed) }
      // Not reads, nor what fails, nor the server's own work.
      _ = try await store.database.rows(Self.one(1), as: .nobody)
      await #expect(throws: StoreError.self) {
        try await store.database.write(Self.divide(0), for: .commit)
      }
      _ = try await store.database.write(Self.one(1), for: .sequencing, on: .sequencer)
      #expect(told.count.load(ordering: .relaxed) == 0)
      for count in 1...10 {
        _ = try await store.database.write(Self.one(1), for: .commit)
        #expect(told.count.load(ordering: .relaxed) == count)
      }
    }
  }

  @Test func aFailedUnitRollsBackAndLeavesTheOthersAlone() async throws {
    try await StoreFixture.run(connectionCount: 1) { store in
      let database = store.database
      let outcomes = await withTaskGroup(of: (Int64, Result<Int64, StoreError>).self) { group in
        for number in Int64(0)..<50 {
          group.addTask {
            do throws(StoreError) {
              let unit = StatementUnit(
                [Self.one(number), Self.divide(number % 5)], as: .nobody)
              return (number, .success(try await database.run(unit)[0][0].value(0, as: Int64.self)))
            } catch {
              return (number, .failure(error))
            }
          }
        }
        return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      for (number, outcome) in outcomes {
        if number % 5 == 0 {
          #expect(outcome == .failure(.corrupt("test.divide: 22012 division by zero")))
        } else {
          #expect(outcome == .success(number))
        }
      }
    }
  }

  @Test func anExpiredCallFailsAtItsDeadline() async throws {
    try await StoreFixture.run(connectionCount: 1) { store in
      // The statement cannot end before the call has failed: it waits for this session.
      let holder = try await store.script()
      try await holder.run("SELECT pg_advisory_lock(7)")
      await CallDeadline.$current.withValue(.now + .milliseconds(50)) {
        await #expect(throws: StoreError.timedOut(maybeCommitted: false)) {
          try await store.database.rows(Self.lock(7), as: .nobody)
        }
      }
      try await holder.run("SELECT pg_advisory_unlock(7)")
      // The connection is in order again after it.
      let rows = try await store.database.rows(Self.one(7), as: .nobody)
      #expect(try rows[0].value(0, as: Int64.self) == 7)
    }
  }

  @Test func aCancelledCallFailsAtOnce() async throws {
    try await StoreFixture.run { store in
      let call = Task { try await store.database.rows(Self.sleep(300), as: .nobody, on: .long) }
      // Not before the statement runs.
      try await eventually { try await Self.isSleeping(store, askOn: .short) }
      call.cancel()
      await #expect(throws: StoreError.cancelled) { try await call.value }
      // A long statement is cancelled at the server too: its end is not waited for.
      try await eventually { try await !Self.isSleeping(store, askOn: .short) }
      let after = try await store.database.rows(Self.one(1), as: .nobody, on: .long)
      #expect(try after[0].value(0, as: Int64.self) == 1)
    }
  }

  @Test func aTaskThatIsCancelledAlreadySendsNothing() async throws {
    try await StoreFixture.run { store in
      let call = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await store.database.rows(Self.one(1), as: .nobody)
      }
      await #expect(throws: StoreError.cancelled) { try await call.value }
    }
  }

  @Test func lostConnectionsFailTheirUnitsAndAreMadeAnew() async throws {
    try await StoreFixture.run { store in
      let sleeper = Task {
        try await store.database.run(
          StatementUnit(writing: [Self.sleep(20)], for: .commit))
      }
      try await eventually { try await Self.isSleeping(store, askOn: .long) }
      try await TestAdministrator.terminateSessions(of: store.connection, named: "hito")
      let error = await #expect(throws: StoreError.self) { try await sleeper.value }
      guard case .unavailable(_, let maybeCommitted) = error else {
        Issue.record("not unavailable: \(String(describing: error))")
        return
      }
      #expect(maybeCommitted)
      // Reads that were in flight may fail with it; the pool heals by itself.
      try await eventually {
        (try? await store.database.rows(Self.one(1), as: .nobody)) != nil
      }
    }
  }

  @Test func aShutdownRefusesLaterCalls() async throws {
    let connection = try await StoreFixture.emptyDatabase()
    let database = PostgresDatabase(.init(conninfo: connection.conninfo()))
    async let service: Void = database.run()
    #expect(try await database.rows(Self.one(1), as: .nobody)[0].value(0, as: Int64.self) == 1)
    database.shutdown()
    try await service
    await #expect(
      throws: StoreError.unavailable("the server is shutting down", maybeCommitted: false)
    ) {
      try await database.rows(Self.one(1), as: .nobody)
    }
  }

  @Test func anUnreachableServerIsReportedInWords() async throws {
    let database = PostgresDatabase(
      .init(conninfo: "host=/nonexistent-hito-socket port=1 dbname=x user=y"))
    let error = await #expect(throws: ConnectFailure.self) { try await database.check() }
    #expect(error?.description.hasPrefix("cannot connect to PostgreSQL: ") == true)
  }

  @Test func remoteServersAreVerifiedUnlessToldOtherwise() throws {
    func mode(_ conninfo: String) throws -> String? {
      try ConnectionSettings(conninfo: conninfo).connectParameters()
        .first { $0.0 == "sslmode" }?.1
    }
    #expect(try mode("postgresql://u:secret@db.example.org/hito") == "verify-full")
    #expect(try mode("postgresql://db.example.org/hito?sslmode=require") == nil)
    #expect(try mode("postgresql://localhost/hito") == nil)
    #expect(try mode("postgresql:///hito?host=/run/pg") == nil)
    #expect(try mode("host=10.0.0.1,10.0.0.2 dbname=hito") == "verify-full")
    let error = #expect(throws: ConnectFailure.self) { try mode("postgresql://u:secret@[") }
    #expect(error?.description.contains("secret") == false)
  }

  @Test func ofSeveralServersTheOneThatTakesWritesIsUsed() throws {
    func parameter(_ name: String, _ conninfo: String) throws -> String? {
      try ConnectionSettings(conninfo: conninfo).connectParameters().first { $0.0 == name }?.1
    }
    let two = "postgresql://db1.example.org,db2.example.org/hito"
    #expect(try parameter("target_session_attrs", two) == "read-write")
    #expect(try parameter("target_session_attrs", two + "?target_session_attrs=any") == nil)
    #expect(try parameter("keepalives_interval", two) == "5")
    #expect(try parameter("keepalives_count", two) == "3")
    #expect(try parameter("tcp_user_timeout", two) == "15000")
    #expect(try parameter("keepalives_idle", two + "?keepalives_idle=60") == nil)
  }

  @Test func aSessionIsNotUsedWhereItCannotWrite() async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      try await TestAdministrator.session(connection).run(
        "ALTER DATABASE \(connection.database) SET default_transaction_read_only = on")
      let given = connection.conninfo()
      let error = await #expect(throws: ConnectFailure.self) {
        try await PostgresDatabase(.init(conninfo: given)).check()
      }
      #expect(error?.description.contains("read-only") == true)
      try await PostgresDatabase(.init(conninfo: given + " target_session_attrs=any")).check()
    }
  }

  @Test func olderServersAreNotToldOfLimitsThatTheyDoNotKnow() {
    var settings = ConnectionSettings(conninfo: "")
    func names(_ version: Int) -> [String] {
      settings.sessionSettings(serverVersion: version).map(\.name)
    }
    #expect(!names(180_000).contains("transaction_timeout"), "the server's own counts")
    settings.limits = .bulk(lock: .seconds(1))
    #expect(names(170_000).contains("transaction_timeout"))
    #expect(!names(160_000).contains("transaction_timeout"))
    let limits = settings.sessionSettings(serverVersion: 180_000)
      .filter { $0.name.hasSuffix("_timeout") && !$0.name.hasPrefix("tcp") }
    #expect(limits.filter { $0.value != "0" }.map(\.name) == ["lock_timeout"])
  }

  @Test func anOldVectorExtensionIsRefused() {
    #expect(throws: Never.self) { try ConnectionSettings.check(vector: "0.8.0") }
    #expect(throws: Never.self) { try ConnectionSettings.check(vector: "1.0") }
    #expect(throws: ConnectFailure.self) { try ConnectionSettings.check(vector: "0.7.4") }
  }
}

extension SQLType {
  /// The name in SQL: `int8Array` is `int8[]`.
  var sqlName: String {
    let name = "\(self)"
    return name.hasSuffix("Array") ? name.dropLast(5) + "[]" : name
  }
}
