import Domain
import EventLog
import Testing

/// Events cost those whom they concern.
@Suite(.timeLimit(.minutes(1))) struct `Waiters of the live end` {
  private func id(_ number: Int) -> EntityID { EntityID(high: 7, low: UInt64(number)) }

  private func event(
    _ position: Int64, user: Int = 0, type: String = "goal.created", course: Int? = nil
  ) -> StoredEvent {
    let entity = EntityID(high: 1, low: UInt64(position))
    return StoredEvent(
      id: entity, seq: position, position: position, type: type, entityType: "goal",
      entityID: entity, version: 1, userID: id(user),
      payload: course.map { SealedJSON(sealedText: #"{"course_id": "\#(id($0))"}"#) } ?? "{}",
      metadata: "{}",
      createdAt: Timestamp(microsecondsSinceEpoch: position))
  }

  private func interest(
    _ change: (inout EventFilter) -> Void = { _ in }, _ user: Int = 0, _ role: Role = .service
  ) -> EventInterest {
    var filter = EventFilter()
    change(&filter)
    return EventInterest(filter, AccessScope(callerID: id(user), role: role))
  }

  /// Returns when so many wait.
  private func waiting(_ count: Int, on hub: EventHub) async {
    while hub.waiterCount < count { await Task.yield() }
  }

  @Test func `are woken by what concerns them alone, however many there are`() async {
    let hub = EventHub(capacity: 100)
    hub.begin(at: 0)
    await withTaskGroup(of: Int64.self) { group in
      for number in 0..<10_000 {
        let wanted = interest({ _ in }, number < 3 ? 1 : number, .learner)
        group.addTask { await hub.quiet(after: 0, for: wanted, due: .max) }
      }
      await waiting(10_000, on: hub)
      for start in stride(from: Int64(1), through: 99_901, by: 100) {
        hub.publish((start..<start + 100).map { event($0, user: 20_000) })
      }
      #expect(hub.wokenCount == 0 && hub.waiterCount == 10_000)
      hub.publish([event(100_001, user: 20_000), event(100_002, user: 1)])
      #expect(hub.wokenCount == 3)
      // They go on from where it happened, and the ring has it, though they waited since 0.
      for _ in 0..<3 {
        let position = await group.next()
        #expect(position == 100_001)
      }
      guard case .events(let events) = hub.take(after: 100_001, limit: 10) else {
        return #expect(Bool(false), "the ring has gone past it")
      }
      #expect(events.map(\.event.position) == [100_002])
      hub.drain()
      for await position in group { #expect(position == 100_002) }
    }
  }

  @Test func `are found by whatever leads to what they want`() async {
    let cases: [(EventInterest, StoredEvent, Bool)] = [
      (interest { $0.types = ["goal.created"] }, event(1), true),
      (interest { $0.types = ["goal.*"] }, event(1), true),
      (interest { $0.types = ["task.*", "goal.updated"] }, event(1), false),
      (interest { $0.goalIDs = [EntityID(high: 1, low: 1)] }, event(1), true),
      (interest { $0.taskIDs = [EntityID(high: 1, low: 1)] }, event(1), false),
      (interest { $0.courseIDs = [id(5), id(6)] }, event(1, course: 5), true),
      (interest { $0.courseIDs = [id(6)] }, event(1, course: 5), false),
      (interest({ $0.userIDs = [id(3)] }, 4, .learner), event(1, user: 3), false),
      (interest(), event(1), true),
      (interest({ _ in }, 9, .instructor), event(1, user: 9), true),
      (interest({ _ in }, 9, .instructor), event(1, user: 3), false),
      // Whose course it is is not known.
      (interest({ _ in }, 9, .instructor), event(1, user: 3, course: 5), true),
    ]
    for (wanted, event, isConcerned) in cases {
      let hub = EventHub()
      hub.begin(at: 0)
      async let woken = hub.quiet(after: 0, for: wanted, due: .max)
      await waiting(1, on: hub)
      hub.publish([event])
      #expect(hub.wokenCount == (isConcerned ? 1 : 0), "\(wanted)")
      hub.drain()
      let quiet = await woken
      #expect(quiet == (isConcerned ? 0 : 1))
    }
  }

  @Test func `who own courses are woken by their own once their owners are known`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    hub.learn(owner: id(9), of: id(5))
    let (owner, other) = (
      interest({ _ in }, 9, .instructor), interest({ _ in }, 8, .instructor)
    )
    async let first = hub.quiet(after: 0, for: owner, due: .max)
    async let second = hub.quiet(after: 0, for: other, due: .max)
    await waiting(2, on: hub)
    hub.publish([event(1, user: 3, course: 5)])
    let quiet = await first
    #expect(quiet == 0)
    #expect(hub.wokenCount == 1)
    hub.drain()
    let others = await second
    #expect(others == 1)
  }

  @Test func `are woken where they are due, and by a gap from where it begins`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    let nothing = interest { $0.types = ["task.*"] }
    async let due = hub.quiet(after: 0, for: nothing, due: 3)
    async let later = hub.quiet(after: 0, for: nothing, due: 100)
    await waiting(2, on: hub)
    hub.publish([event(1), event(2)])
    #expect(hub.wokenCount == 0)
    hub.publish([event(3), event(4)])
    let dueAt = await due
    #expect(dueAt == 3)
    hub.publish([event(9)])
    let before = await later
    #expect(before == 4)
    #expect(hub.waiterCount == 0)
  }

  @Test func `that are cancelled leave nothing behind`() async {
    let hub = EventHub()
    hub.begin(at: 0)
    let wanted = interest { $0.types = ["task.*"] }
    let task = Task { await hub.quiet(after: 0, for: wanted, due: 50) }
    await waiting(1, on: hub)
    hub.publish([event(1)])
    task.cancel()
    let quiet = await task.value
    #expect(quiet == 1)
    #expect(hub.waiterCount == 0)
  }

  @Test func `hear of nothing before observers have`() {
    let hub = EventHub()
    hub.begin(at: 0)
    nonisolated(unsafe) var seen: [LiveEvents] = []
    hub.observe { [unowned hub] _ in seen.append(hub.events(after: 0, limit: 10)) }
    hub.publish([event(1)])
    #expect(seen == [.empty])
  }
}

extension EventHub {
  /// Up to where nothing concerns `interest`, once something may.
  fileprivate func quiet(after position: Int64, for interest: EventInterest, due: Int64) async
    -> Int64
  {
    await next(after: position, for: InterestKeys(interest), due: due, limit: 10).quietThrough
  }
}
