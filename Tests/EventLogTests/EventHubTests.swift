import Domain
import EventLog
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The live end of the log` {
  private func event(
    _ position: Int64, payload: String = "{}", type: String = "goal.created"
  ) -> StoredEvent {
    let id = EntityID(high: 1, low: UInt64(position))
    return StoredEvent(
      id: id, seq: position, position: position, type: type, entityType: "goal",
      entityID: id, version: 1, userID: nil, payload: SealedJSON(sealedText: payload),
      metadata: "{}",
      createdAt: Timestamp(microsecondsSinceEpoch: position))
  }

  private func positions(_ live: LiveEvents) -> [Int64]? {
    if case .events(let events) = live { events.map(\.position) } else { nil }
  }

  @Test func `gives what came after a position, up to a limit`() {
    let hub = EventHub()
    #expect(hub.head == nil)
    #expect(hub.events(after: 0, limit: 10) == .empty)
    hub.begin(at: 4)
    hub.publish([event(5), event(6), event(7)])
    #expect(hub.head == 7)
    #expect(positions(hub.events(after: 4, limit: 2)) == [5, 6])
    #expect(positions(hub.events(after: 6, limit: 2)) == [7])
    #expect(hub.events(after: 7, limit: 2) == .empty)
    #expect(hub.events(after: 3, limit: 2) == .gone)
  }

  @Test func `holds as many events and bytes as it may, and always the newest`() {
    let hub = EventHub(capacity: 3, byteCountMax: 100_000)
    hub.begin(at: 0)
    hub.publish((1...5).map { event($0) })
    #expect(hub.events(after: 1, limit: 10) == .gone)
    #expect(positions(hub.events(after: 2, limit: 10)) == [3, 4, 5])
    hub.publish([event(6, payload: String(repeating: "x", count: 80_000))])
    #expect(positions(hub.events(after: 5, limit: 10)) == [6])
    #expect(hub.events(after: 4, limit: 10) == .gone)
  }

  @Test func `passes over what it has, and starts anew after a gap`() {
    let hub = EventHub()
    hub.begin(at: 0)
    hub.publish([event(1), event(2)])
    hub.publish([event(1), event(2), event(3)])
    #expect(positions(hub.events(after: 0, limit: 10)) == [1, 2, 3])
    hub.publish([event(9)])
    #expect(hub.events(after: 3, limit: 10) == .gone)
    #expect(positions(hub.events(after: 8, limit: 10)) == [9])
  }

  private func history(_ cuts: Int64...) -> LogHistory {
    let epochs = cuts.enumerated().map { LogEpoch(id: UInt32($0 + 1), beganAfter: $1) }
    return LogHistory(
      logID: LogHistory.unnamed.logID, epochs: LogHistory.unnamed.epochs + epochs) ?? .unnamed
  }

  @Test func `forgets what another history does not have, and wakes who waits`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    hub.publish((1...9).map { event($0) })
    async let woken: Void = hub.wait(after: 9)
    while hub.waiterCount == 0 { await Task.yield() }
    #expect(hub.adopt(history(5)))
    await woken
    #expect(hub.head == 5)
    #expect(hub.events(after: 5, limit: 9) == .empty)
    hub.publish([event(6, payload: "{\"other\":1}")])
    guard case .events(let events) = hub.events(after: 5, limit: 9) else {
      Issue.record("the ring has nothing")
      return
    }
    #expect(events.map(\.payload) == ["{\"other\":1}"])
    // A switch that lost nothing changes nothing.
    #expect(hub.adopt(history(5, 6)) && hub.head == 6)
    // Who knows less is behind.
    #expect(!hub.adopt(history(5)) && hub.history == history(5, 6))
  }

  @Test func `wakes who waits by an event, by draining and by cancelling`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    async let woken: Void = hub.wait(after: 0)
    hub.publish([event(1)])
    await woken
    let task = Task { await hub.wait(after: 1) }
    task.cancel()
    await task.value
    async let drained: Void = hub.wait(after: 1)
    hub.drain()
    await drained
    #expect(hub.isDraining)
    #expect(hub.waiterCount == 0)
  }

  private func next(_ hub: EventHub, after position: Int64, types: [String] = []) async
    -> EventHub.Next
  {
    var filter = EventFilter()
    filter.types = types
    let service = AccessScope(callerID: EntityID(high: 2, low: 2), role: .service)
    return await hub.next(
      after: position, for: InterestKeys(EventInterest(filter, service)), due: .max, limit: 10)
  }

  private func positions(_ next: EventHub.Next) -> [Int64]? {
    if case .events(let events) = next.take { events.map(\.event.position) } else { nil }
  }

  @Test func `gives who it wakes what came, and what came with it`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    async let everything = next(hub, after: 0)
    async let goals = next(hub, after: 0, types: ["goal.*"])
    async let tasks = next(hub, after: 0, types: ["task.*"])
    while hub.waiterCount < 3 { await Task.yield() }
    hub.publish([event(1), event(2, type: "task.created"), event(3)])
    for (woken, quiet) in [(await everything, Int64(0)), (await goals, 0), (await tasks, 1)] {
      #expect(woken.quietThrough == quiet && positions(woken) == Array(quiet + 1...3))
    }
    // Who comes later finds the same in the ring.
    #expect(positions(await next(hub, after: 1)) == [2, 3])
  }

  @Test func `gives nothing beyond a gap, nor what was there before`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    hub.publish([event(1)])
    async let woken = next(hub, after: 1)
    while hub.waiterCount == 0 { await Task.yield() }
    hub.publish([event(1), event(2), event(3), event(9)])
    #expect(positions(await woken) == [2, 3])
    if case .gone = await next(hub, after: 3).take {
    } else {
      Issue.record("the gap was passed over")
    }
  }

  @Test func `gives nothing to who is cancelled, and nothing while it drains`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    let task = Task { await next(hub, after: 0) }
    while hub.waiterCount == 0 { await Task.yield() }
    task.cancel()
    #expect(positions(await task.value) == nil)
    hub.publish([event(1)])
    hub.drain()
    #expect(positions(await next(hub, after: 0)) == nil)
    #expect(hub.waiterCount == 0)
  }

  @Test func `renders an event once for everybody`() {
    let shared = SharedEvent(event(1))
    let first = shared.rendered { .init(cursor: "a", bytes: [UInt8(clamping: $0.position)]) }
    let second = shared.rendered { _ in .init(cursor: "b", bytes: []) }
    #expect(first.cursor == "a" && first.bytes == [1])
    #expect(second.cursor == "a" && second.bytes == [1])
  }
}
