import Digits
package import JSON

/// The tables that are folded from the log, in an order in which rows come after what they refer to.
package enum RebuiltTable: String, Sendable, Hashable, CaseIterable {
  case users
  case courses
  case enrolments
  case courseDocuments = "course_documents"
  case goals
  case tasks
  case codeSnapshots = "code_snapshots"
}

/// A row as one event says that it is: the fold of an entity is its event of the highest version, since
/// each payload is the whole entity after the change.
package struct RebuiltRow: Sendable, Hashable {
  package var table: RebuiltTable
  package var id: EntityID
  package var version: Int64
  /// By the names of the columns. Large contents are not in it: see `contents`.
  package var columns: [String: JSONValue]
  /// Which columns are contents of this hash.
  package var contents: [String: BlobReference] = [:]
  /// Whose contents they are, of documents and snapshots.
  package var ownerID: EntityID?
  /// The other files of a submission.
  package var files: [RebuiltFile] = []
  /// The goal and the revision of its row; nil where that is not known, or where it is no such event.
  package var goalRevision: GoalRevision?
  package var unknown: Set<UnknownField> = []
  /// Whether the event is of a build that did not keep contents with events.
  package var isOld: Bool
  /// The event, for problems that show later.
  package var origin: RebuildProblem
}

/// The goal that an event belongs to, and the revision of its row; nil where the event cannot say.
package struct GoalRevision: Sendable, Hashable {
  package var goalID: EntityID
  package var revision: Int64?

  package init(goalID: EntityID, revision: Int64?) {
    self.goalID = goalID
    self.revision = revision
  }
}

/// One of the other files of a submission, without its content.
package struct RebuiltFile: Sendable, Hashable {
  package var path: String
  package var content: BlobReference
}

extension RebuiltRow {
  /// The row that an event makes; nil for events that change none of these tables.
  ///
  /// What happened to the entity matters little: each event is the whole entity after it. So one of a type
  /// that only a later build has makes its row as well, where it says what rows of this build have.
  ///
  /// - Throws: where the event does not say what it has to, naming the member.
  package static func of(_ event: StoredEvent) throws(RebuildProblem) -> RebuiltRow? {
    guard let entityType = EntityType(rawValue: event.entityType),
      let table = table(of: entityType)
    else { return nil }
    let type = EventType(rawValue: event.type)
    // Kinds that are not ours say nothing of our tables, whatever they name.
    guard type != nil || Self.kinds.contains(event.kind) else { return nil }
    do throws(RebuildProblem) {
      return try row(of: event, type, in: table)
    } catch {
      switch error.reason {
      case .missing, .wrong: throw type == nil ? RebuildProblem(event, .unknownType) : error
      default: throw error
      }
    }
  }

  private static let kinds = Set(
    EventType.allCases.map { $0.rawValue.prefix { $0 != "." } })

  private static func row(
    of event: StoredEvent, _ type: EventType?, in table: RebuiltTable
  ) throws(RebuildProblem) -> RebuiltRow {
    let upcast = try Upcaster.upcast(event)
    var reader = PayloadReader(event: event, payload: upcast.payload)
    var row = RebuiltRow(
      table: table, id: event.entityID, version: event.version,
      columns: [
        "id": .string(event.entityID.description), "version": .integer(event.version),
      ],
      unknown: upcast.unknown, isOld: event.schemaVersion < 2,
      origin: RebuildProblem(event, .notAnObject))
    try row.fill(&reader, type)
    return row
  }

  private static func table(of type: EntityType) -> RebuiltTable? {
    switch type {
    case .user: .users
    case .course: .courses
    case .enrolment: .enrolments
    case .document: .courseDocuments
    case .goal: .goals
    case .task: .tasks
    case .codeSnapshot: .codeSnapshots
    // Runs, validations and tests of tasks are tables of their own, which are not folded.
    default: nil
    }
  }

  private mutating func fill(
    _ reader: inout PayloadReader, _ type: EventType?
  ) throws(RebuildProblem) {
    try take(&reader, .text, ["created_at", "updated_at"])
    switch table {
    case .users:
      try take(&reader, .text, ["display_name", "role", "language", "time_zone"])
      try take(&reader, .textOrNull, ["external_id", "email"])
      try take(&reader, .bool, ["is_active"])
    case .courses:
      try take(&reader, .text, ["user_id", "title", "description", "language", "status"])
      try take(&reader, .object, ["metadata"])
    case .enrolments:
      try take(&reader, .text, ["course_id", "user_id", "state"])
      try take(&reader, .textOrNull, ["changed_by"])
      try take(&reader, .bool, ["is_active", "is_direct"])
    case .courseDocuments: try fillDocument(&reader)
    case .goals:
      try fillWork(&reader)
      try take(&reader, .textOrNull, ["course_id", "target_date"])
      try take(&reader, .text, ["ai_feedback"])
      try take(&reader, .number, ["progress_percentage"])
      goalRevision = GoalRevision(goalID: id, revision: try reader.revision())
    case .tasks:
      try fillWork(&reader)
      try take(&reader, .text, ["goal_id"])
      try take(&reader, .number, ["ordinal"])
      goalRevision = GoalRevision(
        goalID: try reader.id("goal_id"), revision: try reader.revision())
    case .codeSnapshots: try fillSnapshot(&reader, type)
    }
  }

  /// What goals and tasks have in common.
  private mutating func fillWork(_ reader: inout PayloadReader) throws(RebuildProblem) {
    try take(&reader, .text, ["user_id", "title", "description", "status"])
    try take(&reader, .texts, ["validation_criteria"])
    try take(&reader, .textOrNull, ["started_at", "completed_at"])
  }

  private mutating func fillDocument(_ reader: inout PayloadReader) throws(RebuildProblem) {
    try take(&reader, .text, ["course_id", "path", "title", "language", "format"])
    try take(&reader, .number, ["byte_count", "ordinal", "section_count", "chunk_count"])
    try take(&reader, .bool, ["is_deleted"])
    let content = BlobReference(
      ownerID: try reader.id("user_id"), hash: try reader.hash("content_hash"))
    ownerID = content.ownerID
    columns["content_hash"] = .string("\\x" + Digits.hexadecimal(content.hash))
    if columns["is_deleted"] == .bool(true) {
      columns["content"] = .string("")
    } else {
      contents["content"] = content
    }
  }

  private mutating func fillSnapshot(
    _ reader: inout PayloadReader, _ type: EventType?
  ) throws(RebuildProblem) {
    try take(&reader, .text, ["user_id", "file_path", "language"])
    try take(
      &reader, .textOrNull, ["goal_id", "task_id", "verdict", "validation_feedback"])
    try take(&reader, .bool, ["reference_solution", "shared"])
    try take(&reader, .boolOrNull, ["validation_passed"])
    try take(&reader, .numberOrNull, ["validation_score"])
    try take(&reader, .objectOrNull, ["provenance"])
    // Of all other code it is the course of the goal, for readers of the log.
    let isReference = columns["reference_solution"] == .bool(true)
    columns["course_id"] = isReference ? try reader.value("course_id", .text) : .null
    let owner = try reader.id("user_id")
    let content = BlobReference(ownerID: owner, hash: try reader.hash("code_hash"))
    ownerID = owner
    columns["code_hash"] = .string("\\x" + Digits.hexadecimal(content.hash))
    contents["code_content"] = content
    guard type == .codeSubmitted, !unknown.contains(.snapshotFiles) else { return }
    files = try reader.files(of: owner)
  }

  private mutating func take(
    _ reader: inout PayloadReader, _ form: PayloadReader.Form, _ members: [String]
  ) throws(RebuildProblem) {
    for member in members { columns[member] = try reader.value(member, form) }
  }
}
