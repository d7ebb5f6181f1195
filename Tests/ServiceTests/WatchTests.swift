import Contract
import Domain
import InMemoryStore
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Watch` {
  @Test func `sends what was, says so, and then what happens`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let created = try await fixture.createGoal(tasks: ["uno"], as: ada)
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let past = try await watch.events(until: .caughtUp)
    #expect(past.map(\.type) == ["goal.created", "task.created"])
    #expect(past[0].entityId == created.goal?.id)
    #expect(past[0].payloadJson.contains("Aprender FastAPI"))
    _ = try await fixture.completeTask(created.tasks[0].id, as: ada)
    try await fixture.relay()
    let live = try await watch.events(3)
    #expect(live.map(\.type) == ["task.completed", "goal.started", "goal.completed"])
    watch.cancel()
    #expect(await watch.end()?.code == .cancelled)
  }

  @Test func `without a start sends only what happens from now on`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    _ = try await fixture.createGoal("antes", as: ada)
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(), as: ada)
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    _ = try await fixture.createGoal("después", as: ada)
    try await fixture.relay()
    #expect(try await watch.events(1)[0].payloadJson.contains("después"))
  }

  @Test func `resumes after any cursor with nothing skipped or doubled`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    for number in 1...20 { _ = try await fixture.createGoal("\(number)", as: ada) }
    try await fixture.relay()
    let whole = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let all = try await whole.events(until: .caughtUp)
    #expect(all.count == 20)
    for (index, event) in all.enumerated() {
      let part = WatchProbe(fixture, WatchRequest(start: .afterCursor(event.cursor)), as: ada)
      #expect(try await part.events(until: .caughtUp) == Array(all[(index + 1)...]))
      part.cancel()
    }
  }

  @Test func `starts after the receipt of a write, and at a time`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let first = try await fixture.createGoal("1", as: ada)
    fixture.time.advance(by: .seconds(60))
    let middle = fixture.time.now()
    _ = try await fixture.createGoal("2", as: ada)
    try await fixture.relay()
    let receipt = first.receipt?.cursor ?? ""
    for start in [
      WatchRequest.Start.afterCursor(receipt), .fromTimeUs(middle.microsecondsSinceEpoch),
    ] {
      let watch = WatchProbe(fixture, WatchRequest(start: start), as: ada)
      let events = try await watch.events(until: .caughtUp)
      #expect(events.count == 1)
      #expect(events.first?.payloadJson.contains("\"2\"") == true)
      watch.cancel()
    }
  }

  @Test func `from a time to come sends nothing of now`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    _ = try await fixture.createGoal("1", as: ada)
    try await fixture.relay()
    let future = fixture.time.now().advanced(by: .seconds(3600))
    let watch = WatchProbe(
      fixture, WatchRequest(start: .fromTimeUs(future.microsecondsSinceEpoch)), as: ada)
    #expect(try await watch.events(until: .caughtUp).isEmpty)
    _ = try await fixture.createGoal("2", as: ada)
    fixture.time.advance(by: .seconds(3600))
    _ = try await fixture.createGoal("3", as: ada)
    try await fixture.relay()
    #expect(try await watch.events(1)[0].payloadJson.contains("\"3\""))
    watch.cancel()
  }

  @Test func `sends a learner nothing of others, and an admin everything`() async throws {
    let fixture = ServiceFixture()
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    for number in 1...10 {
      _ = try await fixture.createGoal("\(number)", as: number % 2 == 0 ? ada : bea)
    }
    try await fixture.relay()
    let own = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let events = try await own.events(until: .caughtUp)
    #expect(events.count == 5)
    #expect(events.allSatisfy { $0.userId == ada.id.description })
    let filter = Contract.EventFilter(userIds: [bea.id.description])
    let nosy = WatchProbe(
      fixture, WatchRequest(filter: filter, start: .fromBeginning(true)), as: ada)
    #expect(try await nosy.events(until: .caughtUp).isEmpty)
    let admin = WatchProbe(
      fixture, WatchRequest(start: .fromBeginning(true)), as: fixture.user(.admin))
    #expect(try await admin.events(until: .caughtUp).count == 10)
  }

  @Test func `sends the owner of a course what belongs to it, while the learner is in it`()
    async throws
  {
    let fixture = ServiceFixture()
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    _ = try await fixture.createGoal("privada", as: ada)
    let shared = try await fixture.createGoal(
      "del curso", tasks: ["uno"], courseID: course.id, as: ada)
    try await fixture.relay()
    let watch = WatchProbe(
      fixture, WatchRequest(start: .fromBeginning(true), checkpointInterval: 1), as: teacher)
    let past = try await watch.events(until: .caughtUp)
    #expect(
      past.map(\.type) == ["course.created", "course.enrolled", "goal.created", "task.created"])
    #expect(past[2].entityId == shared.goal?.id)
    let other = WatchProbe(
      fixture, WatchRequest(start: .fromBeginning(true)), as: fixture.user(.instructor))
    #expect(try await other.events(until: .caughtUp).isEmpty)
    let _: LeaveResponse = try await fixture.call(
      CourseServiceMethods.leave, LeaveRequest(courseId: course.id), as: ada)
    try await fixture.relay()
    #expect(try await watch.events(1).map(\.type) == ["course.left"])
    _ = try await fixture.completeTask(shared.tasks[0].id, as: ada)
    try await fixture.relay()
    // task.completed, goal.started and goal.completed are passed over.
    for _ in 0..<3 { #expect(try await watch.next()?.step == .mark(.checkpoint)) }
    try await fixture.enrol(in: course.id, as: ada)
    try await fixture.relay()
    #expect(try await watch.events(1).map(\.type) == ["course.enrolled"])
  }

  @Test func `filters by goal, task, course and type`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let created = try await fixture.createGoal("1", tasks: ["uno", "dos"], as: ada)
    _ = try await fixture.createGoal("2", as: ada)
    try await fixture.relay()
    func types(_ filter: Contract.EventFilter) async throws -> [String] {
      let watch = WatchProbe(
        fixture, WatchRequest(filter: filter, start: .fromBeginning(true)), as: ada)
      defer { watch.cancel() }
      return try await watch.events(until: .caughtUp).map(\.type)
    }
    let goalID = created.goal?.id ?? ""
    #expect(
      try await types(Contract.EventFilter(goalIds: [goalID]))
        == ["goal.created", "task.created", "task.created"])
    #expect(
      try await types(Contract.EventFilter(taskIds: [created.tasks[1].id])) == ["task.created"])
    #expect(
      try await types(Contract.EventFilter(types: ["goal.*"])) == ["goal.created", "goal.created"])
    #expect(
      try await types(Contract.EventFilter(goalIds: [goalID], types: ["goal.created"]))
        == ["goal.created"])
  }

  @Test(arguments: [
    Contract.EventFilter(userIds: ["x"]), Contract.EventFilter(types: ["goal"]),
    Contract.EventFilter(types: ["Goal.Created"]), Contract.EventFilter(types: ["a.b.c"]),
    Contract.EventFilter(types: Array(repeating: "goal.*", count: 101)),
  ])
  func `refuses filters that are none`(filter: Contract.EventFilter) async {
    let fixture = ServiceFixture()
    let watch = WatchProbe(fixture, WatchRequest(filter: filter), as: fixture.user())
    #expect(await watch.end()?.code == .invalidArgument)
  }

  @Test func `refuses callers without a token and cursors that are none`() async {
    let fixture = ServiceFixture()
    let anonymous = WatchProbe(fixture, WatchRequest(), as: nil)
    #expect(await anonymous.end()?.code == .unauthenticated)
    for cursor in ["", "nonsense"] {
      let watch = WatchProbe(
        fixture, WatchRequest(start: .afterCursor(cursor)), as: fixture.user())
      #expect(await watch.end()?.code == .outOfRange)
    }
  }

  @Test func `tells how far it is where the filter passes over much`() async throws {
    let fixture = ServiceFixture()
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    for number in 1...10 { _ = try await fixture.createGoal("\(number)", as: bea) }
    try await fixture.relay()
    let watch = WatchProbe(
      fixture, WatchRequest(start: .fromBeginning(true), checkpointInterval: 4), as: ada)
    var marks: [SubscriptionMark] = []
    while let message = try await watch.next(), case .mark(let mark) = message.step {
      marks.append(mark)
      if mark == .caughtUp { break }
    }
    // What leads to the learner's own events passes over all ten at once.
    #expect(marks == [.checkpoint, .caughtUp])
    for number in 11...18 {
      _ = try await fixture.createGoal("\(number)", as: bea)
      try await fixture.relay()
    }
    for position in [14, 18] {
      let message = try await watch.next()
      #expect(message?.step == .mark(.checkpoint))
      #expect(message?.cursor == ServiceFixture.cursors.cursor(Int64(position)))
    }
  }

  @Test func `costs nothing and never falls behind while nothing of it happens`() async throws {
    let fixture = ServiceFixture(ringCapacity: 4)
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(), as: ada)
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    while fixture.hub.waiterCount == 0 { await Task.yield() }
    for number in 1...50 {
      _ = try await fixture.createGoal("\(number)", as: bea)
      try await fixture.relay()
    }
    #expect(fixture.hub.wokenCount == 0)
    let own = try await fixture.createGoal("propia", as: ada)
    try await fixture.relay()
    let message = try #require(try await watch.next())
    guard case .event(let event) = message.step else { return #expect(Bool(false), "\(message)") }
    #expect(event.entityId == own.goal?.id)
    while fixture.hub.waiterCount == 0 { await Task.yield() }
    _ = try await fixture.createGoal("51", as: bea)
    try await fixture.relay()
    fixture.hub.drain()
    // It resumes where nothing is left to look at.
    #expect(await watch.end()?.resumeCursor == ServiceFixture.cursors.cursor(52))
  }

  @Test func `falls behind, says so, reads the log and catches up, alone`() async throws {
    let fixture = ServiceFixture(ringCapacity: 8)
    let ada = fixture.user()
    try await fixture.relay()
    let slow = WatchProbe(fixture, WatchRequest(), as: ada, credit: 1)
    let quick = WatchProbe(fixture, WatchRequest(), as: ada)
    #expect(try await slow.next()?.step == .mark(.caughtUp))
    #expect(try await quick.next()?.step == .mark(.caughtUp))
    var titles: [String] = []
    for number in 1...100 {
      titles.append("\"\(number)\"")
      _ = try await fixture.createGoal("\(number)", as: ada)
      try await fixture.relay()
      #expect(try await quick.events(1).count == 1)
    }
    slow.grant(1000)
    var marks: [SubscriptionMark] = []
    var seen: [String] = []
    while seen.count < 100 || marks.last != .caughtUp, let message = try await slow.next() {
      switch message.step {
      case .event(let event): seen.append(event.payloadJson)
      case .mark(let mark): marks.append(mark)
      case nil: break
      }
    }
    #expect(marks == [.fellBehind, .caughtUp])
    #expect(zip(seen, titles).allSatisfy { $0.contains($1) })
    #expect(seen.count == 100)
  }

  @Test func `costs no more memory for large events, and misses none of them`() async throws {
    let fixture = ServiceFixture(ringByteCountMax: 100_000)
    let ada = fixture.user()
    try await fixture.relay()
    let slow = WatchProbe(fixture, WatchRequest(), as: ada, credit: 1)
    #expect(try await slow.next()?.step == .mark(.caughtUp))
    var ids: [String] = []
    for _ in 1...20 {
      let created: CreateGoalResponse = try await fixture.call(
        GoalServiceMethods.createGoal,
        CreateGoalRequest(title: "larga", description: String(repeating: "x", count: 10_000)),
        as: ada)
      ids.append(created.goal?.id ?? "")
      try await fixture.relay()
      #expect(fixture.hub.byteCount <= 100_000)
    }
    #expect(fixture.hub.byteCount > 50_000)
    slow.grant(1000)
    #expect(try await slow.events(20).map(\.entityId) == ids)
    slow.cancel()
  }

  @Test func `gets an event that is larger than the ring may be`() async throws {
    let fixture = ServiceFixture(ringByteCountMax: 1)
    let ada = fixture.user()
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(), as: ada)
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    for number in 1...3 {
      let created = try await fixture.createGoal("\(number)", as: ada)
      try await fixture.relay()
      #expect(try await watch.events(1).map(\.entityId) == [created.goal?.id])
    }
    watch.cancel()
  }

  @Test func `ends with where to resume when the server goes away`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    _ = try await fixture.createGoal("1", as: ada)
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let last = try #require(try await watch.events(until: .caughtUp).last)
    fixture.hub.drain()
    let error = try #require(await watch.end())
    #expect(error.code == .unavailable)
    #expect(error.decodedDetails.reason == .draining)
    #expect(error.resumeCursor == last.cursor)
  }

  @Test func `that cannot read the log ends with where to resume`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    for number in 1...3 { _ = try await fixture.createGoal("\(number)", as: ada) }
    try await fixture.relay()
    fixture.store.fail(.readLog, .unavailable("gone", maybeCommitted: false))
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let error = try #require(await watch.end())
    #expect(error.code == .unavailable)
    #expect(error.resumeCursor == ServiceFixture.cursors.cursor(0))
  }

  @Test func `ends once its token was revoked or its user shut out`() async throws {
    let fixture = ServiceFixture()
    let (ada, bea, admin) = (fixture.user(), fixture.user(name: "Bea"), fixture.user(.admin))
    try await fixture.relay()
    var watches: [WatchProbe] = []
    var tokens: [String] = []
    for user in [ada, bea] {
      let token: CreateTokenResponse = try await fixture.call(
        UserServiceMethods.createToken, CreateTokenRequest(), as: user)
      let id = token.token?.id ?? ""
      tokens.append(id)
      try await fixture.relay()
      let watch = WatchProbe(fixture, WatchRequest(), as: user, tokenID: id)
      #expect(try await watch.next()?.step == .mark(.caughtUp))
      watches.append(watch)
    }
    let _: RevokeTokenResponse = try await fixture.call(
      UserServiceMethods.revokeToken, RevokeTokenRequest(tokenId: tokens[0]), as: ada)
    let _: DeactivateUserResponse = try await fixture.call(
      UserServiceMethods.deactivateUser, DeactivateUserRequest(userId: bea.id.description),
      as: admin)
    await fixture.services.standing.check()
    for watch in watches {
      #expect(await watch.end()?.code == .unauthenticated)
      #expect(try await watch.next() == nil)
    }
  }

  @Test func `serves hundreds at a time, each with every event`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    try await fixture.relay()
    let probes = (0..<200).map { _ in WatchProbe(fixture, WatchRequest(), as: ada) }
    for probe in probes { #expect(try await probe.next()?.step == .mark(.caughtUp)) }
    for number in 1...10 { _ = try await fixture.createGoal("\(number)", as: ada) }
    try await fixture.relay()
    let first = try await probes[0].events(10)
    for probe in probes.dropFirst() { #expect(try await probe.events(10) == first) }
    for probe in probes { probe.cancel() }
    for probe in probes { #expect(await probe.end()?.code == .cancelled) }
    #expect(fixture.hub.waiterCount == 0)
  }
}
