/// Where a validation stands; the raw value is what `validations.status` holds.
package enum ValidationStatus: String, Sendable, Hashable, CaseIterable {
  /// Any worker may take it.
  case queued
  case running
  case completed
  case cancelled

  package var hasEnded: Bool { self == .completed || self == .cancelled }
}

/// One validation of a snapshot: a job that waits or runs, and what came of it. What happened in it is
/// in its events, under `version`.
package struct ValidationRun: Sendable, Hashable {
  package var id: EntityID
  package var snapshotID: EntityID
  /// The author of the code, and who may see the validation.
  package var userID: EntityID
  /// Who asked.
  package var callerID: EntityID
  package var goalID: EntityID?
  /// The course that the goal belongs to, whose owner may follow.
  package var courseID: EntityID?
  package var taskID: EntityID?
  /// The tests that it is judged by.
  package var suiteID: EntityID?
  /// Among whom places are shared out: the author for what is handed in, who asked for what is
  /// validated again.
  package var queueKey: EntityID
  /// The batch or revalidation that it belongs to.
  package var groupID: EntityID?
  /// Whether it leaves the snapshot as it is.
  package var isPreview: Bool
  /// How often the tests are run: 1 to 5.
  package var runCount: Int
  package var seed: UInt32
  package var status: ValidationStatus
  /// Version of its last event: 1 for the first, then without gaps.
  package var version: Int64
  /// The worker that runs it; of an empty owner before one does.
  package var lease: AgentLease
  /// How often a worker began it.
  package var attempt: Int
  package var verdict: Verdict?
  package var score: Double?
  /// What was found, as the author may see it; nil before the end, and in lists.
  package var report: ValidationReport?
  package var createdAt: Timestamp
  package var startedAt: Timestamp?
  package var finishedAt: Timestamp?
  package var updatedAt: Timestamp

  package init(
    id: EntityID, snapshotID: EntityID, userID: EntityID, callerID: EntityID,
    goalID: EntityID? = nil, courseID: EntityID? = nil, taskID: EntityID? = nil,
    suiteID: EntityID? = nil, queueKey: EntityID, groupID: EntityID? = nil,
    isPreview: Bool = false, runCount: Int = 1, seed: UInt32 = 0,
    status: ValidationStatus = .queued, version: Int64 = 0,
    lease: AgentLease = AgentLease(owner: ""), attempt: Int = 0, verdict: Verdict? = nil,
    score: Double? = nil, report: ValidationReport? = nil, createdAt: Timestamp,
    startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil, updatedAt: Timestamp
  ) {
    self.id = id
    self.snapshotID = snapshotID
    self.userID = userID
    self.callerID = callerID
    self.goalID = goalID
    self.courseID = courseID
    self.taskID = taskID
    self.suiteID = suiteID
    self.queueKey = queueKey
    self.groupID = groupID
    self.isPreview = isPreview
    self.runCount = runCount
    self.seed = seed
    self.status = status
    self.version = version
    self.lease = lease
    self.attempt = attempt
    self.verdict = verdict
    self.score = score
    self.report = report
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.updatedAt = updatedAt
  }

  /// The next event of this validation: moves it on.
  package mutating func record(_ event: ValidationEvent, context: ChangeContext) -> NewEvent {
    version += 1
    updatedAt = max(context.now, updatedAt)
    switch event {
    case .requested, .progressed: break
    case .completed(let end):
      status = .completed
      (verdict, score) = (end.verdict, end.score)
      finishedAt = updatedAt
    case .cancelled:
      status = .cancelled
      finishedAt = updatedAt
    }
    return NewEvent(
      id: context.nextID(), type: event.type, entityType: .validation, entityID: id,
      version: version, userID: userID, payload: event.payload(of: self),
      metadata: context.metadata, createdAt: context.now)
  }
}

/// The maxima of validations.
package enum ValidationLimits {
  /// Waiting validations of one queue key.
  package static let queued = 200
  /// How often a worker begins a validation before it is given up.
  package static let attempts = 3
  package static let batch = 100
  package static let runCount = 5
  /// Tasks of one change of their tests, and of one revalidation.
  package static let tasks = 1000
  /// Steps of one event, of which each is one message at most.
  package static let stepsOfEvent = 200
  /// Of the steps of one event, in bytes of UTF-8.
  package static let eventByteCount = 48 * 1024
  /// Events of one attempt; what comes after them is in the report only.
  package static let eventsOfAttempt = 200
  /// Of a report, in bytes of UTF-8.
  package static let reportByteCount = 512 * 1024
  package static let diagnostics = 200
}
