package import Domain
package import Logging
import Logs
import Synchronization
import Threads

/// The driver's front: takes units from any task and runs them on pipelined connections.
///
/// Long-lived: `run` owns the poll thread and returns when it has ended. Units that come before
/// wait; units that come after fail.
package final class PostgresDatabase: Sendable {
  package struct Configuration: Sendable {
    package var connection: ConnectionSettings
    /// Connections for short statements. A commit occupies one until it is on disk, so that many
    /// let the server flush many commits at once.
    package var connectionCount = 16
    package var unitsInFlightPerConnection = 16
    package var waitingUnitCountMax = 4096
    /// Connections for statements that may run long.
    package var longConnectionCount = 2
    package var longStatementTimeout: Duration = .seconds(300)
    /// Connections for searches, which look at many rows and are cancelled with their callers.
    package var searchConnectionCount = 6
    /// How long a call without a deadline of its own waits.
    package var defaultDeadline: Duration = .seconds(30)
    package var shutdownGrace: Duration = .seconds(10)
    /// A sequencer that asks for nothing for so long loses its session, and its lock; nil: never.
    package var leaderSilenceMax: Duration?
    /// Told when PostgreSQL cannot be reached, and when it can be again.
    package var logger: Logger?

    package init(conninfo: String) { connection = ConnectionSettings(conninfo: conninfo) }
  }

  /// Which connections a unit runs on.
  package enum Lane: Int, Sendable, CaseIterable {
    /// Shared pipelines: never cancelled, so only for what is bounded by an index.
    case short
    /// One unit at a time, cancelled where its caller goes away.
    case long
    /// The same for searches: many, and each short enough for the usual timeout.
    case search
    /// One session of the event sequencer, which holds its lock.
    case sequencer
    /// One session that listens for the wake-ups of other servers.
    case listener
  }

  /// For a session whose statements read indexes in order, whatever the statistics say of a table that
  /// has just grown, and whatever plan was kept from when it was small.
  static let inOrderOfIndexes = """
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET enable_bitmapscan = off
    """

  /// The same, and each statement is planned once: the plan is one for any values anyway, and planning
  /// one of the sequencer's takes longer than running it.
  static let sequencerSession = inOrderOfIndexes + "; SET plan_cache_mode = force_generic_plan"

  package static let wakeChannel = "hito_events"

  private let configuration: Configuration
  private let mailbox = Mailbox()
  private let lastUnit = Atomic<UInt64>(0)
  private let pending = Atomic<Int>(0)
  private let commitObserver = Mutex<(@Sendable () -> Void)?>(nil)
  private let wakeContinuation: AsyncStream<Void>.Continuation
  /// One element when another server has committed events, or may have while we could not hear;
  /// many that come while nobody looks are one. For one consumer.
  package let wakeups: AsyncStream<Void>

  package init(_ configuration: Configuration) {
    self.configuration = configuration
    (wakeups, wakeContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// How many units wait for their answer now, on connections or for one.
  package var pendingCount: Int { pending.load(ordering: .relaxed) }

  /// How many connections there are for short statements.
  package var connectionCount: Int { configuration.connectionCount }

  /// Has `observer` told of each commit of what callers have changed, as soon as PostgreSQL answers it:
  /// on the poll thread, before the caller hears of it. It must be quick. One observer.
  package func onCommit(_ observer: @escaping @Sendable () -> Void) {
    commitObserver.withLock { $0 = observer }
  }

  /// Serves until `shutdown` or cancellation; then lets units in flight finish and returns.
  package func run() async throws(ConnectFailure) {
    let wasServed = await withTaskCancellationHandler {
      await serveOnThread()
    } onCancel: {
      shutdown()
    }
    if !wasServed {
      throw .refused("the system has no thread or descriptor left for the database driver")
    }
  }

  private func serveOnThread() async -> Bool {
    await withCheckedContinuation { continuation in
      if !startThread({ [self] in continuation.resume(returning: serve()) }) {
        continuation.resume(returning: false)
      }
    }
  }

  /// The poll thread's life; false where it could not begin.
  private func serve() -> Bool {
    // Each connection of the pools has one job at most.
    let connector = WorkerThreads(count: 1, waitingMax: .max)
    let canceller = WorkerThreads(count: 1, waitingMax: .max)
    defer {
      connector.stop()
      canceller.stop()
      wakeContinuation.finish()
    }
    let loop = PollLoop(mailbox: mailbox) { epoll in
      Lane.allCases.map { makePool($0, epoll, connector, canceller) }
    }
    loop?.run()
    return loop != nil
  }

  private func makePool(
    _ lane: Lane, _ epoll: Int32, _ connector: WorkerThreads<Void>,
    _ canceller: WorkerThreads<Void>
  ) -> PoolDriver {
    var environment = PoolDriver.Environment(
      index: lane.rawValue, epoll: epoll, mailbox: mailbox, connector: connector,
      canceller: canceller, settings: settings(lane))
    if lane == .short {
      environment.onCommit = { [self] in commitObserver.withLock { $0 }?() }
    }
    if lane == .short, let logger = configuration.logger {
      let outage = OutageLog(logger, "the connection to PostgreSQL", level: .error)
      environment.onConnect = { outage.worked() }
      environment.onConnectFailure = { outage.failed("\($0)") }
    }
    if lane == .listener {
      environment.onNotification = { [wakeContinuation] _ in wakeContinuation.yield() }
      environment.onConnect = { [wakeContinuation] in wakeContinuation.yield() }
    }
    return PoolDriver(poolConfiguration(lane), environment)
  }

  /// Asks `run` to end.
  package func shutdown() { mailbox.post(.shutDown(grace: configuration.shutdownGrace)) }

  /// Connects once and reports why that does not work; for a clear error at start.
  package func check() async throws(ConnectFailure) {
    let settings = configuration.connection
    let thread = WorkerThreads(count: 1, waitingMax: 1)
    defer { thread.stop() }
    let failure = await thread.value { () -> ConnectFailure? in
      do throws(ConnectFailure) {
        _ = try settings.connectBlocking()
        return nil
      } catch {
        return error
      }
    }
    switch failure {
    case .some(.some(let failure)): throw failure
    case .some(.none): return
    case .none: throw .refused("the system has no thread left for the database driver")
    }
  }

  private func poolConfiguration(_ lane: Lane) -> PoolMachine.Configuration {
    var pool = PoolMachine.Configuration()
    switch lane {
    case .short:
      pool.connectionCount = configuration.connectionCount
      pool.unitsInFlightPerConnection = configuration.unitsInFlightPerConnection
      pool.waitingUnitCountMax = configuration.waitingUnitCountMax
    case .long:
      pool.connectionCount = configuration.longConnectionCount
      pool.unitsInFlightPerConnection = 1
      pool.waitingUnitCountMax = 64
      pool.cancelsAbandonedUnits = true
    case .search:
      pool.connectionCount = configuration.searchConnectionCount
      pool.unitsInFlightPerConnection = 1
      pool.waitingUnitCountMax = 1024
      pool.cancelsAbandonedUnits = true
    case .sequencer, .listener:
      pool.connectionCount = 1
      pool.unitsInFlightPerConnection = 1
      pool.waitingUnitCountMax = 16
    }
    return pool
  }

  private func settings(_ lane: Lane) -> ConnectionSettings {
    var settings = configuration.connection
    settings.isServing = true
    switch lane {
    case .short: break
    case .long:
      settings.limits.statement = configuration.longStatementTimeout
      settings.applicationName += " long"
    case .search: settings.applicationName += " search"
    case .sequencer:
      settings.applicationName += " sequencer"
      settings.limits.idleSession = configuration.leaderSilenceMax
      settings.sessionStart = PostgresDatabase.sequencerSession
    case .listener:
      settings.applicationName += " listener"
      settings.sessionStart = "LISTEN \(PostgresDatabase.wakeChannel)"
    }
    return settings
  }
}

extension PostgresDatabase {
  /// Runs a unit and returns the rows of each of its calls.
  ///
  /// Waits until the task's `CallDeadline`, or for the default. A caller that gives up, by deadline
  /// or cancellation, leaves a short unit running: whether it was committed is then not known.
  package func run(
    _ unit: StatementUnit, on lane: Lane = .short
  ) async throws(StoreError) -> [ResultSet] {
    do throws(UnitError) {
      return try await attempt(unit, on: lane)
    } catch {
      throw error.storeError
    }
  }

  /// Runs one read.
  package func rows(
    _ call: StatementCall, as viewer: Viewer, on lane: Lane = .short
  ) async throws(StoreError) -> ResultSet {
    guard let rows = try await run(StatementUnit([call], as: viewer), on: lane).first else {
      throw .corrupt("\(call.statement.name): the server gave no result")
    }
    return rows
  }

  /// Runs one write.
  package func write(
    _ call: StatementCall, for work: SystemWork, on lane: Lane = .short
  ) async throws(StoreError) -> ResultSet {
    guard let rows = try await run(StatementUnit(writing: [call], for: work), on: lane).first else {
      throw .corrupt("\(call.statement.name): the server gave no result")
    }
    return rows
  }

  /// Like `run`, with the server's own error where there is one.
  func attempt(
    _ unit: StatementUnit, on lane: Lane = .short
  ) async throws(UnitError) -> [ResultSet] {
    if unit.isWrite, let writes = CallWrites.current, !writes.mayBegin {
      throw UnitError(failure: .cancelled, isWrite: true)
    }
    let id = lastUnit.add(1, ordering: .relaxed).newValue
    let deadline = CallDeadline.current ?? .now + configuration.defaultDeadline
    let waiter = Waiter()
    pending.add(1, ordering: .relaxed)
    defer { pending.subtract(1, ordering: .relaxed) }
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard waiter.wait(continuation) else { return }
        let submission = Submission(id: id, unit: unit, deadline: deadline, waiter: waiter)
        if !mailbox.post(.submit(pool: lane.rawValue, submission)) {
          waiter.resume(.failure(.pool(.shutDown, lastConnectFailure: nil)))
        }
      }
    } onCancel: {
      waiter.resume(.failure(.cancelled))
      mailbox.post(.abandon(pool: lane.rawValue, unit: id))
    }
    switch outcome {
    case .success(let results): return Array(results.dropFirst(unit.announcementCount))
    case .failure(let failure): throw UnitError(failure: failure, isWrite: unit.isWrite)
    }
  }
}

/// Why a unit failed, before it is put into a caller's words.
struct UnitError: Error {
  var failure: UnitFailure
  var isWrite: Bool

  var serverError: ServerError? {
    if case .server(let error) = failure { error } else { nil }
  }

  var storeError: StoreError {
    switch failure {
    case .cancelled: return .cancelled
    case .server(let error): return error.storeError
    case .pool(let failure, let lastConnectFailure):
      let cause = lastConnectFailure.map { ": \($0)" } ?? ""
      switch failure {
      case .timedOut(let wasSent): return .timedOut(maybeCommitted: isWrite && wasSent)
      case .overloaded:
        return .unavailable("too many statements are waiting", maybeCommitted: false)
      case .connectionLost(let wasSent):
        return .unavailable(
          "the connection to PostgreSQL broke\(cause)", maybeCommitted: wasSent && isWrite)
      case .notConnected:
        return .unavailable("PostgreSQL cannot be reached\(cause)", maybeCommitted: false)
      case .shutDown: return .unavailable("the server is shutting down", maybeCommitted: false)
      }
    }
  }
}
