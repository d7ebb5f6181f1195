internal import Domain
internal import JSON
internal import Writes

/// Reads and writes validations and their events.
struct ValidationJournal: Sendable {
  private static let pageLimit = 200

  let ports: ValidationPorts
  let users: any UserRepository
  let goals: any GoalRepository
  let snapshots: any SnapshotRepository
  let writes: DecisionExecutor
  let options: ValidationOptions

  /// Another worker has the validation, or it has ended.
  struct Superseded: Error {}

  private var clock: any TimeSource { writes.clock }

  /// What is read on the server's own account.
  func system(_ run: ValidationRun) -> AccessScope {
    AccessScope(callerID: run.callerID, role: .service)
  }

  /// The events after `version`, which it moves on.
  func events(
    of id: EntityID, after version: inout Int64, scope: AccessScope
  ) async throws(StoreError) -> [(StoredEvent, ValidationEvent)] {
    var read: [(StoredEvent, ValidationEvent)] = []
    while true {
      let page = try await ports.validations.events(
        ofValidation: id, after: version, limit: Self.pageLimit, scope: scope)
      for stored in page {
        version = stored.version
        // Of a later build: what follows it is shown all the same.
        guard EventType(rawValue: stored.type) != nil else { continue }
        guard let payload = JSONValue(parsing: stored.openedPayload),
          let event = ValidationEvent(type: stored.type, payload: payload)
        else { throw .corrupt("event \(stored.version) of a validation cannot be read") }
        read.append((stored, event))
      }
      if page.count < Self.pageLimit { return read }
    }
  }

  func context(_ metadata: JSONValue = .object([])) -> ChangeContext {
    ChangeContext(now: clock.now(), ids: writes.ids, metadata: metadata)
  }

  /// Commits steps of a validation that this worker runs.
  ///
  /// - Throws: `Superseded` where it does not run it any more.
  func progress(_ run: inout ValidationRun, _ steps: [ValidationStep]) async throws {
    var next = run
    let context = context()
    let event = next.record(.progressed(steps, attempt: run.attempt), context: context)
    let isCommitted = try await writes.commit(
      changes: [.updateValidation(next, after: run.version, full: nil)], events: [event],
      chargedTo: run.callerID)
    guard isCommitted else { throw Superseded() }
    run = next
  }

  /// Commits the end of a validation that this worker runs: its last steps, its report, the verdict of
  /// the snapshot and what follows from it, all or nothing.
  ///
  /// - Throws: `Superseded` where it does not run it any more.
  func finish(
    _ run: ValidationRun, _ report: ValidationReport, judgedBy source: SuiteSource?,
    last steps: [[ValidationStep]]
  ) async throws {
    let full = report.bounded
    let shown = LearnerView(source?.stored.suite).shown(full)
    let isCut = source?.stored.suite.tests.contains(where: \.isHidden) ?? false
    var run = run
    for attempt in 1...DecisionExecutor.attemptMax {
      if attempt > 1 { run = try await stillRunning(run) }
      let context = context()
      var next = run
      var events = steps.map {
        next.record(.progressed($0, attempt: run.attempt), context: context)
      }
      next.report = shown
      var changes: [Change] = []
      if !run.isPreview {
        let verdict = VerdictWriter(journal: self)
        let outcome = try await verdict.outcome(of: shown, source, run, context)
        changes += outcome.changes
        events += outcome.events
      }
      events.append(next.record(.completed(ValidationEvent.End(shown)), context: context))
      let whole =
        isCut ? source.map { FullReport(suiteAuthorID: $0.stored.authorID, report: full) } : nil
      changes.append(.updateValidation(next, after: run.version, full: whole))
      if try await writes.commit(changes: changes, events: events, chargedTo: run.callerID) {
        return
      }
    }
    throw WriteError.contention
  }

  /// The validation as it is now, where this worker still runs it.
  func stillRunning(_ run: ValidationRun) async throws -> ValidationRun {
    let found = try await ports.validations.validation(run.id, scope: system(run))
    guard let now = found?.run, now.status == .running, now.lease.owner == run.lease.owner,
      now.attempt == run.attempt
    else { throw Superseded() }
    return now
  }

  /// The tests that a validation is judged by, and whose word they are; nil without any.
  func source(_ run: ValidationRun) async throws -> SuiteSource? {
    guard let id = run.suiteID else { return nil }
    guard let stored = try await ports.tests.suite(id) else {
      throw StoreError.corrupt("the suite of a validation is not there")
    }
    return SuiteSource(
      stored: stored,
      author: try await users.user(stored.authorID, scope: system(run)))
  }
}

/// Tests, and who wrote them.
struct SuiteSource: Sendable {
  var stored: StoredSuite
  var author: User?

  /// Whether a verdict by these tests is worth its author's word only: everybody takes that of services
  /// and admins.
  var isOnAuthorsWord: Bool { !(author?.role.seesEverybody ?? false) }
}
