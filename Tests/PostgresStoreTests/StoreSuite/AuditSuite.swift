import Domain
import EventLog
import Logging
import Testing

@Suite struct AuditSuite {
  private static let reader = EntityID(high: 10, low: 1)
  private static let other = EntityID(high: 10, low: 2)
  private static let learner = EntityID(high: 10, low: 3)

  private func entry(
    _ store: any TestedStore, _ kind: AuditEntry.Kind = .read, by actor: EntityID? = reader,
    on subject: EntityID? = learner, at time: Timestamp = StoreFixture.start
  ) -> AuditEntry {
    AuditEntry(
      id: store.ids.next(at: time), kind: kind, actorID: actor, subjectID: subject,
      method: "hito.v1.GoalService/GetGoal", status: kind == .refusal ? 7 : 0,
      reason: "ñ \"x\"", peer: "10.0.0.1", count: 3, firstAt: time,
      lastAt: time.advanced(by: .seconds(2)))
  }

  @Test(arguments: StoreKind.allCases)
  func entriesAreNumberedWithoutGapsAndListedNewestFirst(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let made = [
        entry(store), entry(store, .refusal, by: nil, on: nil),
        entry(store, .signIn, by: Self.other, on: nil),
        entry(
          store, by: Self.other, on: Self.reader, at: StoreFixture.start.advanced(by: .seconds(9))),
      ]
      try await store.audit.append(made)
      // Those of many servers come one after the other.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask { try await store.audit.append([entry(store), entry(store)]) }
        }
        try await group.waitForAll()
      }
      let all = try await store.audit.entries(after: 0, limit: 100)
      #expect(all.map(\.number) == Array(1...20))
      var first = made[1]
      first.number = 2
      #expect(all[1] == first)
      #expect(try await store.audit.entries(after: 18, limit: 1).map(\.number) == [19])

      func list(
        _ scope: AccessScope = AccessScope(callerID: Self.other, role: .admin),
        after: PageKey? = nil, _ change: (inout AuditQuery) -> Void = { _ in }
      ) async throws -> Page<AuditEntry> {
        var query = AuditQuery()
        change(&query)
        return try await store.audit.entries(
          query, page: PageRequest(limit: 15, after: after), scope: scope)
      }
      let page = try await list()
      #expect(page.items.map(\.number) == (6...20).reversed())
      let rest = try await list(after: page.next)
      #expect(rest.items.map(\.number) == [5, 4, 3, 2, 1])
      #expect(rest.next == nil)
      #expect(try await list { $0.kinds = [.refusal, .signIn] }.items.map(\.number) == [3, 2])
      #expect(try await list { $0.actorID = Self.other }.items.map(\.number) == [4, 3])
      #expect(try await list { $0.subjectID = Self.reader }.items.map(\.number) == [4])
      #expect(
        try await list {
          $0.actorID = Self.reader
          $0.subjectID = Self.reader
        }.items == [])
      let later = StoreFixture.start.advanced(by: .seconds(5))
      #expect(try await list { $0.from = later }.items.map(\.number) == [4])
      #expect(
        try await list {
          $0.until = later
          $0.kinds = [.signIn]
        }.items.map(\.number) == [3])
      // Others see what they did, and what was done with what is theirs.
      let own = try await list(AccessScope(callerID: Self.reader, role: .learner))
      #expect(own.items.allSatisfy { $0.actorID == Self.reader || $0.subjectID == Self.reader })
      #expect(own.items.count == 15)
      let none = AccessScope(callerID: EntityID(high: 1, low: 1), role: .learner)
      #expect(try await list(none).items == [])
      #expect(try await list(none) { $0.actorID = Self.reader }.items == [])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theLogAndTheEntriesAreSealedAndVerified(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      for number in 0..<5 { _ = try await store.addGoal(owner: ada, title: "Meta \(number)") }
      _ = try await store.sequenceAll()
      try await store.audit.append([entry(store)])
      var configuration = LogSealer.Configuration()
      configuration.rowMax = 7
      let sealer = LogSealer(
        log: store.log, store: store.audit, time: FixedTime(), configuration: configuration,
        logger: Logger(label: "test"))
      try await sealer.sealAll()
      let head = try await store.log.head()
      #expect(head == 21)
      let report = try await SealVerifier(log: store.log, store: store.audit).verify()
      #expect(report.fault == nil)
      #expect(report.sealCount == 3)
      #expect(report.sealedPosition == head)
      #expect(report.sealedEntry == 1)
      #expect(sealer.status.position == head)
      let last = try #require(try await store.audit.lastSeal())
      #expect(last.hash == report.head)
      // The second of a number is refused.
      #expect(try await !store.audit.insert(last))
      // A hash that was kept is found for ever; another one never.
      _ = try await store.addGoal(owner: ada)
      _ = try await store.sequenceAll()
      try await sealer.sealAll()
      let verifier = SealVerifier(log: store.log, store: store.audit)
      #expect(try await verifier.verify(expected: last.hash).fault == nil)
      #expect(
        try await verifier.verify(expected: [UInt8](repeating: 1, count: 32)).fault
          == .headUnknown)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func whatBecomesOfATokenIsAnEvent(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      let now = StoreFixture.start
      func token(_ number: UInt8, parent: TokenRecord? = nil) -> TokenRecord {
        TokenRecord(
          id: store.ids.next(at: now), userID: ada.id, parentID: parent?.id, role: .learner,
          hash: [UInt8](repeating: number, count: 32), label: "portátil", scopes: ["read"],
          createdAt: now, expiresAt: now.advanced(by: .seconds(60)))
      }
      let parent = token(1)
      let child = token(2, parent: parent)
      try await store.tokens.insert(parent)
      #expect(try await store.tokens.insert(child, workingCountMax: 2) == .inserted)
      // One that is not made has none.
      #expect(try await store.tokens.insert(token(3), workingCountMax: 2) == .limitReached)
      #expect(try await store.tokens.revoke(child.id, at: now))
      #expect(try await store.tokens.revoke(parent.id, at: now))
      #expect(try await store.tokens.revoke(parent.id, at: now))
      let events = try await store.sequenceAll().filter { $0.entityType == "token" }
      #expect(
        events.map { [$0.type, $0.entityID.description] } == [
          ["user.token_issued", parent.id.description],
          ["user.token_issued", child.id.description],
          ["user.token_revoked", child.id.description],
          ["user.token_revoked", parent.id.description],
        ])
      for event in events {
        #expect(event.userID == nil)
        let payload = event.payload.sealedText
        #expect(payload.contains(ada.id.description))
        #expect(!payload.contains("portátil") && !payload.contains("hash"))
      }
    }
  }
}

/// A clock that stands.
private struct FixedTime: TimeSource {
  func now() -> Timestamp { StoreFixture.start }
}
