import CLibPQ
import Domain
import Glibc
import Synchronization
import Threads

/// The one who waits for a unit. The first to resume it wins: the poll thread with an answer, or
/// the caller's cancellation.
final class Waiter: Sendable {
  typealias Outcome = Result<[ResultSet], UnitFailure>

  private enum State {
    case idle
    case waiting(CheckedContinuation<Outcome, Never>)
    case done(Outcome?)
  }

  private let state = Mutex(State.idle)

  /// False where it was resumed before anybody waited; the continuation is resumed then.
  func wait(_ continuation: CheckedContinuation<Outcome, Never>) -> Bool {
    let early: Outcome? = state.withLock { state in
      if case .done(let outcome) = state { return outcome ?? .failure(.cancelled) }
      state = .waiting(continuation)
      return nil
    }
    if let early { continuation.resume(returning: early) }
    return early == nil
  }

  func resume(_ outcome: Outcome) {
    let continuation: CheckedContinuation<Outcome, Never>? = state.withLock { state in
      switch state {
      case .waiting(let continuation):
        state = .done(nil)
        return continuation
      case .idle:
        state = .done(outcome)
        return nil
      case .done: return nil
      }
    }
    continuation?.resume(returning: outcome)
  }
}

/// Why a unit has no rows.
enum UnitFailure: Error, Sendable {
  case server(ServerError)
  case pool(PoolMachine.Failure, lastConnectFailure: String?)
  case cancelled
}

/// Performs what one pool's machine decides. Confined to the poll thread.
final class PoolDriver {
  struct Environment {
    var index: Int
    var epoll: Int32
    var mailbox: Mailbox
    /// Makes connections; blocks.
    var connector: WorkerThreads<Void>
    /// Sends cancellations; blocks.
    var canceller: WorkerThreads<Void>
    var settings: ConnectionSettings
    /// Told of notifications.
    var onNotification: (@Sendable (String) -> Void)?
    /// Told when a connection is made: what was sent meanwhile may have been missed.
    var onConnect: (@Sendable () -> Void)?
    /// Told of each unit that has committed what callers changed, before whoever waits for it.
    var onCommit: (@Sendable () -> Void)?
    /// Told when one could not be made.
    var onConnectFailure: (@Sendable (ConnectFailure) -> Void)?
  }

  private struct Pending {
    var unit: StatementUnit
    var waiter: Waiter
  }

  private let environment: Environment
  private var machine: PoolMachine
  private var connections: [PipelineConnection?]
  private var watchesWrite: [Bool]
  private var pending: [UInt64: Pending] = [:]
  private var lastConnectFailure: String?
  private(set) var isStopped = false

  init(_ configuration: PoolMachine.Configuration, _ environment: Environment) {
    self.environment = environment
    machine = PoolMachine(configuration)
    let count = max(1, configuration.connectionCount)
    connections = Array(repeating: nil, count: count)
    watchesWrite = Array(repeating: false, count: count)
  }

  var nextWakeup: ContinuousClock.Instant? { machine.nextWakeup }

  func start(now: ContinuousClock.Instant) { perform(machine.started(), now: now) }

  func tick(now: ContinuousClock.Instant) {
    if let at = machine.nextWakeup, at <= now { perform(machine.timerFired(now: now), now: now) }
  }

  func submit(_ submission: Submission, now: ContinuousClock.Instant) {
    pending[submission.id] = Pending(unit: submission.unit, waiter: submission.waiter)
    perform(
      machine.submitted(unit: submission.id, deadline: submission.deadline, now: now), now: now)
  }

  func abandon(_ unit: UInt64, now: ContinuousClock.Instant) {
    pending[unit] = nil
    perform(machine.abandoned(unit: unit), now: now)
  }

  func connected(
    _ slot: Int, _ generation: UInt64, _ connection: PQConnection, now: ContinuousClock.Instant
  ) {
    let pipeline = PipelineConnection(connection, generation: generation)
    let key = UInt64(environment.index) << 32 | UInt64(slot)
    guard
      hito_epoll_control(
        environment.epoll, EPOLL_CTL_ADD, pipeline.descriptor, hito_epoll_in(), key) == 0
    else {
      return connectFailed(
        slot, generation, .refused("epoll_ctl: error \(errno)"), now: now)
    }
    connections[slot] = pipeline
    watchesWrite[slot] = false
    lastConnectFailure = nil
    perform(machine.connected(slot: slot, generation: generation, now: now), now: now)
    environment.onConnect?()
  }

  func connectFailed(
    _ slot: Int, _ generation: UInt64, _ failure: ConnectFailure, now: ContinuousClock.Instant
  ) {
    lastConnectFailure = failure.description
    environment.onConnectFailure?(failure)
    perform(machine.connectFailed(slot: slot, generation: generation, now: now), now: now)
  }

  func cancelFinished(_ slot: Int, _ generation: UInt64, now: ContinuousClock.Instant) {
    perform(machine.cancelFinished(slot: slot, generation: generation, now: now), now: now)
  }

  func shutDown(grace: Duration, now: ContinuousClock.Instant) {
    perform(machine.shutDown(deadline: now + grace, now: now), now: now)
  }

  func socketReady(slot: Int, mask: UInt32, now: ContinuousClock.Instant) {
    guard connections.indices.contains(slot), let connection = connections[slot] else { return }
    var finished: [UnitResult] = []
    let isAlive = connection.receive { finished.append($0) }
    for result in finished { finish(result, slot: slot, now: now) }
    let channels = connection.takeNotifiedChannels()
    for channel in channels { environment.onNotification?(channel) }
    // What the finished units made room for may have closed or replaced it.
    guard connections[slot] === connection else { return }
    if isAlive { watch(slot, connection) } else { lost(slot, connection, now: now) }
  }

  private func finish(_ result: UnitResult, slot: Int, now: ContinuousClock.Instant) {
    guard let unit = machine.oldestInFlight(slot: slot) else { return }
    let ended = pending.removeValue(forKey: unit)
    // One that nobody waits for any more has committed all the same.
    if case .success = result, ended?.unit.isCommit ?? true { environment.onCommit?() }
    ended?.waiter.resume(result.mapError { .server($0) })
    perform(machine.unitFinished(slot: slot, now: now), now: now)
  }

  private func lost(
    _ slot: Int, _ connection: PipelineConnection, now: ContinuousClock.Instant
  ) {
    lastConnectFailure = connection.errorText
    perform(
      machine.connectionLost(slot: slot, generation: connection.generation, now: now), now: now)
  }

  /// Performs actions, and those that follow from them, in order.
  private func perform(_ actions: [PoolMachine.Action], now: ContinuousClock.Instant) {
    var queue = FIFO<PoolMachine.Action>()
    for action in actions { queue.append(action) }
    while let action = queue.popFirst() {
      for next in perform(action, now: now) { queue.append(next) }
    }
  }

  private func perform(
    _ action: PoolMachine.Action, now: ContinuousClock.Instant
  ) -> [PoolMachine.Action] {
    switch action {
    case .connect(let slot, let generation): connect(slot, generation)
    case .send(let unit, let slot): return send(unit, slot, now: now)
    case .fail(let unit, let failure):
      pending.removeValue(forKey: unit)?.waiter.resume(
        .failure(.pool(failure, lastConnectFailure: lastConnectFailure)))
    case .cancel(let slot, let generation): cancel(slot, generation)
    case .close(let slot): close(slot)
    case .stopped: isStopped = true
    }
    return []
  }

  private func send(
    _ unit: UInt64, _ slot: Int, now: ContinuousClock.Instant
  ) -> [PoolMachine.Action] {
    // A connection that broke a moment ago fails all of its units itself.
    guard let connection = connections[slot] else { return [] }
    let statements = pending[unit]?.unit ?? StatementUnit([], as: .nobody)
    guard connection.send(statements) else {
      lastConnectFailure = connection.errorText
      return machine.connectionLost(slot: slot, generation: connection.generation, now: now)
    }
    watch(slot, connection)
    return []
  }

  private func watch(_ slot: Int, _ connection: PipelineConnection) {
    guard connection.wantsWrite != watchesWrite[slot] else { return }
    watchesWrite[slot] = connection.wantsWrite
    let mask = hito_epoll_in() | (connection.wantsWrite ? hito_epoll_out() : 0)
    let key = UInt64(environment.index) << 32 | UInt64(slot)
    _ = hito_epoll_control(environment.epoll, EPOLL_CTL_MOD, connection.descriptor, mask, key)
  }

  private func connect(_ slot: Int, _ generation: UInt64) {
    let (pool, mailbox, settings) = (
      environment.index, environment.mailbox, environment.settings
    )
    // Refused only when the driver has stopped, and nobody waits for the answer.
    _ = environment.connector.run {
      do throws(ConnectFailure) {
        let connection = try settings.connect()
        mailbox.post(.connected(pool: pool, slot: slot, generation: generation, connection))
      } catch {
        mailbox.post(.connectFailed(pool: pool, slot: slot, generation: generation, error))
      }
    }
  }

  private func cancel(_ slot: Int, _ generation: UInt64) {
    let (pool, mailbox) = (environment.index, environment.mailbox)
    guard let cancellation = connections[slot]?.makeCancellation() else {
      mailbox.post(.cancelFinished(pool: pool, slot: slot, generation: generation))
      return
    }
    _ = environment.canceller.run {
      cancellation.send()
      mailbox.post(.cancelFinished(pool: pool, slot: slot, generation: generation))
    }
  }

  private func close(_ slot: Int) {
    guard let connection = connections[slot] else { return }
    _ = hito_epoll_control(environment.epoll, EPOLL_CTL_DEL, connection.descriptor, 0, 0)
    connections[slot] = nil
  }
}
