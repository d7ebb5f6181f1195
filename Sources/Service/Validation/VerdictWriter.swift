internal import Domain
internal import Writes

/// What a report does to its snapshot, and to the task that the code answers.
struct VerdictWriter: Sendable {
  struct Outcome: Sendable {
    var changes: [Change] = []
    var events: [NewEvent] = []
  }

  let journal: ValidationJournal

  /// - Parameter report: as the author of the code may see it.
  func outcome(
    of report: ValidationReport, _ source: SuiteSource?, _ run: ValidationRun,
    _ context: ChangeContext
  ) async throws -> Outcome {
    let scope = journal.system(run)
    guard let found = try await journal.snapshots.snapshot(run.snapshotID, scope: scope) else {
      return Outcome()
    }
    let user = try await journal.users.user(run.userID, scope: scope)
    let judgement = Self.judgement(
      report, source, run,
      feedback: journal.ports.feedback.text(
        on: report, files: found.snapshot.submission.files, language: user?.language ?? "en"))
    var snapshot = found.snapshot
    // What others decided does not give way to tests that the author of the code wrote.
    if let old = snapshot.judgement, old.verdict.isDecided, let source, source.isOnAuthorsWord,
      source.stored.authorID == snapshot.userID,
      old.provenance.source != Provenance.instructorSource
        || old.provenance.actorID != snapshot.userID
    {
      return Outcome()
    }
    // What decides nothing takes nothing away.
    if let old = snapshot.judgement, old.verdict.isDecided, !judgement.verdict.isDecided {
      return Outcome()
    }
    try snapshot.judgeAgain(judgement, at: context.now)
    let type: EventType = judgement.verdict.isDecided ? .codeValidated : .codeUndecided
    var outcome = Outcome(
      changes: [.updateSnapshot(snapshot)],
      events: [snapshot.event(type, goalCourseID: found.goalCourseID, context: context)])
    let completes = source?.stored.suite.completesTask ?? false
    if judgement.verdict == .passed, completes, let taskID = run.taskID {
      try await complete(taskID, scope, context, &outcome)
    }
    return outcome
  }

  private static func judgement(
    _ report: ValidationReport, _ source: SuiteSource?, _ run: ValidationRun, feedback: String
  ) -> Judgement {
    let isOnWord = source?.isOnAuthorsWord ?? false
    return Judgement(
      verdict: report.verdict, score: report.verdict.isDecided ? report.score ?? 0 : nil,
      feedback: feedback.clean(maximum: CodeLimits.feedback),
      provenance: Provenance(
        source: isOnWord ? Provenance.instructorSource : Provenance.sandboxSource,
        actorID: isOnWord ? source?.stored.authorID ?? run.callerID : run.callerID,
        toolVersions: report.toolVersions.clean, limits: report.limits.clean,
        policy: report.policy.clean(maximum: CodeLimits.policy)))
  }

  /// Completes the task where it can be: one that is done, put away or gone stays as it is.
  private func complete(
    _ taskID: EntityID, _ scope: AccessScope, _ context: ChangeContext, _ outcome: inout Outcome
  ) async throws {
    let goal = try await journal.goals.goal(ofTask: taskID, scope: scope, forUpdate: true)
    guard var goal, let task = goal.tasks.first(where: { $0.id == taskID }),
      task.status == .pending || task.status == .inProgress
    else { return }
    do throws(DomainError) {
      try goal.applyToTask(taskID, .complete, expectedVersion: nil, context: context)
    } catch {
      return
    }
    outcome.changes += goal.changes
    outcome.events += goal.events
  }
}

extension String {
  /// At most `maximum` scalars, without control characters other than tab and line breaks.
  fileprivate func clean(maximum: Int) -> String {
    var output = String.UnicodeScalarView()
    for scalar in unicodeScalars.prefix(maximum) {
      let isKept =
        scalar == "\n" || scalar == "\t" || scalar.properties.generalCategory != .control
      output.append(isKept ? scalar : " ")
    }
    return String(output)
  }
}

extension [String: String] {
  /// As a provenance takes it: what has no name, or no line of its own, is none.
  fileprivate var clean: [String: String] {
    var output: [String: String] = [:]
    for (name, value) in sorted(by: { $0.key < $1.key }).prefix(CodeLimits.provenanceEntries) {
      let name = InvisibleCharacters.removed(from: name)
      let value = InvisibleCharacters.removed(from: value)
      guard !name.isEmpty else { continue }
      output[String(name.unicodeScalars.prefix(CodeLimits.provenanceName))] =
        String(value.unicodeScalars.prefix(CodeLimits.provenanceValue))
    }
    return output
  }
}
