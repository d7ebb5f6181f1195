package import Domain
internal import Synchronization

/// The live end of the log in this process: one ring of the last events, shared by every
/// subscriber.
///
/// A subscriber costs a position and, while it waits, a continuation, however slow it is: one that
/// falls out of the ring reads the log again. Nothing ever waits for a subscriber.
///
/// Subscribers are woken by what concerns them (`EventInterest`). Who waits has seen everything up to
/// its position, and the hub sees every event, so that it knows that whoever was not woken has
/// nothing to look at: they continue from where they are woken, and never fall out of the ring meanwhile.
package final class EventHub: LiveLog {
  /// What the ring has after a position.
  package enum Take: Sendable {
    case events([SharedEvent])
    /// Nothing yet: wait.
    case empty
    /// The ring has gone past it.
    case gone
  }

  /// Resumed with the position up to which nothing concerned it.
  fileprivate typealias Waiter = CheckedContinuation<Int64, Never>
  fileprivate typealias Woken = (waiter: Waiter, quietThrough: Int64)

  fileprivate static let ownersMax = 20_000

  fileprivate struct State {
    /// A slot for each of the last positions: `position % capacity`.
    var ring: [SharedEvent?]
    /// What the events of the ring take.
    var byteCount = 0
    /// The position of the first event that the ring holds or will hold.
    var first: Int64 = 1
    /// The last position; nil before `begin`.
    var head: Int64?
    /// Of which every event of the ring is.
    var history: LogHistory
    var isDraining = false
    var waiters = WaiterIndex<Waiter>()
    var nextWaiter: UInt64 = 0
    /// How many waiters were woken.
    var wokenCount = 0
    /// Who owns the courses that events came of. They never change hands.
    var owners: [EntityID: EntityID] = [:]

    mutating func put(_ event: SharedEvent?, at slot: Int) {
      byteCount += (event?.byteCount ?? 0) - (ring[slot]?.byteCount ?? 0)
      ring[slot] = event
    }

    /// Forgets every event; the next one has this position.
    mutating func start(at position: Int64) {
      for slot in ring.indices { put(nil, at: slot) }
      first = position
    }
  }

  private let capacity: Int
  private let byteCountMax: Int
  private let state: Mutex<State>
  private let observers = Mutex<[@Sendable (SharedEvent) -> Void]>([])

  /// - Parameters:
  ///   - capacity: how many events a subscriber may be behind before it reads the log.
  ///   - byteCountMax: what they may take together; the newest event is held whatever its size.
  ///   - history: the log's, as far as it is known.
  package init(
    capacity: Int = 8192, byteCountMax: Int = 64 << 20, history: LogHistory = .unnamed
  ) {
    self.capacity = max(1, capacity)
    self.byteCountMax = byteCountMax
    state = Mutex(State(ring: Array(repeating: nil, count: max(1, capacity)), history: history))
  }

  /// The last position that subscribers were given; nil before the relay has begun.
  package var head: Int64? { state.withLock { $0.head } }

  /// The log's history as this server knows it. Who takes events asks afterwards whether it is still
  /// the one that they continue.
  package var history: LogHistory { state.withLock { $0.history } }

  /// The position of the first event that the ring holds or will hold.
  var firstPosition: Int64 { state.withLock { $0.first } }

  /// Whether subscriptions are to end and continue elsewhere.
  package var isDraining: Bool { state.withLock { $0.isDraining } }

  /// How many subscribers wait for the next event.
  package var waiterCount: Int { state.withLock { $0.waiters.count } }

  /// How many times a waiter was woken so far.
  package var wokenCount: Int { state.withLock { $0.wokenCount } }

  /// Has `observer` told of every event before anybody can take it. It must be quick.
  package func observe(_ observer: @escaping @Sendable (SharedEvent) -> Void) {
    observers.withLock { $0.append(observer) }
  }

  /// Who owns a course: its events then wake no other owners.
  package func learn(owner: EntityID, of course: EntityID) {
    state.withLock { $0.learn(owner: owner, of: course) }
  }

  /// What the events of the ring take.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// Starts the ring after `position`: what is older comes from the log.
  package func begin(at position: Int64) {
    wake { state in
      guard state.head.map({ position > $0 }) ?? true else { return [] }
      let woken = state.wakeAll()
      state.start(at: position + 1)
      state.head = position
      return woken
    }
  }

  /// Adds events in the order of their positions. Those that it has are passed over; after a gap
  /// it starts anew, and subscribers read the gap from the log.
  package func publish(_ events: [StoredEvent]) {
    let shared = events.map(SharedEvent.init)
    for observer in observers.withLock({ $0 }) { shared.forEach(observer) }
    wake { state in
      var woken: [Woken] = []
      for event in shared {
        let position = event.event.position
        let head = state.head ?? position - 1
        guard position > head else { continue }
        if position > head + 1 {
          // Nobody here knows what is in the gap.
          woken += state.wakeAll()
          state.start(at: position)
        }
        state.put(event, at: slot(position))
        state.head = position
        state.first = max(state.first, position - Int64(capacity) + 1)
        while state.byteCount > byteCountMax, state.first < position {
          state.put(nil, at: slot(state.first))
          state.first += 1
        }
        woken += state.wakeThoseConcerned(by: event)
      }
      return woken
    }
  }

  /// Ends every subscription with where to resume.
  package func drain() {
    wake { state in
      state.isDraining = true
      return state.wakeAll()
    }
  }

  package func take(after position: Int64, limit: Int) -> Take {
    state.withLock { state in
      guard let head = state.head, position < head else { return .empty }
      guard position + 1 >= state.first else { return .gone }
      let last = min(head, position + Int64(limit))
      var events: [SharedEvent] = []
      events.reserveCapacity(Int(last - position))
      for wanted in position + 1...last {
        // A slot of another position would be a bug of ours; the log has the right event.
        guard let event = state.ring[slot(wanted)], event.event.position == wanted else {
          assertionFailure("the ring lost position \(wanted)")
          return .gone
        }
        events.append(event)
      }
      return .events(events)
    }
  }

  /// The event of the ring with this position.
  func event(at position: Int64) -> StoredEvent? {
    state.withLock { state in
      guard let event = state.ring[slot(position)], event.event.position == position else {
        return nil
      }
      return event.event
    }
  }

  /// Continues with another history, where it is another: what is not of it leaves the ring at once, and
  /// everybody who waits is woken. False where `history` is what this server has known before: then the
  /// one who told it is behind.
  package func adopt(_ history: LogHistory) -> Bool {
    var isKnown = true
    wake { state in
      guard history != state.history else { return [] }
      guard !state.history.continues(history) else {
        isKnown = false
        return []
      }
      let shared = state.history.shared(with: history)
      state.history = history
      if let head = state.head, head > shared {
        state.start(at: shared + 1)
        state.head = shared
      }
      return state.wakeAll()
    }
    return isKnown
  }

  package func events(after position: Int64, limit: Int) -> LiveEvents {
    switch take(after: position, limit: limit) {
    case .events(let events): .events(events.map(\.event))
    case .empty: .empty
    case .gone: .gone
    }
  }

  package func wait(after position: Int64) async {
    _ = await wait(after: position, keys: [.any], due: nil)
  }

  /// Returns when there may be something after `position` that concerns `interest`, at the position
  /// `due`, when the hub drains, or when the task is cancelled.
  ///
  /// - Returns: the position, `position` or later, up to which nothing was of interest.
  package func wait(
    after position: Int64, for interest: EventInterest, due: Int64
  ) async -> Int64 {
    await wait(after: position, keys: interest.keys, due: due)
  }

  private func wait(after position: Int64, keys: [InterestKey], due: Int64?) async -> Int64 {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          let hasMore = state.head.map { $0 > position } ?? false
          // Cancelled is asked inside the lock: the handler below runs either before, and is seen
          // here, or after, and finds the waiter.
          if hasMore || state.isDraining || Task.isCancelled { return true }
          state.waiters.insert(continuation, id: id, keys: keys, due: due)
          return false
        }
        if isDue { continuation.resume(returning: position) }
      }
    } onCancel: {
      let (waiter, head) = state.withLock { ($0.waiters.remove(id), $0.head) }
      waiter?.resume(returning: max(position, head ?? position))
    }
  }

  private func slot(_ position: Int64) -> Int { Int(position % Int64(capacity)) }

  /// Changes the state and resumes those whom it names, outside the lock.
  private func wake(_ change: (inout State) -> [Woken]) {
    let woken = state.withLock { state in
      let woken = change(&state)
      state.wokenCount += woken.count
      return woken
    }
    for (waiter, position) in woken { waiter.resume(returning: position) }
  }
}

extension EventHub.State {
  mutating func learn(owner: EntityID, of course: EntityID) {
    if owners.count >= EventHub.ownersMax { owners.removeAll(keepingCapacity: true) }
    owners[course] = owner
  }

  /// Everybody, of whom none is concerned by anything up to the head. Without a head nobody knows
  /// where they wait.
  mutating func wakeAll() -> [EventHub.Woken] {
    let head = head ?? 0
    return waiters.removeAll().map { ($0, head) }
  }

  mutating func wakeThoseConcerned(by event: SharedEvent) -> [EventHub.Woken] {
    let position = event.event.position
    if event.event.type == EventType.courseCreated.rawValue, let owner = event.event.userID {
      learn(owner: owner, of: event.event.entityID)
    }
    let keys = event.keys(owner: event.facts.courseID.flatMap { owners[$0] })
    var woken: [EventHub.Woken] = []
    for waiter in waiters.remove(concernedBy: keys) { woken.append((waiter, position - 1)) }
    for waiter in waiters.remove(dueAt: position) { woken.append((waiter, position)) }
    return woken
  }
}
