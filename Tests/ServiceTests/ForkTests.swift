import Contract
import Domain
import EventLog
import InMemoryStore
import Logging
import RPC
import Service
import Testing

/// A database that lost its last events, and gives their positions to others.
@Suite(.timeLimit(.minutes(1))) struct `A log that was cut` {
  let fixture = ServiceFixture()

  /// So many events, as everybody sees them.
  private func goals(_ count: Int, as user: Domain.User) async throws {
    for number in 1...count { _ = try await fixture.createGoal("\(number)", as: user) }
    try await fixture.relay()
  }

  /// What a failover does: the events after `position` are gone, and so is what followed them here.
  private func lose(after position: Int64) async throws {
    fixture.store.loseEvents(after: position)
    try await fixture.hub.compare(with: fixture.store)
  }

  private func read(after cursor: String, as user: Domain.User) async throws -> ReadEventsResponse {
    try await fixture.readEvents(ReadEventsRequest(afterCursor: cursor), as: user)
  }

  @Test func `refuses cursors beyond the cut, says where to resume, and takes those before it`()
    async throws
  {
    let ada = fixture.user()
    try await goals(6, as: ada)
    let cursors = try await read(after: "", as: ada).events.map(\.cursor)
    try await lose(after: 4)
    try await goals(3, as: ada)
    for (index, cursor) in cursors.enumerated() {
      if index < 4 {
        #expect(try await read(after: cursor, as: ada).events.count == 6 - index)
        continue
      }
      let error = await failure { try await read(after: cursor, as: ada) }
      #expect(error.code == .outOfRange && error.decodedDetails.reason == .logForked)
      let rest = try await read(after: error.resumeCursor ?? "", as: ada)
      #expect(rest.events.count == 3)
      let byRow = await failure {
        try await fixture.call(
          GoalServiceMethods.listGoals, ListGoalsRequest(minCursor: cursor), as: ada,
          returning: ListGoalsResponse.self)
      }
      #expect(byRow.decodedDetails.reason == .logForked)
    }
    // Those of the new epoch hold.
    let now = try await read(after: "", as: ada)
    #expect(now.events.count == 7)
    #expect(try await read(after: now.events[5].cursor, as: ada).events.count == 1)
  }

  @Test func `is found by a client's cursor where nobody else has noticed`() async throws {
    let ada = fixture.user()
    try await goals(6, as: ada)
    let last = try await read(after: "", as: ada).nextCursor
    // Servers and database were restored together.
    fixture.store.loseEvents(after: 4)
    let restored = ServiceFixture(store: fixture.store)
    restored.hub.begin(at: 4)
    #expect(restored.hub.history == .unnamed)
    let error = await failure {
      try await restored.readEvents(ReadEventsRequest(afterCursor: last), as: ada)
    }
    #expect(error.decodedDetails.reason == .logForked)
    #expect(restored.hub.history.epochs.map(\.beganAfter) == [0, 4])
    let after = try await restored.readEvents(
      ReadEventsRequest(afterCursor: error.resumeCursor ?? ""), as: ada)
    #expect(after.events.isEmpty && after.atEnd)
  }

  @Test func `refuses cursors of a history that it never had`() async throws {
    let ada = fixture.user()
    try await goals(9, as: ada)
    // Two ways from one backup: this one, and one that was cut lower.
    let other = LogHistory.unnamed.losing(
      LogLoss(epoch: 0, seen: 9, shared: 3, witness: ""), last: 9)
    let codec = CursorCodec(secret: [UInt8](repeating: 7, count: 32)) { other }
    try await lose(after: 5)
    try await goals(2, as: ada)
    let error = await failure { try await read(after: codec.cursor(6), as: ada) }
    #expect(error.decodedDetails.reason == .logForked)
    #expect(try await read(after: error.resumeCursor ?? "", as: ada).events.count == 4)
    #expect(try await read(after: codec.cursor(3), as: ada).events.count == 4)
  }

  @Test func `refuses cursors of another log by name`() async throws {
    let ada = fixture.user()
    try await goals(1, as: ada)
    let history = LogHistory(logID: EntityID(high: 3, low: 3), epochs: LogHistory.unnamed.epochs)
    let other = try #require(history)
    for secret: UInt8 in [7, 8] {
      let codec = CursorCodec(secret: [UInt8](repeating: secret, count: 32)) { other }
      for text in [codec.cursor(1), codec.receipt(EntityID(high: 1, low: 1))] {
        let error = await failure { try await read(after: text, as: ada) }
        #expect(error.decodedDetails.reason == .badCursor)
        #expect(error.message.contains("another log"))
      }
    }
  }

  @Test func `says at once that a receipt's write is gone`() async throws {
    let ada = fixture.user()
    try await goals(2, as: ada)
    let kept = try await fixture.createGoal(as: ada).receipt?.cursor ?? ""
    try await fixture.relay()
    let lost = try await fixture.createGoal(as: ada).receipt?.cursor ?? ""
    try await fixture.relay()
    try await lose(after: 3)
    for read: @Sendable (String) async throws -> Void in [
      { _ = try await fixture.readEvents(ReadEventsRequest(minCursor: $0), as: ada) },
      { _ = try await fixture.readEvents(ReadEventsRequest(afterCursor: $0), as: ada) },
      { receipt in
        let _: ListGoalsResponse = try await fixture.call(
          GoalServiceMethods.listGoals, ListGoalsRequest(minCursor: receipt), as: ada)
      },
    ] {
      let error = await failure { try await read(lost) }
      #expect(error.code == .outOfRange && error.decodedDetails.reason == .logForked)
      #expect(error.message.contains("lost"))
      try await read(kept)
    }
  }

  @Test func `ends subscriptions that have seen what is gone, and keeps the others`() async throws {
    let ada = fixture.user()
    try await goals(4, as: ada)
    let live = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    _ = try await live.events(until: .caughtUp)
    // It has seen four, and is told no more for a while.
    let slow = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada, credit: 3)
    await slow.blocked()
    try await goals(2, as: ada)
    _ = try await live.events(2)
    try await lose(after: 4)
    try await goals(3, as: ada)
    let error = await live.end()
    #expect(error?.code == .outOfRange && error?.decodedDetails.reason == .logForked)
    let resumed = WatchProbe(
      fixture, WatchRequest(start: .afterCursor(error?.resumeCursor ?? "")), as: ada)
    let new = try await resumed.events(3).map(\.entityId)
    #expect(new == fixture.store.allEvents.suffix(3).map(\.entityID.description))
    slow.grant(100)
    let all = try await slow.events(7).map(\.entityId)
    #expect(all == fixture.store.allEvents.map(\.entityID.description))
  }

  @Test func `is noticed by a relay that follows, however far the log has gone on`() async throws {
    let ada = fixture.user()
    try await goals(6, as: ada)
    fixture.store.setLockedByOther(true)
    let relay = EventRelay(
      log: fixture.store, hub: fixture.hub, sequencer: fixture.store, clock: InstantClock(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    _ = try await watch.events(until: .caughtUp)
    // Another server leads in the new database: an epoch, and then more than was lost.
    fixture.store.loseEvents(after: 4)
    _ = try await fixture.store.declare(
      LogLoss(epoch: LogHistory.unnamed.current.id, seen: 6, witness: "another server"))
    for number in 1...9 { _ = try await fixture.createGoal("\(number)", as: ada) }
    fixture.store.sequenceElsewhere()
    let running = Task { try await relay.run() }
    let error = await watch.end()
    #expect(error?.decodedDetails.reason == .logForked)
    let resumed = WatchProbe(
      fixture, WatchRequest(start: .afterCursor(error?.resumeCursor ?? "")), as: ada)
    #expect(
      try await resumed.events(9).map(\.entityId)
        == fixture.store.allEvents.suffix(9).map(\.entityID.description))
    running.cancel()
    _ = await running.result
  }

  /// What is given before the epoch of another one is known is of the old one, and no more than that.
  @Test func `is found by the events that stand in the place of those that were shown`()
    async throws
  {
    let ada = fixture.user()
    try await goals(6, as: ada)
    fixture.store.loseEvents(after: 4)
    for number in 1...9 { _ = try await fixture.createGoal("\(number)", as: ada) }
    fixture.store.sequenceElsewhere()
    try await fixture.hub.compare(with: fixture.store)
    #expect(fixture.hub.history.epochs.map(\.beganAfter) == [0, 4])
    #expect(fixture.hub.head == 4)
    // Nothing is declared twice.
    try await fixture.hub.compare(with: fixture.store)
    #expect(fixture.hub.history.epochs.count == 2)
  }

  @Test func `takes the cursors of versions before epochs as of its first`() async throws {
    let ada = fixture.user()
    try await goals(3, as: ada)
    // Of positions 2 and 3, as those versions wrote them.
    let second = "c2_2_e5ac12d2f3b7be38e284c2da96bbdb22"
    let third = "c2_3_acfbbbd52c6e462f6ec6fb8ce85eab8d"
    #expect(try await read(after: second, as: ada).events.count == 1)
    try await lose(after: 2)
    try await goals(2, as: ada)
    #expect(try await read(after: second, as: ada).events.count == 2)
    let error = await failure { try await read(after: third, as: ada) }
    #expect(error.decodedDetails.reason == .logForked)
  }
}
