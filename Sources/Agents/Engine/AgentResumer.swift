package import Domain
package import Logging
package import Logs

/// Continues runs whose server went away: goals are driven to their end here; what only its caller
/// could continue is given up after a while.
package struct AgentResumer: Sendable {
  private static let pageLimit = 100

  private let stores: AgentStores
  private let live: any LiveLog
  private let journal: RunJournal
  private let driver: RunDriver

  package init(
    stores: AgentStores, live: any LiveLog, journal: RunJournal, driver: RunDriver
  ) {
    self.stores = stores
    self.live = live
    self.journal = journal
    self.driver = driver
  }

  private var options: AgentOptions { journal.options }

  /// Runs until the task is cancelled; what fails is logged and tried again at the next turn.
  package func run(logger: Logger) async throws {
    let outage = OutageLog(logger, "continuing runs")
    let runs = MeteredLogger(logger)
    var isFirst = true
    while true {
      do throws(StoreError) {
        let count = try await turn(isAlone: isFirst && options.isAlone, log: runs)
        outage.worked()
        if count > 0 { logger.info("continued runs", metadata: ["count": "\(count)"]) }
        isFirst = false
      } catch {
        outage.failed("\(error)")
      }
      try await options.clock.sleep(for: options.resumeInterval)
    }
  }

  /// Takes over what was left behind, and drives it.
  ///
  /// - Returns: how many runs it was.
  package func turn(
    isAlone: Bool, log: MeteredLogger = MeteredLogger(Logger(label: "hito.agents"))
  ) async throws(StoreError) -> Int {
    // What a server that goes away has let go is for others.
    guard !live.isDraining else { return 0 }
    let runs = try await stores.runs.abandoned(
      by: options.owner, isAlone: isAlone, limit: Self.pageLimit)
    let due = runs.filter { run in
      // One of a newer build is left to it.
      guard let kind = run.kind else { return false }
      return kind == .goal || run.overFor >= options.abandonedRunTimeout
    }
    await withTaskGroup(of: Void.self) { group in
      for (index, run) in due.enumerated() {
        if index >= options.resumedMax { await group.next() }
        group.addTask { await resume(run, isAlone: isAlone, log) }
      }
    }
    return due.count
  }

  private func resume(_ run: AbandonedRun, isAlone: Bool, _ log: MeteredLogger) async {
    // Whatever goes wrong, the lease ends and another server tries again.
    do {
      let own = AccessScope(callerID: run.id, role: .service)
      // Each time that it is taken over counts against it.
      if let (seen, _) = try await journal.load(run.id, scope: own), seen.isOfLaterBuild { return }
      let taken = try await stores.runs.takeOver(run.id, options.lease, isAlone: isAlone)
      guard let taken else { return }
      let system = AccessScope(callerID: taken.callerID, role: .service)
      guard let (session, _) = try await journal.load(run.id, scope: system) else { return }
      guard taken.kind == .goal, taken.takeoverCount <= AgentLimits.takeovers else {
        return try await journal.end(run.id, with: .failed(AgentFailure(.interrupted)))
      }
      _ = try await driver.drive(session, RunSubject(), NoSink())
    } catch {
      log.write(
        .warning, "a run was not resumed", kind: "\(type(of: error))",
        metadata: ["run": "\(run.id)", "error": "\(type(of: error))"])
    }
  }
}
