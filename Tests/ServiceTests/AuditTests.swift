import Contract
import Domain
import RPC
import Service
import Testing

@Suite struct `The audit` {
  private func entries(
    _ fixture: ServiceFixture, as user: Domain.User, kinds: [AuditKind] = []
  ) async throws -> [Contract.AuditEntry] {
    await fixture.audit.flush()
    let response: ListAuditEntriesResponse = try await fixture.call(
      ServerServiceMethods.listAuditEntries, ListAuditEntriesRequest(kinds: kinds), as: user)
    return response.entries
  }

  @Test func `tells who was refused what, and how often`() async throws {
    let fixture = ServiceFixture()
    let (root, ada) = (fixture.user(.admin), fixture.user())
    for _ in 0..<3 {
      let error = await failure {
        try await fixture.call(
          UserServiceMethods.listUsers, ListUsersRequest(), as: ada,
          returning: ListUsersResponse.self)
      }
      #expect(error.code == .permissionDenied)
    }
    let bea = fixture.user(name: "Bea")
    let goal = try await fixture.createGoal(as: bea)
    _ = await failure { try await fixture.getGoal(goal.goal?.id, as: ada) }
    let found = try await entries(fixture, as: root, kinds: [.refusal])
    #expect(found.count == 2)
    let refused = try #require(found.first { $0.status == 7 })
    #expect(refused.count == 3 && refused.actorId == ada.id.description)
    #expect(refused.method == "hito.v1.UserService/ListUsers")
    let missed = try #require(found.first { $0.status == 5 })
    #expect(missed.method == "hito.v1.GoalService/GetGoal" && missed.reason.isEmpty)
  }

  @Test func `tells people who read what is theirs, and nobody else but admins`() async throws {
    let fixture = ServiceFixture()
    let (root, ada, bea) = (fixture.user(.admin), fixture.user(), fixture.user(name: "Bea"))
    let goal = try await fixture.createGoal(as: ada)
    _ = try await fixture.getGoal(goal.goal?.id, as: ada)
    for _ in 0..<2 { _ = try await fixture.getGoal(goal.goal?.id, as: root) }
    let list: ListGoalsResponse = try await fixture.call(
      GoalServiceMethods.listGoals, ListGoalsRequest(), as: root)
    #expect(list.goals.count == 1)
    let seen = try await entries(fixture, as: ada)
    #expect(
      Set(seen.map(\.method)) == ["hito.v1.GoalService/GetGoal", "hito.v1.GoalService/ListGoals"])
    #expect(seen.allSatisfy { $0.actorId == root.id.description && $0.kind == .read })
    #expect(try await entries(fixture, as: bea) == [])
    // A service does much for learners, and sees only that in the audit.
    #expect(try await entries(fixture, as: fixture.user(.service)) == [])
    #expect(try await entries(fixture, as: root, kinds: [.read]).count == 2)
  }

  @Test func `pages with a filter, and refuses kinds that there are not`() async throws {
    let fixture = ServiceFixture()
    let root = fixture.user(.admin)
    for number in 0..<5 {
      let user = fixture.user(name: "U\(number)")
      _ = await failure {
        try await fixture.call(
          UserServiceMethods.listUsers, ListUsersRequest(), as: user,
          returning: ListUsersResponse.self)
      }
    }
    await fixture.audit.flush()
    var request = ListAuditEntriesRequest(page: PageRequest(pageSize: 2))
    var numbers: [Int64] = []
    repeat {
      let page: ListAuditEntriesResponse = try await fixture.call(
        ServerServiceMethods.listAuditEntries, request, as: root)
      numbers += page.entries.map(\.number)
      request.page?.pageToken = page.page?.nextPageToken ?? ""
    } while request.page?.pageToken != ""
    #expect(numbers == [5, 4, 3, 2, 1])
    let error = await failure {
      try await fixture.call(
        ServerServiceMethods.listAuditEntries, ListAuditEntriesRequest(kinds: [.unspecified]),
        as: root, returning: ListAuditEntriesResponse.self)
    }
    #expect(error.code == .invalidArgument)
  }

  @Test func `writes nothing twice, and keeps what the store cannot take now`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    func refuse() async {
      _ = await failure {
        try await fixture.call(
          UserServiceMethods.listUsers, ListUsersRequest(), as: ada,
          returning: ListUsersResponse.self)
      }
    }
    await refuse()
    fixture.store.fail(.commit, .unavailable("away", maybeCommitted: false))
    await fixture.audit.flush()
    #expect(try await fixture.store.entries(after: 0, limit: 10) == [])
    await fixture.audit.flush()
    #expect(try await fixture.store.entries(after: 0, limit: 10).map(\.count) == [1])
    // Within a minute it is counted only, and said at the end.
    await refuse()
    await refuse()
    await fixture.audit.flush()
    #expect(try await fixture.store.entries(after: 0, limit: 10).count == 1)
    await fixture.audit.flush(isLast: true)
    #expect(try await fixture.store.entries(after: 0, limit: 10).map(\.count) == [1, 2])
  }
}

@Suite struct `The book of what happened` {
  private let start = Domain.Timestamp(microsecondsSinceEpoch: 0)

  private func key(_ number: Int) -> AuditBookMachine.Key {
    AuditBookMachine.Key(kind: .refusal, method: "m\(number)", status: 7, peer: "10.0.0.1")
  }

  @Test func `says what is new at once, and how often when its while is over`() {
    var book = AuditBookMachine()
    book.note(key(1), at: start)
    #expect(book.take(at: start).map(\.1.count) == [1])
    for second in 1...5 { book.note(key(1), at: start.advanced(by: .seconds(second))) }
    #expect(book.take(at: start.advanced(by: .seconds(30))).isEmpty)
    let last = book.take(at: start.advanced(by: .seconds(60)))
    #expect(last.map(\.1.count) == [5])
    #expect(last.first?.1.firstAt == start.advanced(by: .seconds(1)))
    #expect(last.first?.1.lastAt == start.advanced(by: .seconds(5)))
    #expect(book.keyCount == 0)
  }

  @Test func `keeps so many things apart, and counts the rest together`() {
    var book = AuditBookMachine()
    let most = AuditBookMachine.limit(.refusal).keyMax
    for number in 0..<(most * 10) { book.note(key(number), at: start) }
    #expect(book.keyCount == most + 1)
    let taken = book.take(at: start)
    #expect(taken.count == most + 1)
    #expect(taken.map(\.1.count).reduce(0, +) == Int64(most * 10))
    #expect(taken.first { $0.0.method.isEmpty }?.1.count == Int64(most * 9))
    // Their whiles over, there is room again.
    _ = book.take(at: start.advanced(by: .seconds(60)))
    #expect(book.keyCount == 0)
    book.note(key(1), at: start.advanced(by: .seconds(61)))
    #expect(book.take(at: start.advanced(by: .seconds(61))).map(\.0.method) == ["m1"])
  }
}
