import Contract
import Domain
import EventLog
import InMemoryStore
import Logging
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The relay` {
  let fixture = ServiceFixture()

  private func relay(batch: Int = 1000, clock: any Clock<Duration> = InstantClock()) -> EventRelay {
    var configuration = EventRelay.Configuration()
    configuration.batchLimit = batch
    return EventRelay(
      log: fixture.store, hub: fixture.hub, sequencer: fixture.store, configuration: configuration,
      clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Runs the relay while `body` does.
  private func running(
    _ relay: EventRelay, wakeups: AsyncStream<Void>? = nil, _ body: () async throws -> Void
  ) async throws {
    let task = Task { try await relay.run(wakeups: wakeups) }
    try await body()
    task.cancel()
    _ = await task.result
  }

  private func numbers(_ probe: WatchProbe, _ count: Int) async throws -> [String] {
    try await probe.events(count).map(\.entityId)
  }

  private func createGoals(_ count: Int, as user: Domain.User) async throws -> [String] {
    var ids: [String] = []
    for number in 1...count {
      ids.append(try await fixture.createGoal("\(number)", as: user).goal?.id ?? "")
    }
    return ids
  }

  @Test func `gives positions to what was committed and hands it to subscribers`() async throws {
    let ada = fixture.user()
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    let relay = relay(batch: 7)
    try await running(relay) {
      let ids = try await createGoals(50, as: ada)
      relay.wake()
      #expect(try await numbers(watch, 50) == ids)
      #expect(relay.status.isLeading)
    }
    #expect(fixture.store.allEvents.map(\.position) == Array(1...50))
    #expect(!relay.status.isLeading)
  }

  @Test func `continues after every kind of trouble, with nothing lost or doubled`() async throws {
    let ada = fixture.user()
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    // What the subscription reads from the log comes first, before there are faults.
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    let relay = relay(batch: 3)
    try await running(relay) {
      var ids: [String] = []
      for round in 0..<20 {
        switch round % 4 {
        case 0: fixture.store.fail(.sequence, .unavailable("x", maybeCommitted: false))
        case 1: fixture.store.fail(.sequenceAnswer, .unavailable("x", maybeCommitted: true))
        case 2:
          fixture.store.fail(.sequenceAnswer, .timedOut(maybeCommitted: true))
          fixture.store.fail(.sequence, .timedOut(maybeCommitted: true))
        default: break
        }
        ids += try await createGoals(5, as: ada)
        relay.wake()
        #expect(try await numbers(watch, 5) == Array(ids.suffix(5)))
      }
      #expect(relay.status.position == 100)
    }
  }

  @Test func `follows the log while another server leads, and takes over from it`() async throws {
    let ada = fixture.user()
    let watch = WatchProbe(fixture, WatchRequest(start: .fromBeginning(true)), as: ada)
    fixture.store.setLockedByOther(true)
    let (wakeups, source) = AsyncStream<Void>.makeStream()
    let relay = relay()
    try await running(relay, wakeups: wakeups) {
      let first = try await createGoals(3, as: ada)
      fixture.store.sequenceElsewhere()
      source.yield()
      #expect(try await numbers(watch, 3) == first)
      #expect(!relay.status.isLeading)
      // Given its position by the other one, which then goes away before anybody heard of it.
      let second = try await createGoals(3, as: ada)
      fixture.store.sequenceElsewhere()
      fixture.store.setLockedByOther(false)
      let third = try await createGoals(3, as: ada)
      #expect(try await numbers(watch, 6) == second + third)
    }
  }

  @Test func `begins where the log is, not at its beginning`() async throws {
    let ada = fixture.user()
    _ = try await createGoals(5, as: ada)
    fixture.store.sequenceElsewhere()
    let relay = relay()
    try await running(relay) {
      let later = try await createGoals(2, as: ada)
      let watch = WatchProbe(
        fixture, WatchRequest(start: .afterCursor(ServiceFixture.cursors.cursor(5))), as: ada)
      relay.wake()
      #expect(try await numbers(watch, 2) == later)
    }
    #expect(fixture.hub.head == 7)
  }

  /// Writers, faults and subscribers that come and go, at random: each subscriber sees each event
  /// once and in order, however often it is cut off.
  @Test(arguments: 0..<10) func `keeps its promises under random trouble`(seed: Int) async throws {
    let ada = fixture.user()
    let fixture = ServiceFixture(ringCapacity: [1, 4, 64][seed % 3])
    fixture.store.seed(ada)
    let relay = EventRelay(
      log: fixture.store, hub: fixture.hub, sequencer: fixture.store, clock: InstantClock(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let running = Task { try await relay.run() }
    let total = 120
    async let seen = withThrowingTaskGroup(of: [Int64].self) { group in
      for reader in 0..<4 {
        group.addTask { try await read(total, from: fixture, as: ada, reader: reader) }
      }
      return try await group.reduce(into: [[Int64]]()) { $0.append($1) }
    }
    for number in 1...total {
      if Int.random(in: 0..<10) == 0 {
        fixture.store.fail(.sequenceAnswer, .timedOut(maybeCommitted: true))
      }
      if Int.random(in: 0..<10) == 0 {
        fixture.store.fail(.commit, .timedOut(maybeCommitted: true))
      }
      while (try? await fixture.createGoal("\(number)", as: ada)) == nil {}
      relay.wake()
    }
    for versions in try await seen { #expect(versions == Array(1...Int64(total))) }
    running.cancel()
    _ = await running.result
  }

  /// Reads until it has seen `total` events, hanging up at random; answers the positions.
  private func read(
    _ total: Int, from fixture: ServiceFixture, as user: Domain.User, reader: Int
  ) async throws -> [Int64] {
    var cursor = ServiceFixture.cursors.cursor(0)
    var seen: [String] = []
    while seen.count < total {
      let watch = WatchProbe(fixture, WatchRequest(start: .afterCursor(cursor)), as: user)
      var left = Int.random(in: 1...30)
      while left > 0, seen.count < total, let message = try await watch.next() {
        left -= 1
        cursor = message.cursor
        if case .event(let event) = message.step { seen.append(event.cursor) }
      }
      watch.cancel()
      _ = await watch.end()
    }
    let positions = (1...Int64(total)).map { ServiceFixture.cursors.cursor($0) }
    return seen.map { cursor in Int64(positions.firstIndex(of: cursor).map { $0 + 1 } ?? -1) }
  }
}
