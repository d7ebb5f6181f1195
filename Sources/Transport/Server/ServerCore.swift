internal import Logging
internal import Logs
internal import NIOCore
internal import RPC
internal import Synchronization
package import Wire

/// What all connections of a server share.
final class ServerCore: Sendable {
  let configuration: ServerConfiguration
  let router: Router
  let authentication: AuthenticationCache
  let accounts: ByteAccounts
  let logger: Logger
  let observer: (any CallObserver)?
  /// Peers that were cut off: one line for each address and minute.
  let abuse: MeteredLogger
  let now: @Sendable () -> Moment
  let registry: ConnectionRegistry
  let handlers = HandlerGauge()
  let slowCalls = SlowCalls()
  let slowCallMicroseconds: UInt64

  init(
    configuration: ServerConfiguration, router: Router, authenticator: any Authenticator,
    logger: Logger, observer: (any CallObserver)? = nil,
    now: @escaping @Sendable () -> Moment = { .now }
  ) {
    self.observer = observer
    self.configuration = configuration
    self.router = router
    self.logger = logger
    abuse = MeteredLogger(
      logger, LogMeters(LogMeter(burst: 1, interval: .seconds(60))),
      now: { now().instant })
    self.now = now
    registry = ConnectionRegistry(configuration.admissionLimits())
    authentication = AuthenticationCache(
      authenticator, ttl: configuration.authenticationTTL, now: now)
    accounts = ByteAccounts(configuration.memory)
    slowCallMicroseconds =
      configuration.slowCallMin.map { UInt64(max(0, $0 / .microseconds(1))) } ?? .max
  }
}

/// The connections that are there, and the sums of those that are gone.
final class ConnectionRegistry: Sendable {
  private struct State {
    var admission: ConnectionAdmission
    /// Of every connection that was admitted, from its accept.
    var channels: [UInt64: any Channel] = [:]
    var connections: [UInt64: ServerConnection] = [:]
    var nextID: UInt64 = 1
    var closedTotals = CallCounters()
    var acceptedCount = 0
    var refusedCount = 0
    /// Set once: from then on no connection is admitted.
    var drainGrace: Duration?
    var emptyWaiters: [CheckedContinuation<Void, Never>] = []

    /// Also without those that are being accepted.
    var isEmpty: Bool { connections.isEmpty && channels.isEmpty }

    mutating func left(_ id: UInt64) {
      admission.left(id)
      channels[id] = nil
    }

    mutating func takeEmptyWaiters() -> [CheckedContinuation<Void, Never>] {
      guard isEmpty else { return [] }
      defer { emptyWaiters = [] }
      return emptyWaiters
    }
  }

  private let state: Mutex<State>

  init(_ limits: ConnectionAdmission.Limits) {
    state = Mutex(State(admission: ConnectionAdmission(limits)))
  }

  /// Reserves a place for an accepted connection, and closes the one whose place it is; nil when there
  /// is none, and in a drain.
  func admit(_ channel: any Channel) -> UInt64? {
    let (id, replaced) = state.withLock { state -> (UInt64?, (any Channel)?) in
      guard state.drainGrace == nil else { return (nil, nil) }
      let id = state.nextID
      var replaced: (any Channel)?
      switch state.admission.arrived(id, from: AddressGroup(channel.remoteAddress)) {
      case .admit: break
      case .replace(let oldest): replaced = state.channels.removeValue(forKey: oldest)
      case .refuse:
        state.refusedCount += 1
        return (nil, nil)
      }
      state.nextID += 1
      state.acceptedCount += 1
      state.channels[id] = channel
      return (id, replaced)
    }
    replaced?.close(promise: nil)
    return id
  }

  /// Takes in an admitted connection. With a grace where a drain began meanwhile, which it missed.
  func add(_ connection: ServerConnection) -> Duration? {
    state.withLock { state in
      state.connections[connection.id] = connection
      return state.drainGrace
    }
  }

  /// Admits no more; answers with those that are to drain.
  func drain(grace: Duration) -> [ServerConnection] {
    state.withLock { state in
      state.drainGrace = grace
      return Array(state.connections.values)
    }
  }

  /// An admitted connection that never came to be.
  func abandon(_ id: UInt64) {
    let waiters = state.withLock { state in
      state.left(id)
      return state.takeEmptyWaiters()
    }
    for waiter in waiters { waiter.resume() }
  }

  func greeted(_ id: UInt64) {
    state.withLock { $0.admission.greeted(id) }
  }

  func authenticated(_ id: UInt64) {
    state.withLock { $0.admission.authenticated(id) }
  }

  func publicStreamOpened(on id: UInt64) -> Bool {
    state.withLock { $0.admission.publicStreamOpened(on: id) }
  }

  func publicStreamClosed(on id: UInt64) {
    state.withLock { $0.admission.publicStreamClosed(on: id) }
  }

  func remove(_ connection: ServerConnection, counters: CallCounters) {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      guard state.connections.removeValue(forKey: connection.id) != nil else { return [] }
      state.left(connection.id)
      state.closedTotals.add(counters)
      return state.takeEmptyWaiters()
    }
    for waiter in waiters { waiter.resume() }
  }

  var all: [ServerConnection] { state.withLock { Array($0.connections.values) } }

  var count: Int { state.withLock { $0.connections.count } }

  var totals: (closed: CallCounters, accepted: Int, refused: Int) {
    state.withLock { ($0.closedTotals, $0.acceptedCount, $0.refusedCount) }
  }

  /// Returns when no connection is left.
  func waitUntilEmpty() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if state.isEmpty { return true }
        state.emptyWaiters.append(continuation)
        return false
      }
      if isEmpty { continuation.resume() }
    }
  }
}

/// How many handlers run, so that the threads are not taken from under them.
final class HandlerGauge: Sendable {
  private let count = Atomic(0)
  private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

  func began() {
    count.add(1, ordering: .relaxed)
  }

  func ended() {
    guard count.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 else { return }
    wake()
  }

  /// Returns when no handler runs (or when the task is cancelled).
  func waitUntilIdle() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiters.withLock { $0.append(continuation) }
        if Task.isCancelled || count.load(ordering: .sequentiallyConsistent) == 0 { wake() }
      }
    } onCancel: {
      wake()
    }
  }

  private func wake() {
    let woken = waiters.withLock { waiters in
      defer { waiters = [] }
      return waiters
    }
    for waiter in woken { waiter.resume() }
  }
}

/// Counts of ended calls.
package struct CallCounters: Sendable, Hashable {
  /// Indexed by status code.
  package private(set) var endedByStatus = [Int](repeating: 0, count: 17)
  package internal(set) var startedCount = 0

  package init() {}

  package subscript(status: StatusCode) -> Int { endedByStatus[Int(status.rawValue)] }

  mutating func countEnd(_ status: StatusCode) {
    endedByStatus[Int(status.rawValue)] += 1
  }

  mutating func add(_ other: CallCounters) {
    startedCount += other.startedCount
    for index in endedByStatus.indices { endedByStatus[index] += other.endedByStatus[index] }
  }
}
