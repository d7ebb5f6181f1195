package import Domain
import Synchronization
import Threads

/// The sandbox over bubblewrap: `Sandbox` with users, control groups, a filter of system calls and file
/// systems in memory of its own for each job. docs/adr/0022-sandbox.md says what stands behind what.
package final class BubblewrapSandbox: Sandbox {
  private enum Trust {
    case unknown
    case sound
    case broken([SandboxFinding])
  }

  private static let positionInterval = Duration.seconds(1)
  /// A wait that is shorter is not told.
  private static let positionDelay = Duration.milliseconds(20)

  private let configuration: SandboxConfiguration
  private let queue: FairQueue<EntityID>
  private let inspections = FairQueue<Int>(insideMax: 1, waitingMax: 1_000_000)
  private let threads: WorkerThreads<Slot>
  /// Inspections have a slot of their own: they need not wait for jobs.
  private let inspectionThread: WorkerThreads<Slot>
  private let openSlots: Countdown
  private let starts: AheadStarts
  /// How many slots have been asked to start a new command, and have not done so yet.
  private let nudges = Mutex(0)
  private let trust = Mutex(Trust.unknown)

  package init(_ configuration: SandboxConfiguration = SandboxConfiguration()) {
    self.configuration = configuration
    let aheadCount = configuration.aheadCount
    starts = AheadStarts(count: aheadCount, limitsMax: configuration.limitsMax)
    let openSlots = Countdown()
    func makeSlot(_ starts: AheadStarts) -> @Sendable () -> Slot {
      let setup = SlotSetup(
        launcherPath: configuration.launcherPath, bubblewrapPath: configuration.bubblewrapPath,
        userIDs: configuration.userIDs, starts: starts)
      return { Slot(setup) { openSlots.subtract() } }
    }
    threads = WorkerThreads(
      count: configuration.slotCount, waitingMax: 2 * configuration.slotCount,
      makeMemory: makeSlot(starts))
    let own = AheadStarts(count: min(1, aheadCount), limitsMax: configuration.limitsMax)
    inspectionThread = WorkerThreads(count: 1, waitingMax: 1, makeMemory: makeSlot(own))
    openSlots.add(threads.count + inspectionThread.count)
    self.openSlots = openSlots
    let places = max(1, threads.count)
    queue = FairQueue(
      FairQueueMachine.Limits(
        insideMax: places, callerInsideMax: places, waitingMax: configuration.waitingMax,
        callerWaitingMax: configuration.callerWaitingMax))
  }

  /// How many jobs can run at a time.
  package var slotCount: Int { threads.count }

  /// Ends what waits for jobs and gives back users and control groups; returns when nothing is left. Jobs
  /// that run are waited for, others refused.
  package func stop() async {
    threads.stop()
    inspectionThread.stop()
    await openSlots.wait()
  }

  package func run(
    _ job: SandboxJob, for callerID: EntityID, until deadline: ContinuousClock.Instant?,
    received: @escaping @Sendable (SandboxEvent) -> Void
  ) async throws(SandboxError) -> SandboxResult {
    try JobCheck.check(job, maxima: configuration.limitsMax)
    try await requireTrust()
    let asked = ContinuousClock.now
    switch await turn(of: callerID, until: deadline, received) {
    case .entered: break
    case .refused(let maximum): throw .overloaded(maximum: maximum)
    case .expired, .overdue: throw .expired
    case .cancelled: throw .cancelled
    }
    defer { queue.leave(callerID) }
    let waited = ContinuousClock.now - asked
    let outcome = await perform(job, received: received)
    do throws(SandboxError) {
      var result = try outcome.get().result
      result.waitingTime = waited
      return result
    } catch {
      if case .unavailable(let findings) = error { trust.withLock { $0 = .broken(findings) } }
      throw error
    }
  }

  /// Waits for a place, and tells meanwhile how many are before this one.
  private func turn(
    of callerID: EntityID, until deadline: ContinuousClock.Instant?,
    _ received: @escaping @Sendable (SandboxEvent) -> Void
  ) async -> FairQueue<EntityID>.Entry {
    let ticket = queue.makeTicket()
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { [queue] in
        var told: Int?
        var pause = Self.positionDelay
        while (try? await Task.sleep(for: pause)) != nil {
          pause = Self.positionInterval
          guard let ahead = queue.aheadCount(of: ticket, callerID), ahead != told else { continue }
          told = ahead
          received(.waiting(ahead: ahead))
        }
      }
      let entry = await queue.enter(callerID, until: deadline, ticket: ticket)
      group.cancelAll()
      return entry
    }
  }

  private func perform(
    _ job: SandboxJob, received: @escaping @Sendable (SandboxEvent) -> Void
  ) async -> Result<JobRun.Report, SandboxError> {
    if let start = starts.start(of: job), starts.note(start) { nudge() }
    guard let bell = CancellationBell() else { return .failure(.failed("no descriptor is left")) }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isAccepted = threads.run { slot in
          do throws(SandboxError) {
            continuation.resume(
              returning: .success(try slot.run(job, bell: bell, received: received)))
          } catch {
            continuation.resume(returning: .failure(error))
          }
          slot.prepare()
        }
        if !isAccepted {
          continuation.resume(returning: .failure(.failed("the sandbox has been stopped")))
        }
      }
    } onCancel: {
      bell.ring()
    }
  }

  /// Has slots that are idle start a command that is new to them; the others do it after their job.
  private func nudge() {
    let isFirst = nudges.withLock { count in
      defer { if count == 0 { count = threads.count } }
      return count == 0
    }
    guard isFirst else { return }
    for _ in 0..<threads.count {
      let isAccepted = threads.run { [weak self] slot in
        slot.prepare()
        self?.nudges.withLock { $0 -= 1 }
      }
      if !isAccepted { nudges.withLock { $0 -= 1 } }
    }
  }

  // MARK: - Inspection

  package func inspect() async -> SandboxInspection {
    switch await inspections.enter(0, until: nil) {
    case .entered: break
    case .refused, .overdue, .expired, .cancelled: return .notMade("the inspection was cancelled")
    }
    defer { inspections.leave(0) }
    return await inspectNow()
  }

  private func inspectNow() async -> SandboxInspection {
    let summary = "\(configuration.slotCount) slots, users \(configuration.userIDs)"
    let inspection = await inspectionThread.value { slot in
      Canary(slot, configurationSummary: summary).inspect()
    }
    guard let inspection else { return .notMade("the sandbox has been stopped") }
    trust.withLock { $0 = inspection.isSound ? .sound : .broken(inspection.broken) }
    return inspection
  }

  /// The first job waits for the first inspection; one inspection is enough for all that wait.
  private func requireTrust() async throws(SandboxError) {
    if try isSound() { return }
    switch await inspections.enter(0, until: nil) {
    case .entered: break
    case .refused, .overdue, .expired, .cancelled: throw .cancelled
    }
    defer { inspections.leave(0) }
    if try isSound() { return }
    let inspection = await inspectNow()
    guard inspection.isSound else { throw .unavailable(inspection.broken) }
  }

  private func isSound() throws(SandboxError) -> Bool {
    switch trust.withLock({ $0 }) {
    case .sound: return true
    case .unknown: return false
    case .broken(let findings): throw .unavailable(findings)
    }
  }

  /// Inspects again and again, until the task is cancelled.
  package func keepInspecting(
    every interval: Duration = .seconds(3600), clock: any Clock<Duration> = ContinuousClock(),
    found: @Sendable (SandboxInspection) -> Void
  ) async {
    while !Task.isCancelled {
      found(await inspect())
      try? await clock.sleep(for: interval)
    }
  }
}

extension SandboxInspection {
  static func notMade(_ why: String) -> SandboxInspection {
    SandboxInspection(
      findings: SandboxPromise.allCases.map { SandboxFinding($0, isKept: false, why) }, summary: why
    )
  }
}

extension WorkerThreads<Slot> {
  /// As `WorkerThreads<Void>` has it, with the slot of the thread.
  fileprivate func value<Value: Sendable>(
    of body: @escaping @Sendable (Slot) -> Value
  ) async -> Value? {
    await withCheckedContinuation { continuation in
      let isAccepted = run { continuation.resume(returning: body($0)) }
      if !isAccepted { continuation.resume(returning: nil) }
    }
  }
}

/// Waits until as many have ended as began.
private final class Countdown: Sendable {
  private struct State {
    var left = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func add(_ count: Int) { change(by: count) }
  func subtract() { change(by: -1) }

  private func change(by count: Int) {
    let waiters = state.withLock { state in
      state.left += count
      guard state.left == 0 else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.left > 0 { state.waiters.append(continuation) }
        return state.left <= 0
      }
      if isOver { continuation.resume() }
    }
  }
}
