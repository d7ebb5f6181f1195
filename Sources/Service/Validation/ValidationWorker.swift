package import Domain
package import Logging
internal import Logs
internal import Retrieval
internal import Synchronization
internal import Writes

/// Runs the validations that wait in the database, those of this server and of others, as many at a time
/// as there are slots.
///
/// A validation that its worker left behind begins anew here: its verdict is written once, with its end,
/// so that running the code twice does no harm.
package struct ValidationWorker: Sendable {
  private enum Ending: Sendable {
    case judged(ValidationReport)
    case flushed
    case leaseLost
    case timedOut
  }

  private let journal: ValidationJournal
  private let bell: WakeSignal
  private let isDraining: @Sendable () -> Bool
  private let slots: Slots
  private let stopping = Stopping()

  init(
    journal: ValidationJournal, bell: WakeSignal, isDraining: @escaping @Sendable () -> Bool
  ) {
    self.journal = journal
    self.bell = bell
    self.isDraining = isDraining
    slots = Slots(journal.options.slotCount)
  }

  /// A worker in a process of its own, which takes no calls.
  ///
  /// - Parameter committed: told after each commit.
  package init(
    users: any UserRepository, goals: any GoalRepository, snapshots: any SnapshotRepository,
    writes: any WriteStore, ports: ValidationPorts, options: ValidationOptions,
    clock: any TimeSource, ids: any IDGenerator, committed: @escaping @Sendable () -> Void
  ) {
    // Vectors of what passes are made by the servers.
    let executor = DecisionExecutor(
      store: writes, clock: clock, ids: ids, committed: committed,
      indexer: PassageIndexer(models: nil),
      pause: { attempt in
        try await options.clock.sleep(for: .milliseconds(min(100, 1 << min(attempt, 7))))
      })
    self.init(
      journal: ValidationJournal(
        ports: ports, users: users, goals: goals, snapshots: snapshots, writes: executor,
        options: options), bell: WakeSignal(), isDraining: { false })
  }

  private var options: ValidationOptions { journal.options }
  private var queue: any ValidationQueue { journal.ports.queue }

  /// Takes no more validations; `run` returns when those that run have ended.
  package func stop() {
    stopping.begin()
    bell.ring()
  }

  /// Takes validations until the task is cancelled, and lets go then of those that run; what fails is
  /// logged and tried again.
  package func run(logger: Logger) async throws {
    let outage = OutageLog(logger, "taking validations")
    let log = MeteredLogger(logger)
    await withDiscardingTaskGroup { group in
      var isFirst = true
      while true {
        await slots.take()
        if Task.isCancelled || stopping.hasBegun { break }
        do throws(StoreError) {
          let run =
            isDraining()
            ? nil : try await queue.claim(options.lease, isAlone: isFirst && options.isAlone)
          outage.worked()
          if let run {
            group.addTask {
              await perform(run, log)
              slots.free()
            }
            continue
          }
          // Until nothing of before is left.
          isFirst = false
        } catch {
          outage.failed("\(error)")
        }
        slots.free()
        await bell.wait(upTo: options.pollInterval, clock: options.clock)
      }
    }
    try Task.checkCancellation()
  }

  /// Runs one validation that this worker has the lease of, to its end.
  private func perform(_ run: ValidationRun, _ log: MeteredLogger) async {
    do {
      try await drive(run)
    } catch is ValidationJournal.Superseded {
      // It was cancelled, or another worker has it.
    } catch {
      if !(error is CancellationError) {
        log.write(
          .warning, "a validation was not run", kind: "\(type(of: error))",
          metadata: ["validation": "\(run.id)", "error": "\(type(of: error))"])
      }
      await release(run.id)
    }
  }

  /// For the next worker, which may be this one. In a task of its own, because this one may be cancelled.
  private func release(_ id: EntityID) async {
    await Task {
      await CallDeadline.$current.withValue(.now + options.releaseTimeout) {
        try? await queue.release(ofValidation: id, owner: options.owner)
      }
    }.value
  }

  private func drive(_ run: ValidationRun) async throws {
    let source = try await journal.source(run)
    guard run.attempt <= ValidationLimits.attempts else {
      let reason = "it was begun \(ValidationLimits.attempts) times and never ended"
      return try await journal.finish(run, .errored(reason, run), judgedBy: source, last: [])
    }
    let job = try await job(run, source)
    let recorder = StepRecorder(LearnerView(source?.stored.suite))
    let current = RunInHand(run)
    let report: ValidationReport
    switch try await race(job, recorder, current) {
    case .judged(let judged): report = judged
    case .leaseLost, .flushed: throw ValidationJournal.Superseded()
    case .timedOut:
      report = .errored("it took longer than \(options.runTimeout.components.seconds) s", run)
    }
    try await journal.finish(
      current.run, report, judgedBy: source, last: recorder.rest())
  }

  private func job(_ run: ValidationRun, _ source: SuiteSource?) async throws -> ValidationJob {
    let scope = journal.system(run)
    guard let found = try await journal.snapshots.snapshot(run.snapshotID, scope: scope) else {
      throw StoreError.corrupt("the snapshot of a validation is not there")
    }
    var snapshot = found.snapshot
    snapshot.files = try await journal.ports.validations.files(
      ofSnapshot: run.snapshotID, scope: scope)
    return ValidationJob(
      submission: snapshot.submission, suite: source?.stored.suite, callerID: run.queueKey,
      runCount: run.runCount, seed: run.seed)
  }

  /// Until the validator has judged and what it said is written, or it must stop.
  private func race(
    _ job: ValidationJob, _ recorder: StepRecorder, _ current: RunInHand
  ) async throws -> Ending {
    try await withThrowingTaskGroup(of: Ending.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        defer { recorder.close() }
        return .judged(
          try await journal.ports.validator.validate(job) { try await recorder.add($0) })
      }
      group.addTask {
        try await recorder.flush(every: options.flushInterval, clock: options.clock) { steps in
          var run = current.run
          try await journal.progress(&run, steps)
          current.run = run
        }
        return .flushed
      }
      group.addTask {
        let id = current.run.id
        try await keepLease(options.lease, every: options.heartbeatInterval, by: options.clock) {
          (lease) throws(StoreError) in try await queue.renew(lease, ofValidation: id)
        }
        return .leaseLost
      }
      group.addTask {
        try await options.clock.sleep(for: options.runTimeout)
        return .timedOut
      }
      var report: ValidationReport?
      var isFlushed = false
      while let ending = try await group.next() {
        switch ending {
        case .judged(let judged): report = judged
        case .flushed: isFlushed = true
        case .leaseLost, .timedOut: return ending
        }
        if let report, isFlushed { return .judged(report) }
      }
      throw CancellationError()
    }
  }
}

/// Whether a worker is to take no more.
private final class Stopping: Sendable {
  private let state = Mutex(false)

  var hasBegun: Bool { state.withLock { $0 } }
  func begin() { state.withLock { $0 = true } }
}

/// A validation while it runs, as it was written last.
private final class RunInHand: Sendable {
  private let state: Mutex<ValidationRun>

  init(_ run: ValidationRun) { state = Mutex(run) }

  var run: ValidationRun {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// How many validations may still begin. One task takes, any task frees.
private final class Slots: Sendable {
  private let count: Mutex<Int>
  private let freed = WakeSignal()

  init(_ count: Int) { self.count = Mutex(max(1, count)) }

  /// Returns with a slot, or when the task is cancelled.
  func take() async {
    while !Task.isCancelled {
      let isTaken = count.withLock { count in
        guard count > 0 else { return false }
        count -= 1
        return true
      }
      if isTaken { return }
      await freed.wait()
    }
  }

  func free() {
    count.withLock { $0 += 1 }
    freed.ring()
  }
}

extension ValidationReport {
  /// Our fault: it can be tried again.
  fileprivate static func errored(_ reason: String, _ run: ValidationRun) -> ValidationReport {
    ValidationReport(verdict: .errored, score: nil, reason: reason, seed: run.seed)
  }
}
