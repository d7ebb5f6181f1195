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
    case events(ArraySlice<SharedEvent>)
    /// Nothing yet: wait.
    case empty
    /// The ring has gone past it.
    case gone
  }

  /// What a live subscriber finds, all of one moment and of the history that was then.
  package struct Next: Sendable {
    /// Nothing up to here was of interest; the position that was asked for, or later.
    package let quietThrough: Int64
    /// What the ring has after that.
    package let take: Take
  }

  let state: Mutex<HubState>
  /// Numbers those who wait.
  let lastWaiter = Atomic<UInt64>(0)
  private let observers = Mutex<[@Sendable (SharedEvent) -> Void]>([])

  /// - Parameters:
  ///   - capacity: how many events a subscriber may be behind before it reads the log.
  ///   - byteCountMax: what they may take together; the newest event is held whatever its size.
  ///   - history: the log's, as far as it is known.
  package init(
    capacity: Int = 8192, byteCountMax: Int = 64 << 20, history: LogHistory = .unnamed
  ) {
    state = Mutex(
      HubState(capacity: max(1, capacity), byteCountMax: byteCountMax, history: history))
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
    wake { $0.begin(at: position) }
  }

  /// Adds events in the order of their positions. Those that it has are passed over; after a gap
  /// it starts anew, and subscribers read the gap from the log.
  package func publish(_ events: [StoredEvent]) {
    let shared = SharedEvent.all(events)
    for observer in observers.withLock({ $0 }) { shared.forEach(observer) }
    wake { state in state.publish(shared) }
  }

  /// Ends every subscription with where to resume.
  package func drain() {
    wake { state in
      state.isDraining = true
      return state.wakeAll()
    }
  }

  /// What there is now after a position, for who is not live yet.
  package func look(after position: Int64, limit: Int) -> Next {
    state.withLock { state in
      Next(
        quietThrough: position, take: state.take(after: position, limit: limit))
    }
  }

  package func take(after position: Int64, limit: Int) -> Take {
    state.withLock { $0.take(after: position, limit: limit) }
  }

  /// The event of the ring with this position.
  func event(at position: Int64) -> StoredEvent? {
    state.withLock { $0.event(at: position)?.event }
  }

  /// Continues with another history, where it is another: what is not of it leaves the ring at once, and
  /// everybody who waits is woken. False where `history` is what this server has known before: then the
  /// one who told it is behind.
  package func adopt(_ history: LogHistory) -> Bool {
    var isKnown = true
    wake { state in
      let woken = state.adopt(history)
      isKnown = woken != nil
      return woken ?? []
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

  /// Changes the state and resumes those whom it names, outside the lock.
  private func wake(_ change: (inout HubState) -> [HubState.Woken]) {
    let woken = state.withLock { state in
      let woken = change(&state)
      state.wokenCount += woken.count
      return woken
    }
    for (waiter, next) in woken { waiter.resume(returning: next) }
  }
}
