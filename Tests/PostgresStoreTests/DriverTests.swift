import Domain
import Testing

@testable import PostgresStore

/// The driver against a real server.
@Suite struct DriverTests {
  static let echo = Statement(
    "test.echo",
    [.bool, .int4, .int8, .float8, .text, .uuid, .timestamptz, .bytea, .jsonb, .textArray],
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10")
  static let one = Statement("test.one", [.int8], "SELECT $1")
  static let divide = Statement("test.divide", [.int8], "SELECT 100 / $1")
  static let sleep = Statement("test.sleep", [.float8], "SELECT pg_sleep($1)")
  static let sleeping = Statement(
    "test.sleeping", [],
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
      + " AND datname = current_database()")

  /// Asked on another lane than the sleeper's, not to wait behind it.
  static func isSleeping(
    _ store: StoreFixture, askOn lane: PostgresDatabase.Lane
  ) async throws -> Bool {
    try await store.database.rows(sleeping(), on: lane)[0].int64(0) > 0
  }

  @Test func valuesGoAndComeUnchanged() async throws {
    try await StoreFixture.run { store in
      let id = store.ids.next(at: StoreFixture.start)
      let time = Timestamp(microsecondsSinceEpoch: -1_234_567)
      let texts = ["", "ñandú \"q\" \\ {x}", "NULL"]
      let row = try await store.database.rows(
        Self.echo { parameters in
          parameters.append(true)
          parameters.append(Int32.min)
          parameters.append(Int64.max)
          parameters.append(-0.1)
          parameters.append("")
          parameters.append(id)
          parameters.append(time)
          parameters.append(bytes: [0, 255, 1])
          parameters.append(json: .object([("a", .array([.string("\"ñ\u{1}"), .null]))]))
          parameters.append(texts)
        }
      )[0]
      #expect(try row.bool(0))
      #expect(try row.int32(1) == .min)
      #expect(try row.int64(2) == .max)
      #expect(try row.double(3) == -0.1)
      #expect(try row.text(4) == "")
      #expect(try row.uuid(5) == id)
      #expect(try row.timestamp(6) == time)
      #expect(try row.bytes(7) == [0, 255, 1])
      #expect(try row.json(8) == #"{"a": ["\"ñ\u0001", null]}"#)
      #expect(try row.texts(9) == texts)
    }
  }

  @Test func nullsAndWrongTypesAreToldApart() async throws {
    try await StoreFixture.run { store in
      let row = try await store.database.rows(
        Statement("test.nulls", [.text], "SELECT $1, 1::int8, ARRAY[]::text[]") { $0.appendNull() }
      )[0]
      #expect(try row.optionalText(0) == nil)
      #expect(throws: StoreError.corrupt("column 0 is NULL")) { try row.text(0) }
      #expect(throws: StoreError.corrupt("column 1 is no uuid")) { try row.uuid(1) }
      #expect(throws: StoreError.corrupt("there is no column 7")) { try row.bool(7) }
      #expect(try row.texts(2) == [])
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

  @Test func aFailedUnitRollsBackAndLeavesTheOthersAlone() async throws {
    try await StoreFixture.run(connectionCount: 1) { store in
      let database = store.database
      let outcomes = await withTaskGroup(of: (Int64, Result<Int64, StoreError>).self) { group in
        for number in Int64(0)..<50 {
          group.addTask {
            do throws(StoreError) {
              let unit = StatementUnit(
                [Self.one { $0.append(number) }, Self.divide { $0.append(number % 5) }])
              return (number, .success(try await database.run(unit)[0][0].int64(0)))
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
      let began = ContinuousClock.now
      await CallDeadline.$current.withValue(.now + .milliseconds(50)) {
        await #expect(throws: StoreError.timedOut) {
          try await store.database.rows(Self.sleep { $0.append(0.5) })
        }
      }
      #expect(.now - began < .milliseconds(450))
      // The connection is in order again behind it.
      let rows = try await store.database.rows(Self.one { $0.append(Int64(7)) })
      #expect(try rows[0].int64(0) == 7)
    }
  }

  @Test func aCancelledCallFailsAtOnce() async throws {
    try await StoreFixture.run { store in
      let call = Task { try await store.database.rows(Self.sleep { $0.append(20.0) }, on: .long) }
      // Not before the statement runs.
      try await eventually { try await Self.isSleeping(store, askOn: .short) }
      call.cancel()
      await #expect(throws: StoreError.cancelled) { try await call.value }
      // A long statement is cancelled at the server too, long before its 20 seconds are over.
      let began = ContinuousClock.now
      try await eventually { try await !Self.isSleeping(store, askOn: .short) }
      #expect(.now - began < .seconds(10))
      let after = try await store.database.rows(Self.one { $0.append(Int64(1)) }, on: .long)
      #expect(try after[0].int64(0) == 1)
    }
  }

  @Test func aTaskThatIsCancelledAlreadySendsNothing() async throws {
    try await StoreFixture.run { store in
      let call = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await store.database.rows(Self.one { $0.append(Int64(1)) })
      }
      await #expect(throws: StoreError.cancelled) { try await call.value }
    }
  }

  @Test func lostConnectionsFailTheirUnitsAndAreMadeAnew() async throws {
    try await StoreFixture.run { store in
      let sleeper = Task {
        try await store.database.run(
          StatementUnit([Self.sleep { $0.append(20.0) }], isWrite: true))
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
        (try? await store.database.rows(Self.one { $0.append(Int64(1)) })) != nil
      }
    }
  }

  @Test func aShutdownRefusesLaterCalls() async throws {
    let connection = try await StoreFixture.emptyDatabase()
    let database = PostgresDatabase(.init(conninfo: connection.conninfo()))
    async let service: Void = database.run()
    #expect(try await database.rows(Self.one { $0.append(Int64(1)) })[0].int64(0) == 1)
    database.shutdown()
    try await service
    await #expect(
      throws: StoreError.unavailable("the server is shutting down", maybeCommitted: false)
    ) {
      try await database.rows(Self.one { $0.append(Int64(1)) })
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
