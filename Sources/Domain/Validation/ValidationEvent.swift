package import JSON

/// What happened in a validation. Steps are as the code's author may see them: the log holds nothing of
/// hidden tests.
package enum ValidationEvent: Sendable, Hashable {
  /// What became of the tests, and the verdict.
  package struct End: Sendable, Hashable {
    package var verdict: Verdict
    package var score: Double?
    package var reason: String
    package var passedTestCount: Int
    package var testCount: Int

    package init(_ report: ValidationReport) {
      verdict = report.verdict
      score = report.score
      reason = report.reason
      passedTestCount = report.tests.count { $0.status == .pass }
      testCount = report.tests.count
    }

    fileprivate init(
      verdict: Verdict, score: Double?, reason: String, passedTestCount: Int, testCount: Int
    ) {
      self.verdict = verdict
      self.score = score
      self.reason = reason
      self.passedTestCount = passedTestCount
      self.testCount = testCount
    }
  }

  case requested
  /// The next steps of an attempt, in order.
  case progressed([ValidationStep], attempt: Int)
  case completed(End)
  case cancelled

  package var type: EventType {
    switch self {
    case .requested: .codeValidationRequested
    case .progressed: .codeValidationProgressed
    case .completed: .codeValidationCompleted
    case .cancelled: .codeValidationCancelled
    }
  }

  /// - Parameter run: after the event.
  func payload(of run: ValidationRun) -> JSONValue {
    .object(
      [
        ("id", .string(run.id.description)),
        ("code_snapshot_id", .string(run.snapshotID.description)),
        ("user_id", .string(run.userID.description)), ("goal_id", JSONValue(run.goalID)),
        ("task_id", JSONValue(run.taskID)), ("course_id", JSONValue(run.courseID)),
        ("status", .string(run.status.rawValue)), ("preview", .bool(run.isPreview)),
      ] + members(of: run))
  }

  private func members(of run: ValidationRun) -> [(key: String, value: JSONValue)] {
    switch self {
    case .requested:
      [
        ("caller_id", .string(run.callerID.description)), ("suite_id", JSONValue(run.suiteID)),
        ("group_id", JSONValue(run.groupID)), ("run_count", .integer(Int64(run.runCount))),
        ("seed", .integer(Int64(run.seed))),
      ]
    case .progressed(let steps, let attempt):
      [
        ("attempt", .integer(Int64(attempt))), ("steps", .array(steps.map(\.json))),
      ]
    case .completed(let end):
      [
        ("attempt", .integer(Int64(run.attempt))), ("verdict", .string(end.verdict.rawValue)),
        ("score", end.score.map(JSONValue.number) ?? .null), ("reason", .string(end.reason)),
        ("passed_test_count", .integer(Int64(end.passedTestCount))),
        ("test_count", .integer(Int64(end.testCount))),
      ]
    case .cancelled: []
    }
  }

  /// Reads what was recorded; nil for anything else.
  package init?(type: String, payload: JSONValue) {
    switch EventType(rawValue: type) {
    case .codeValidationRequested: self = .requested
    case .codeValidationCancelled: self = .cancelled
    case .codeValidationProgressed:
      guard let attempt = payload["attempt"]?.integerValue else { return nil }
      // Forgotten steps read as none.
      var steps: [ValidationStep] = []
      for json in payload["steps"]?.arrayValue ?? [] {
        guard let step = ValidationStep(json: json) else { return nil }
        steps.append(step)
      }
      self = .progressed(steps, attempt: Int(clamping: attempt))
    case .codeValidationCompleted:
      guard let verdict = payload["verdict"]?.stringValue.flatMap(Verdict.init(rawValue:)) else {
        return nil
      }
      self = .completed(
        End(
          verdict: verdict, score: payload["score"]?.doubleValue,
          reason: payload["reason"]?.stringValue ?? "",
          passedTestCount: Int(clamping: payload["passed_test_count"]?.integerValue ?? 0),
          testCount: Int(clamping: payload["test_count"]?.integerValue ?? 0)))
    default: return nil
    }
  }
}
