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

/// Shared code names no author: not to whoever reads it, in no way.
@Suite struct `The audit of shared code` {
  private let retriever = FakeRetriever()
  private let fixture: ServiceFixture

  init() { fixture = ServiceFixture(model: ScriptedModel([.text("Bien.")]), retriever: retriever) }

  private func example(by author: Domain.User) async throws -> String {
    let id = try #require(try await fixture.submit(as: author).snapshot?.id)
    _ = try await fixture.share(id, as: author)
    _ = try await fixture.judge(id, as: fixture.user(.service))
    try await fixture.embedAll()
    return id
  }

  private func entries(
    as user: Domain.User, of subject: Domain.User? = nil
  ) async throws -> [Contract.AuditEntry] {
    await fixture.audit.flush()
    let response: ListAuditEntriesResponse = try await fixture.call(
      ServerServiceMethods.listAuditEntries,
      ListAuditEntriesRequest(subjectId: subject?.id.description ?? "", kinds: [.read]), as: user)
    return response.entries
  }

  @Test(arguments: [
    "RetrievalService/SearchValidatedCode", "RetrievalService/Search",
    "CodeValidationService/GetSnapshot", "CodeValidationService/CompareSnapshots",
  ])
  func `tells its author who read it, and the reader not whose it was`(_ method: String)
    async throws
  {
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    let id = try await example(by: ada)
    let own = try #require(try await fixture.submit(as: bea).snapshot?.id)
    func read(as user: Domain.User) async throws {
      switch method {
      case "RetrievalService/SearchValidatedCode":
        let _: SearchResponse = try await fixture.call(
          RetrievalServiceMethods.searchValidatedCode,
          SearchValidatedCodeRequest(query: "print"), as: user)
      case "RetrievalService/Search":
        let found: SearchResponse = try await fixture.call(
          RetrievalServiceMethods.search, SearchRequest(query: "print", minSimilarity: -1), as: user
        )
        try #require(found.hits.contains { $0.citation?.entityId == id })
      case "CodeValidationService/GetSnapshot":
        let _: GetSnapshotResponse = try await fixture.call(
          CodeValidationServiceMethods.getSnapshot, GetSnapshotRequest(snapshotId: id), as: user)
      default:
        let _: CompareSnapshotsResponse = try await fixture.call(
          CodeValidationServiceMethods.compareSnapshots,
          CompareSnapshotsRequest(earlierSnapshotId: own, snapshotId: id), as: user)
      }
    }
    try await read(as: bea)
    let told = try #require(
      try await entries(as: ada).first { $0.actorId == bea.id.description })
    #expect(told.method == "hito.v1." + method && told.subjectId == ada.id.description)
    #expect(told.count == 1 && told.kind == .read)
    let mine = try #require(try await entries(as: bea).first { $0.id == told.id })
    #expect(mine.subjectId.isEmpty && mine.reason == Domain.AuditEntry.exampleReason)
    // Nor may be asked for whose it was.
    #expect(try await entries(as: bea, of: ada).isEmpty)
    #expect(try await entries(as: ada, of: ada).contains { $0.id == told.id })
    let root = fixture.user(.admin)
    #expect(try await entries(as: root, of: ada).contains { $0.id == told.id })
    // One's own is no entry.
    if method != "CodeValidationService/CompareSnapshots" {
      try await read(as: ada)
      #expect(try await entries(as: ada).allSatisfy { $0.actorId != ada.id.description })
    }
  }

  @Test func `tells its author where an agent showed it, also when it is shown again`() async throws
  {
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    let id = try await example(by: ada)
    var context = AgentScript.context
    context.code[0].passage.entityID = try #require(EntityID(id))
    retriever.find(context)
    let request = GetFeedbackRequest(subject: .code(CodeText(language: "python", content: "x = 1")))
    for count in 1...2 {
      let stream = StreamProbe<GetFeedbackResponse>(
        fixture, CodeValidationServiceMethods.getFeedback, request, as: bea, key: "k")
      let cited = try await stream.all().contains { message in
        if case .context(let context) = message.step {
          context.citations.contains { $0.entityId == id }
        } else {
          false
        }
      }
      #expect(cited)
      await fixture.audit.flush(isLast: true)
      let told = try await entries(as: ada).filter { $0.actorId == bea.id.description }
      #expect(told.count == count && told.allSatisfy { $0.count == 1 })
      #expect(told.first?.method == "hito.v1.CodeValidationService/GetFeedback")
    }
    #expect(try await entries(as: bea).allSatisfy(\.subjectId.isEmpty))
    #expect(try await entries(as: bea).count == 2)
  }
}

@Suite struct `The audit of runs` {
  @Test func `tells the learner who had a goal planned from what is theirs`() async throws {
    let fixture = ServiceFixture(
      model: ScriptedModel([.text(AgentScript.good)]),
      retriever: FakeRetriever(AgentScript.context))
    let (root, ada) = (fixture.user(.admin), fixture.user())
    let stream = StreamProbe<GenerateGoalResponse>(
      fixture, GoalServiceMethods.generateGoal,
      GenerateGoalRequest(prompt: "Quiero aprender FastAPI", userId: ada.id.description), as: root)
    let id = try #require(try await stream.all().first?.runId)
    let watch = StreamProbe<GenerateGoalResponse>(
      fixture, GoalServiceMethods.watchRun, WatchRunRequest(runId: id), as: root)
    _ = try await watch.all()
    await fixture.audit.flush(isLast: true)
    let response: ListAuditEntriesResponse = try await fixture.call(
      ServerServiceMethods.listAuditEntries, ListAuditEntriesRequest(kinds: [.read]), as: ada)
    let told = response.entries.filter { $0.actorId == root.id.description && $0.reason.isEmpty }
    #expect(
      Set(told.map(\.method))
        == ["hito.v1.GoalService/GenerateGoal", "hito.v1.GoalService/WatchRun"])
    #expect(told.allSatisfy { $0.count == 1 })
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

  private func example(by reader: Int, of author: Int) -> AuditBookMachine.Key {
    AuditBookMachine.Key(
      kind: .read, actorID: EntityID(high: 1, low: UInt64(reader)),
      subjectID: EntityID(high: 2, low: UInt64(author)), method: "search",
      reason: Domain.AuditEntry.exampleReason)
  }

  @Test func `tells of one reader the authors of so much shared code, and that there were more`() {
    var book = AuditBookMachine()
    let most = AuditBookMachine.exampleKeyMaxOfOne
    for author in 0..<(most * 3) { book.note(example(by: 1, of: author), at: start) }
    let taken = book.take(at: start)
    #expect(taken.count == most + 1)
    #expect(taken.map(\.1.count).reduce(0, +) == Int64(most * 3))
    let rest = taken.first { $0.0.subjectID == nil }
    #expect(rest?.1.count == Int64(most * 2) && rest?.0.actorID == EntityID(high: 1, low: 1))
    // Another reader's are as apart as ever.
    book.note(example(by: 2, of: 7), at: start)
    #expect(book.take(at: start).map(\.0.subjectID) == [EntityID(high: 2, low: 7)])
    // Their whiles over, so are this one's.
    let later = start.advanced(by: .seconds(3600))
    _ = book.take(at: later)
    #expect(book.keyCount == 0)
    book.note(example(by: 1, of: most), at: later)
    #expect(book.take(at: later).map(\.0.subjectID) == [EntityID(high: 2, low: UInt64(most))])
  }

  @Test func `lets no amount of shared code take the room of other reads`() {
    var book = AuditBookMachine()
    let most = AuditBookMachine.exampleKeyMax
    for number in 0..<(most * 2) { book.note(example(by: number / 50, of: number), at: start) }
    #expect(book.keyCount == most + 1)
    let admin = AuditBookMachine.Key(
      kind: .read, actorID: EntityID(high: 3, low: 1), subjectID: EntityID(high: 2, low: 1),
      method: "GetGoal")
    for number in 0..<(AuditBookMachine.limit(.read).keyMax - 1) {
      book.note(AuditBookMachine.Key(kind: .read, method: "m\(number)"), at: start)
    }
    book.note(admin, at: start)
    #expect(book.take(at: start).contains { $0.0 == admin })
  }
}
