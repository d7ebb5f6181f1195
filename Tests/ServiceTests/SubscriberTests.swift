import Contract
import Domain
import EventLog
import RPC
import Service
import Testing

/// Where a live subscription begins, and what it holds.
@Suite(.timeLimit(.minutes(1))) struct `A subscriber` {
  @Test func `without a start passes over what was acknowledged before, also without a position`()
    async throws
  {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    _ = try await fixture.createGoal("antes", as: ada)
    let watch = WatchProbe(fixture, WatchRequest(), as: ada)
    while fixture.hub.waiterCount == 0 { await Task.yield() }
    let later = try await fixture.createGoal("después", as: ada)
    try await fixture.relay()
    let first = try #require(try await watch.next())
    guard case .event(let event) = first.step else { return #expect(Bool(false), "no event") }
    #expect(event.entityId == later.goal?.id)
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    let last = try await fixture.createGoal("al final", as: ada)
    try await fixture.relay()
    #expect(try await watch.events(1).map(\.entityId) == [last.goal?.id])
    watch.cancel()
  }

  @Test func `without a start is caught up once what was acknowledged has come by`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    _ = try await fixture.createGoal("antes", as: ada)
    let watch = WatchProbe(fixture, WatchRequest(), as: ada)
    while fixture.hub.waiterCount == 0 { await Task.yield() }
    try await fixture.relay()
    let mark = try #require(try await watch.next())
    #expect(mark.step == .mark(.caughtUp) && mark.cursor == ServiceFixture.cursors.cursor(1))
    watch.cancel()
  }

  @Test func `without a start is refused for now where too much waits for a position`()
    async throws
  {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let tasks = (1...100).map { "\($0)" }
    for number in 1...100 { _ = try await fixture.createGoal("\(number)", tasks: tasks, as: ada) }
    let error = await WatchProbe(fixture, WatchRequest(), as: ada).end()
    #expect(error?.code == .unavailable && error?.decodedDetails.laggingPart == "log")
    #expect(error?.decodedDetails.retryDelayUs ?? 0 > 0)
  }

  @Test func `holds none of the events that it has not sent while its client takes nothing`()
    async throws
  {
    let fixture = ServiceFixture(ringCapacity: 8)
    let ada = fixture.user()
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(), as: ada, credit: 1)
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    for number in 1...8 { _ = try await fixture.createGoal("\(number)", as: ada) }
    try await fixture.relay()
    await watch.blocked()
    let held = WeakEvents(fixture.hub, after: 0)
    #expect(held.count == 8)
    for number in 9...16 { _ = try await fixture.createGoal("\(number)", as: ada) }
    try await fixture.relay()
    // The ring has gone past them, and nobody else has them.
    #expect(held.count == 0)
    watch.grant(1000)
    #expect(try await watch.events(16).count == 16)
    watch.cancel()
  }
}

/// Events of the ring, as far as anybody still has them.
private final class WeakEvents {
  private struct Reference { weak var event: SharedEvent? }

  private var references: [Reference] = []

  init(_ hub: EventHub, after position: Int64) {
    if case .events(let events) = hub.take(after: position, limit: 100) {
      references = events.map { Reference(event: $0) }
    }
  }

  var count: Int { references.count { $0.event != nil } }
}
