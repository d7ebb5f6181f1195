import Dispatch
import Glibc
package import Logging
import Logs
import Synchronization

/// A PostgreSQL server with pgvector of our own, in a data directory.
///
///     absent --create--> stopped --launch--> running --stop--> stopped
///                                  ^            |
///                                  +--- crash --+   `supervise()` launches again
///
/// PostgreSQL outlives a crash of ours: the next start finds it running and adopts it, with
/// everything that was committed. A clean `stop()` stops it too. One server holds a data directory
/// at a time. Nothing here blocks the caller's thread: the work is done on a thread of its own.
package final class EmbeddedCluster: Sendable {
  /// What to run, and where.
  package struct Configuration: Sendable {
    /// Made when it does not exist. The server and its lake may keep their own files in it.
    package var dataDirectory: String
    /// Where PostgreSQL is looked for, in order.
    package var programCandidates: [String]
    /// The system user of the database when we run as root; made when it does not exist.
    package var serviceUser = "hito"
    /// The number of the group that may read the data directory; nil: only its user may.
    package var readingGroup: UInt32?
    /// How long PostgreSQL may take to become ready; a recovery after a crash takes its time.
    package var startTimeout = Duration.seconds(300)
    /// How long it may take to stop in order before it is told to stop at once.
    package var stopTimeout = Duration.seconds(60)
    /// The most connections that it accepts.
    package var connectionCountMax = 50
    /// PostgreSQL settings that win over ours.
    package var settings: [String: String] = [:]
    /// False only in tests that throw the cluster away.
    package var isDurable = true

    package init(dataDirectory: String, programCandidates: [String]) {
      self.dataDirectory = dataDirectory
      self.programCandidates = programCandidates
    }
  }

  /// How a start came to a running server.
  package enum StartKind: Equatable, Sendable {
    /// The cluster did not exist.
    case created
    /// It existed and was not running.
    case started
    /// It was running: an earlier server crashed and PostgreSQL did not.
    case adopted
    /// It was running with other settings and was restarted.
    case restarted
  }

  private struct State {
    var lock: DataDirectoryLock?
    var postmaster: Postmaster?
    var startKind: StartKind?
    var connection: ClusterConnection?
    var isStopping = false
  }

  private let configuration: Configuration
  private let logger: Logger
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "hito.embedded-cluster")

  package init(_ configuration: Configuration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
  }

  /// How to reach the cluster; nil before the first start.
  package var connection: ClusterConnection? { state.withLock { $0.connection } }

  /// How the last start came to a running server.
  package var startKind: StartKind? { state.withLock { $0.startKind } }

  /// The process id of the server; for diagnostics.
  package var processID: Int32? { state.withLock { $0.postmaster?.processID } }

  /// Makes the cluster if there is none, starts or adopts it, and returns how to reach it when it
  /// is ready for connections. Safe to call again.
  package func start() async throws(EmbeddedClusterError) -> ClusterConnection {
    try await start(again: false)
  }

  /// - Parameter again: for supervision: nothing is started once it is to be stopped.
  private func start(again: Bool) async throws(EmbeddedClusterError) -> ClusterConnection {
    let cancellation = CancellationFlag()
    return try await withTaskCancellationHandler {
      await onQueue { () throws(EmbeddedClusterError) in
        // On the cluster's thread: a stop that was asked for meanwhile has been done by now.
        let mayStart = self.state.withLock { state in
          if !again { state.isStopping = false }
          return !state.isStopping
        }
        guard mayStart else { throw .cancelled }
        return try self.startBlocking(cancellation)
      }
    } onCancel: {
      cancellation.set()
    }.get()
  }

  /// Stops the cluster in order and gives the data directory free. Does nothing when it is not
  /// running.
  package func stop() async throws(EmbeddedClusterError) {
    state.withLock { $0.isStopping = true }
    try await onQueue { () throws(EmbeddedClusterError) in
      self.state.withLock { $0.isStopping = true }
      try self.stopBlocking()
    }.get()
  }

  /// Launches the server again whenever it ends by itself, until the task is cancelled. Returns
  /// without stopping the cluster: whoever started it stops it, last of all.
  ///
  /// - Parameters:
  ///   - interval: how often to look.
  ///   - onRestart: called when it is ready again.
  package func supervise(
    every interval: Duration = .milliseconds(500),
    onRestart: @Sendable (ClusterConnection) async -> Void = { _ in }
  ) async {
    let outage = OutageLog(logger, "starting PostgreSQL again", level: .error)
    var failureCount = 0
    while !Task.isCancelled {
      // After failures more slowly, up to half a minute: a full disk does not mend by hurry.
      let pause = min(interval * (1 << min(failureCount, 6)), .seconds(30))
      do { try await Task.sleep(for: pause) } catch { return }
      let needsLaunch = state.withLock { state in
        !state.isStopping && state.postmaster.map { !$0.isAlive } ?? false
      }
      guard needsLaunch else { continue }
      if failureCount == 0 { logger.error("PostgreSQL ended by itself; starting it again") }
      do {
        let connection = try await start(again: true)
        failureCount = 0
        outage.worked()
        await onRestart(connection)
      } catch {
        failureCount += 1
        outage.failed("\(error)")
      }
    }
  }

  private func startBlocking(
    _ cancellation: CancellationFlag
  ) throws(EmbeddedClusterError) -> ClusterConnection {
    let alive = state.withLock { $0.postmaster?.isWorking == true ? $0.connection : nil }
    if let alive { return alive }
    let programs = try PostgresPrograms.locate(candidates: configuration.programCandidates)
    let directory = try ClusterDirectory.prepare(configuration.dataDirectory)
    if !(state.withLock { $0.lock != nil }) {
      let lock = try DataDirectoryLock(dataDirectory: directory)
      state.withLock { $0.lock = lock }
    }
    let launcher = try ClusterLauncher(
      configuration: configuration, dataDirectory: directory, programs: programs,
      cancellation: cancellation, logger: logger)
    do {
      let launched = try launcher.launch()
      state.withLock { state in
        state.postmaster = launched.postmaster
        state.connection = launched.connection
        state.startKind = launched.kind
      }
      return launched.connection
    } catch {
      // What had been running before stays known, so that it is watched and stopped.
      let isFirstStart = state.withLock { $0.postmaster == nil }
      if isFirstStart { state.withLock { $0.lock = nil } }
      throw error
    }
  }

  private func stopBlocking() throws(EmbeddedClusterError) {
    guard let postmaster = state.withLock({ $0.postmaster }) else {
      state.withLock { $0.lock = nil }
      return
    }
    let start = ContinuousClock.now
    try postmaster.stop(timeout: configuration.stopTimeout, logger: logger)
    logger.info("PostgreSQL stopped", metadata: ["after": "\(ContinuousClock.now - start)"])
    state.withLock { state in
      state.postmaster = nil
      state.lock = nil
    }
  }

  /// Runs blocking work on the cluster's own thread, one piece after the other.
  func onQueue<R: Sendable>(
    _ body: @escaping @Sendable () throws(EmbeddedClusterError) -> R
  ) async -> Result<R, EmbeddedClusterError> {
    await withCheckedContinuation { continuation in
      queue.async {
        continuation.resume(returning: Result { () throws(EmbeddedClusterError) in try body() })
      }
    }
  }
}

/// Told by a cancelled task to blocking work elsewhere.
final class CancellationFlag: Sendable {
  private let isSet = Atomic<Bool>(false)

  func set() { isSet.store(true, ordering: .relaxed) }

  func check() throws(EmbeddedClusterError) {
    if isSet.load(ordering: .relaxed) { throw .cancelled }
  }
}
