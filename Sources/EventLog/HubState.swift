internal import Domain

/// What the hub knows: the ring, who waits for it, and who owns which course.
struct HubState {
  typealias Waiter = CheckedContinuation<EventHub.Next, Never>
  typealias Woken = (waiter: Waiter, next: EventHub.Next)

  private static let ownersMax = 20_000

  /// A slot for each of the last positions: `position % capacity`.
  private var ring: [SharedEvent?]
  private let byteCountMax: Int
  /// What the events of the ring take.
  private(set) var byteCount = 0
  /// The position of the first event that the ring holds or will hold.
  private(set) var first: Int64 = 1
  /// The last position; nil before `begin`.
  private(set) var head: Int64?
  /// Of which every event of the ring is.
  private(set) var history: LogHistory
  var isDraining = false
  var waiters = WaiterIndex<Waiter>()
  /// How many waiters were woken.
  var wokenCount = 0
  /// Who owns the courses that events came of. They never change hands.
  private var owners: [EntityID: EntityID] = [:]

  init(capacity: Int, byteCountMax: Int, history: LogHistory) {
    ring = Array(repeating: nil, count: capacity)
    self.byteCountMax = byteCountMax
    self.history = history
  }

  private func slot(_ position: Int64) -> Int { Int(position % Int64(ring.count)) }

  private mutating func put(_ event: SharedEvent?, at slot: Int) {
    byteCount += (event?.byteCount ?? 0) - (ring[slot]?.byteCount ?? 0)
    ring[slot] = event
  }

  /// Forgets every event; the next one has this position.
  private mutating func start(at position: Int64) {
    for slot in ring.indices { put(nil, at: slot) }
    first = position
  }

  // MARK: The ring

  mutating func begin(at position: Int64) -> [Woken] {
    guard head.map({ position > $0 }) ?? true else { return [] }
    let woken = wakeAll()
    start(at: position + 1)
    head = position
    return woken
  }

  mutating func publish(_ events: [SharedEvent]) -> [Woken] {
    var woken: [Woken] = []
    var end = 0
    for (index, event) in events.enumerated() {
      if index >= end { end = HubState.gapless(events[index...]).endIndex }
      let position = event.event.position
      let before = head ?? position - 1
      guard position > before else { continue }
      if position > before + 1 {
        // Nobody here knows what is in the gap.
        woken += wakeAll()
        start(at: position)
      }
      put(event, at: slot(position))
      head = position
      first = max(first, position - Int64(ring.count) + 1)
      while byteCount > byteCountMax, first < position {
        put(nil, at: slot(first))
        first += 1
      }
      wakeThoseConcerned(by: event, with: events[index..<end], &woken)
    }
    return woken
  }

  /// The events up to the first gap.
  private static func gapless(_ events: ArraySlice<SharedEvent>) -> ArraySlice<SharedEvent> {
    guard let first = events.first?.event.position else { return events }
    let gap = events.indices.first { index in
      events[index].event.position != first + Int64(index - events.startIndex)
    }
    return gap.map { events[..<$0] } ?? events
  }

  func take(after position: Int64, limit: Int) -> EventHub.Take {
    guard let head, position < head, limit > 0 else { return .empty }
    guard position + 1 >= first else { return .gone }
    let last = min(head, position + Int64(limit))
    var events: [SharedEvent] = []
    events.reserveCapacity(Int(last - position))
    for wanted in position + 1...last {
      // A slot of another position would be a bug of ours; the log has the right event.
      guard let event = event(at: wanted) else {
        assertionFailure("the ring lost position \(wanted)")
        return .gone
      }
      events.append(event)
    }
    return .events(events[...])
  }

  func event(at position: Int64) -> SharedEvent? {
    guard let event = ring[slot(position)], event.event.position == position else { return nil }
    return event
  }

  /// Nil where `history` is what this server has known before.
  mutating func adopt(_ history: LogHistory) -> [Woken]? {
    guard history != self.history else { return [] }
    guard !self.history.continues(history) else { return nil }
    let shared = self.history.shared(with: history)
    self.history = history
    if let head, head > shared {
      start(at: shared + 1)
      self.head = shared
    }
    return wakeAll()
  }

  // MARK: Who waits

  mutating func learn(owner: EntityID, of course: EntityID) {
    if owners.count >= HubState.ownersMax { owners.removeAll(keepingCapacity: true) }
    owners[course] = owner
  }

  /// Everybody, of whom none is concerned by anything up to the head. Without a head nobody knows
  /// where they wait.
  mutating func wakeAll() -> [Woken] {
    let next = EventHub.Next(quietThrough: head ?? 0, take: .empty)
    return waiters.removeAll().map { ($0, next) }
  }

  /// - Parameter events: it and what comes with it, without a gap.
  private mutating func wakeThoseConcerned(
    by event: SharedEvent, with events: ArraySlice<SharedEvent>, _ woken: inout [Woken]
  ) {
    let position = event.event.position
    if event.event.type == EventType.courseCreated.rawValue, let owner = event.event.userID {
      learn(owner: owner, of: event.event.entityID)
    }
    let keys = event.keys(owner: event.facts.courseID.flatMap { owners[$0] })
    let next = EventHub.Next(
      quietThrough: position - 1, take: .events(events))
    waiters.remove(concernedBy: keys) { woken.append(($0, next)) }
    let due = EventHub.Next(quietThrough: position, take: .empty)
    waiters.remove(dueAt: position) { woken.append(($0, due)) }
  }
}
