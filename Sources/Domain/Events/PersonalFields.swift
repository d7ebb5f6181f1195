/// Which members of an event's payload or metadata are personal: what a person wrote, what says who
/// they are, and what was made of either. They must be forgettable while the log is never edited, so
/// `SealedJSON` writes and reads each of them as a value that can be sealed with its owner's key.
///
/// All others are named too. A member that is in neither list is sealed as well, and fails every
/// debug build: nobody adds one without having said what it is. Declaring too much can be taken back,
/// since sealed values say for themselves that they are; what was stored in clear cannot.
///
/// What decides who gets an event, what counts in reports, and what a learner is known by everywhere
/// (ids) is never personal: it is still needed when the rest is forgotten.
package struct PersonalFields: Sendable, Hashable {
  package var personal: Set<String>
  package var plain: Set<String>

  fileprivate init(_ personal: Set<String>, plain: Set<String>) {
    self.personal = personal
    self.plain = plain
  }

  /// Of the metadata of every event: what callers choose freely, see `EventMetadata`.
  package static let ofMetadata = PersonalFields(
    ["idempotency_key", "correlation_id", "causation_id"],
    plain: ["actor", "method", "traceparent", "tracestate"])
}

extension EventType {
  /// Which members of this type's payload are personal.
  package var personalFields: PersonalFields {
    switch self {
    case .userCreated, .userUpdated, .userDeactivated: .user
    case .userTokenIssued, .userTokenRevoked: .token
    case .courseCreated, .courseUpdated, .courseArchived, .courseReopened, .courseDeleted: .course
    case .courseLearnerInvited, .courseInvitationDeclined, .courseInvitationWithdrawn,
      .courseEnrolled, .courseLeft:
      .enrolment
    case .courseDocumentAdded, .courseDocumentChanged, .courseDocumentRemoved: .document
    case .goalCreated, .goalUpdated, .goalStarted, .goalProgressed, .goalCompleted, .goalReopened,
      .goalArchived, .goalDeleted:
      .goal
    case .taskCreated, .taskUpdated, .taskStarted, .taskCompleted, .taskReopened, .taskArchived,
      .taskDeleted, .taskReordered:
      .task
    case .codeSubmitted, .codeValidated, .codeUndecided, .codeShared, .codeUnshared: .code
    case .codeValidationRequested:
      .validation([], plain: ["caller_id", "suite_id", "group_id", "run_count", "seed"])
    // What tools and tests say quotes the code.
    case .codeValidationProgressed: .validation(["steps"], plain: ["attempt"])
    case .codeValidationCompleted:
      .validation(
        ["reason"], plain: ["attempt", "verdict", "score", "passed_test_count", "test_count"])
    case .codeValidationCancelled: .validation([])
    case .taskTestsSet, .taskTestsCleared: .taskTests
    case .aiRunStarted: .run(["request"], plain: ["caller_id", "model"])
    // Texts of the learner, and what they were shown of others'.
    case .aiContextRetrieved: .run(["goals", "documents", "code"])
    case .aiReplied:
      .run(
        ["text"],
        plain: ["attempt", "model", "prompt_tokens", "completion_tokens", "duration_ms"])
    // Findings quote what they are about.
    case .aiModelFailed: .run(["failure"], plain: ["attempt"])
    case .aiProposalChecked: .run(["proposal", "findings"], plain: ["attempt", "planner"])
    case .aiProposalMade: .run(["proposal"])
    case .aiRunCompleted: .run(["proposal"], plain: ["goal_id", "task_ids", "abstained"])
    case .aiRunFailed: .run(["failure"])
    case .aiProposalRejected, .aiRunCancelled: .run([])
    case .externalReceived: .external
    }
  }
}

extension PersonalFields {
  private static let times: Set<String> = ["created_at", "updated_at"]

  fileprivate static let user = PersonalFields(
    ["external_id", "display_name", "email"],
    // The zone stays: days and streaks of reports are counted in it.
    plain: times.union(["id", "role", "language", "time_zone", "is_active"]))

  /// Neither its secret, nor the secret's hash, nor what a person called it.
  fileprivate static let token = PersonalFields(
    [],
    plain: [
      "id", "owner_id", "parent_id", "role", "scopes", "created_at", "expires_at", "revoked_at",
    ])

  /// What an instructor wrote is as much theirs as what a learner did.
  fileprivate static let course = PersonalFields(
    ["title", "description", "metadata"],
    plain: times.union(["id", "user_id", "language", "status"]))

  fileprivate static let enrolment = PersonalFields(
    [],
    plain: times.union(["course_id", "user_id", "is_active", "state", "changed_by", "is_direct"]))

  /// A hash of a short text tells what the text was.
  fileprivate static let document = PersonalFields(
    ["path", "title", "content_hash"],
    plain: times.union([
      "id", "course_id", "user_id", "language", "format", "byte_count", "ordinal", "version",
      "section_count", "chunk_count", "is_deleted",
    ]))

  private static let work = times.union(["id", "user_id", "course_id", "status"])
    .union(["started_at", "completed_at"])

  fileprivate static let goal = PersonalFields(
    ["title", "description", "validation_criteria", "ai_feedback"],
    plain: work.union(["progress_percentage", "target_date", "revision"]))

  fileprivate static let task = PersonalFields(
    ["title", "description", "validation_criteria"],
    plain: work.union(["goal_id", "ordinal", "revision"]))

  fileprivate static let code = PersonalFields(
    ["file_path", "code_hash", "files", "validation_feedback", "provenance"],
    plain: times.union([
      "code_snapshot_id", "user_id", "goal_id", "task_id", "course_id", "reference_solution",
      "language", "code_byte_count", "verdict", "validation_passed", "validation_score", "shared",
    ]))

  fileprivate static func validation(
    _ personal: Set<String>, plain: Set<String> = []
  ) -> PersonalFields {
    PersonalFields(
      personal,
      plain: plain.union([
        "id", "code_snapshot_id", "user_id", "goal_id", "task_id", "course_id", "status", "preview",
      ]))
  }

  /// The tests themselves are no part of it: some are hidden from those who read the log.
  fileprivate static let taskTests = PersonalFields(
    ["suite_hash"],
    plain: [
      "task_id", "user_id", "goal_id", "course_id", "suite_id", "language", "kind", "test_count",
      "hidden_test_count", "completes_task", "set_by", "set_as", "set_at",
    ])

  /// Ids and names of other systems say as much of a person as they like.
  fileprivate static let external = PersonalFields(
    ["data", "external_id", "subject"], plain: ["source", "received_at"])

  fileprivate static func run(_ personal: Set<String>, plain: Set<String> = []) -> PersonalFields {
    PersonalFields(personal, plain: plain.union(["id", "agent", "status", "node"]))
  }
}
