import Contract
import Domain
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Pages and cursors` {
  let fixture = ServiceFixture()

  private func page(
    _ size: Int32, _ token: String = "", statuses: [Contract.WorkStatus] = [],
    as user: Domain.User
  ) async throws -> ListGoalsResponse {
    try await fixture.call(
      GoalServiceMethods.listGoals,
      ListGoalsRequest(
        page: Contract.PageRequest(pageSize: size, pageToken: token), statuses: statuses),
      as: user)
  }

  @Test func `show every item once, newest first`() async throws {
    let ada = fixture.user()
    for number in 1...7 { _ = try await fixture.createGoal("\(number)", as: ada) }
    var titles: [String] = []
    var token = ""
    repeat {
      let response = try await page(3, token, as: ada)
      titles += response.goals.map(\.title)
      token = response.page?.nextPageToken ?? ""
    } while !token.isEmpty
    #expect(titles == ["7", "6", "5", "4", "3", "2", "1"])
  }

  @Test func `refuse tokens of another list, another caller, and those tampered with`() async throws
  {
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    for number in 1...3 { _ = try await fixture.createGoal("\(number)", as: ada) }
    let token = try await page(1, as: ada).page?.nextPageToken ?? ""
    #expect(!token.isEmpty)
    var attempts: [@Sendable () async throws -> ListGoalsResponse] = [
      { try await page(1, token, statuses: [.pending], as: ada) },
      { try await page(1, token, as: bea) },
      { try await page(1, token + "A", as: ada) },
      { try await page(1, String(token.dropLast()), as: ada) },
      { try await page(1, "not a token", as: ada) },
      { try await page(1, String(repeating: "A", count: 5000), as: ada) },
    ]
    for index in token.indices {
      var changed = token
      let letter: Character = token[index] == "A" ? "B" : "A"
      changed.replaceSubrange(index...index, with: [letter])
      let copy = changed
      attempts.append { try await page(1, copy, as: ada) }
    }
    for attempt in attempts {
      let error = await failure { try await attempt() }
      #expect(error.code == .invalidArgument)
      #expect(error.decodedDetails.reason == .badPageToken)
    }
    // The number of items may change from page to page.
    #expect(try await page(2, token, as: ada).goals.map(\.title) == ["2", "1"])
  }

  @Test(arguments: [-1, 201, Int32.max, Int32.min])
  func `hold no more than 200 items`(size: Int32) async {
    let ada = fixture.user()
    let error = await failure { try await page(size, as: ada) }
    #expect(error.code == .invalidArgument)
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["page.page_size"])
  }

  @Test func `are refused where they are not ours`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal(as: ada)
    try await fixture.relay()
    let receipt = created.receipt?.cursor ?? ""
    let cursor = try await fixture.readEvents(as: ada).nextCursor
    let foreign = CursorCodec(secret: [UInt8](repeating: 8, count: 32)) { .unnamed }.cursor(1)
    for bad in [
      "1", "nonsense", "c2_1_" + String(repeating: "0", count: 32), receipt + "0",
      String(cursor.dropLast()), foreign, cursor.replacing("c3", with: "r3"),
      "c2_-1_00000000", String(repeating: "x", count: 100_000),
    ] {
      let byRead = await failure {
        try await fixture.call(
          GoalServiceMethods.listGoals, ListGoalsRequest(minCursor: bad), as: ada,
          returning: ListGoalsResponse.self)
      }
      #expect(byRead.code == .outOfRange, "\(bad.prefix(40))")
      #expect(byRead.decodedDetails.reason == .badCursor)
      let byLog = await failure {
        try await fixture.readEvents(ReadEventsRequest(afterCursor: bad), as: ada)
      }
      #expect(byLog.code == .outOfRange, "\(bad.prefix(40))")
    }
  }

  @Test(arguments: ["c1_1_8c3a1f00", "r1_01a2095423d971c987c23e8efabdd9c6_503274de"])
  func `that were not sealed say to start again`(cursor: String) async throws {
    let error = await failure {
      try await fixture.readEvents(ReadEventsRequest(afterCursor: cursor), as: fixture.user())
    }
    #expect(error.code == .invalidArgument && error.message.contains("start again"))
    #expect(error.decodedDetails.reason == .badCursor)
  }

  @Test func `are waited for by 32 calls of a caller at a time`() async throws {
    let limit = WaitLimit()
    @Sendable func principal(_ name: String) -> Principal {
      Principal(userID: name, role: .learner, tokenID: "")
    }
    /// Runs `body` while the caller waits so often.
    @Sendable func waiting(_ count: Int, _ body: @Sendable () async throws -> Void) async throws {
      guard count > 0 else { return try await body() }
      try await limit.holding(principal("ada")) { try await waiting(count - 1, body) }
    }
    try await waiting(WaitLimit.countMax) {
      let refused = await failure { try await limit.holding(principal("ada")) { true } }
      #expect(refused.code == .resourceExhausted)
      #expect(refused.decodedDetails.reason == .limitReached)
      #expect(refused.decodedDetails.retryDelayUs > 0)
      let isOther = try await limit.holding(principal("bea")) { true }
      #expect(isOther)
    }
    // What ended, well or not, counts no more.
    await #expect(throws: CancellationError.self) {
      try await waiting(WaitLimit.countMax) { throw CancellationError() }
    }
    try await waiting(WaitLimit.countMax) {}
  }

  @Test func `of a write let a reader see it`() async throws {
    let ada = fixture.user()
    let created = try await fixture.createGoal("mía", as: ada)
    let receipt = created.receipt?.cursor ?? ""
    let goals: ListGoalsResponse = try await fixture.call(
      GoalServiceMethods.listGoals, ListGoalsRequest(minCursor: receipt), as: ada)
    #expect(goals.goals.map(\.title) == ["mía"])
    // The log waits until the write has its position.
    let fixture = fixture
    async let waiting = fixture.readEvents(ReadEventsRequest(minCursor: receipt), as: ada)
    try await fixture.relay()
    #expect(try await waiting.events.map(\.type) == ["goal.created"])
    // A receipt is also a place to continue from.
    let after = try await fixture.readEvents(ReadEventsRequest(afterCursor: receipt), as: ada)
    #expect(after.events.isEmpty)
    #expect(after.atEnd)
  }

  @Test func `that wait in vain say what is behind`() async throws {
    let ada = fixture.user()
    let receipt = try await fixture.createGoal(as: ada).receipt?.cursor ?? ""
    let error = await failure {
      try await fixture.call(
        EventServiceMethods.readEvents, ReadEventsRequest(minCursor: receipt), as: ada,
        deadline: .now + .milliseconds(20), returning: ReadEventsResponse.self)
    }
    #expect(error.code == .deadlineExceeded)
    #expect(error.decodedDetails.reason == .lagging)
    #expect(error.decodedDetails.laggingPart == "log")
  }

  @Test func `page through the log of what the caller may see`() async throws {
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    for number in 1...4 {
      _ = try await fixture.createGoal("\(number)", as: number % 2 == 0 ? ada : bea)
    }
    try await fixture.relay()
    let first = try await fixture.readEvents(ReadEventsRequest(pageSize: 1), as: ada)
    #expect(first.events.count == 1)
    #expect(!first.atEnd)
    let second = try await fixture.readEvents(
      ReadEventsRequest(afterCursor: first.nextCursor, pageSize: 5), as: ada)
    #expect(second.events.count == 1)
    #expect(second.atEnd)
    #expect((first.events + second.events).allSatisfy { $0.userId == ada.id.description })
    let third = try await fixture.readEvents(
      ReadEventsRequest(afterCursor: second.nextCursor), as: ada)
    #expect(third.events.isEmpty)
    #expect(third.nextCursor == second.nextCursor)
    let everything = try await fixture.readEvents(as: fixture.user(.admin))
    #expect(everything.events.count == 4)
  }

  @Test func `of large items are short enough for one message, and miss none`() async throws {
    let ada = fixture.user()
    let criteria = [String](repeating: String(repeating: "😀", count: 1000), count: 20)
    var ids: [String] = []
    for _ in 1...60 {
      let created: CreateGoalResponse = try await fixture.call(
        GoalServiceMethods.createGoal,
        CreateGoalRequest(title: "larga", validationCriteria: criteria), as: ada)
      ids.append(created.goal?.id ?? "")
    }
    var listed: [String] = []
    var token = ""
    repeat {
      let response = try await page(200, token, as: ada)
      #expect(!response.goals.isEmpty)
      #expect(response.encodedByteCount < 3 << 20)
      listed += response.goals.map(\.id)
      token = response.page?.nextPageToken ?? ""
    } while !token.isEmpty
    #expect(listed == ids.reversed())
    try await fixture.relay()
    var read: [String] = []
    var response = ReadEventsResponse()
    repeat {
      response = try await fixture.readEvents(
        ReadEventsRequest(afterCursor: response.nextCursor, pageSize: 200), as: ada)
      #expect(response.encodedByteCount < 3 << 20)
      read += response.events.map(\.entityId)
    } while !response.atEnd
    #expect(read == ids)
  }

  @Test func `of a filter that nothing meets come with where to continue`() async throws {
    let admin = fixture.user(.admin)
    fixture.store.seed(
      (1...6000).map { number in
        StoredEvent(
          id: EntityID(high: 1, low: UInt64(number)), seq: Int64(number), position: 0,
          type: "goal.created", entityType: "goal", entityID: EntityID(high: 2, low: 2), version: 1,
          userID: nil, payload: "{}", metadata: "{}", createdAt: SteppingTime.start)
      })
    // Nothing leads to such an event.
    var filter = Contract.EventFilter(types: ["code.*"])
    let none = try await fixture.readEvents(ReadEventsRequest(filter: filter), as: admin)
    #expect(none.events.isEmpty && none.atEnd)
    // The goal leads to all of them, of which none is wanted.
    filter.goalIds = [EntityID(high: 2, low: 2).description]
    let first = try await fixture.readEvents(ReadEventsRequest(filter: filter), as: admin)
    #expect(first.events.isEmpty)
    #expect(!first.atEnd)
    let second = try await fixture.readEvents(
      ReadEventsRequest(filter: filter, afterCursor: first.nextCursor), as: admin)
    #expect(second.atEnd)
  }
}
