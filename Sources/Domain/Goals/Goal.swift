package import JSON

/// What a learner wants to achieve.
package struct Goal: Sendable, Hashable {
  package var id: EntityID
  /// The learner that owns the goal.
  package var userID: EntityID
  package var courseID: EntityID?
  package var title: String
  package var description: String
  package var status: WorkStatus
  /// Share of the counted tasks that are completed, 0–100 (see `GoalAggregate`).
  package var progressPercentage: Double
  /// How to tell that the goal is reached, in the learner's words.
  package var validationCriteria: [String]
  /// What a model or planner said of the goal when it proposed it; empty for goals made by hand.
  package var aiFeedback: String
  package var targetDate: Timestamp?
  package var startedAt: Timestamp?
  package var completedAt: Timestamp?
  /// Version of the goal's own events, without gaps.
  package var version: Int64
  /// Goes up with every change to the goal *or its tasks*: what a write of the aggregate is guarded
  /// by. Never public.
  package var revision: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, userID: EntityID, courseID: EntityID? = nil, title: String, description: String,
    status: WorkStatus = .pending, progressPercentage: Double = 0,
    validationCriteria: [String] = [], aiFeedback: String = "", targetDate: Timestamp? = nil,
    startedAt: Timestamp? = nil, completedAt: Timestamp? = nil, version: Int64 = 1,
    revision: Int64 = 1, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.userID = userID
    self.courseID = courseID
    self.title = title
    self.description = description
    self.status = status
    self.progressPercentage = progressPercentage
    self.validationCriteria = validationCriteria
    self.aiFeedback = aiFeedback
    self.targetDate = targetDate
    self.startedAt = startedAt
    self.completedAt = completedAt
    self.version = version
    self.revision = revision
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The payload of the goal's events.
  ///
  /// - Parameter revision: of the goal's row after the write.
  package func eventPayload(revision: Int64) -> JSONValue {
    .object([
      ("id", .string(id.description)),
      ("user_id", .string(userID.description)),
      ("course_id", courseID.map { .string($0.description) } ?? .null),
      ("title", .string(title)),
      ("description", .string(description)),
      ("status", .string(status.rawValue)),
      ("progress_percentage", .number(progressPercentage)),
      ("validation_criteria", .array(validationCriteria.map(JSONValue.string))),
      ("ai_feedback", .string(aiFeedback)),
      ("target_date", JSONValue(targetDate)),
      ("started_at", JSONValue(startedAt)),
      ("completed_at", JSONValue(completedAt)),
      ("revision", .integer(revision)),
      ("created_at", JSONValue(createdAt)),
      ("updated_at", JSONValue(updatedAt)),
    ])
  }

  package func validate(into validation: inout Validation) {
    validation.text("title", title, minimum: 1, maximum: GoalLimits.title, singleLine: true)
    validation.text("description", description, maximum: GoalLimits.description)
    validation.text("ai_feedback", aiFeedback, maximum: GoalLimits.description)
    if validationCriteria.count > GoalLimits.criteria {
      validation.add("validation_criteria", "has more than \(GoalLimits.criteria) entries")
    }
    for (index, criterion) in validationCriteria.prefix(GoalLimits.criteria).enumerated() {
      validation.text(
        "validation_criteria[\(index)]", criterion, minimum: 1, maximum: GoalLimits.criterion)
    }
  }
}

/// One step towards a goal.
package struct LearningTask: Sendable, Hashable {
  package var id: EntityID
  package var goalID: EntityID
  /// The goal's owner, repeated here so that every query can be scoped without a join.
  package var userID: EntityID
  package var title: String
  package var description: String
  package var status: WorkStatus
  /// Place among the goal's tasks, from 0; ties are broken by id.
  package var ordinal: Int32
  package var validationCriteria: [String]
  package var startedAt: Timestamp?
  package var completedAt: Timestamp?
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, goalID: EntityID, userID: EntityID, title: String, description: String,
    status: WorkStatus = .pending, ordinal: Int32, validationCriteria: [String] = [],
    startedAt: Timestamp? = nil, completedAt: Timestamp? = nil, version: Int64 = 1,
    createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.goalID = goalID
    self.userID = userID
    self.title = title
    self.description = description
    self.status = status
    self.ordinal = ordinal
    self.validationCriteria = validationCriteria
    self.startedAt = startedAt
    self.completedAt = completedAt
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  package var payload: JSONValue {
    .object([
      ("id", .string(id.description)),
      ("goal_id", .string(goalID.description)),
      ("user_id", .string(userID.description)),
      ("title", .string(title)),
      ("description", .string(description)),
      ("status", .string(status.rawValue)),
      ("ordinal", .integer(Int64(ordinal))),
      ("validation_criteria", .array(validationCriteria.map(JSONValue.string))),
      ("started_at", JSONValue(startedAt)),
      ("completed_at", JSONValue(completedAt)),
      ("created_at", JSONValue(createdAt)),
      ("updated_at", JSONValue(updatedAt)),
    ])
  }

  /// The payload of the task's events. They also name the course of the goal, so that a reader of
  /// the log knows whom an event concerns without looking anything up, also once the goal is gone; and
  /// the revision of its row, which goes up also where only a task changes.
  package func eventPayload(courseID: EntityID?, revision: Int64) -> JSONValue {
    guard case .object(let members) = payload else { return payload }
    return .object(
      members + [
        ("course_id", courseID.map { .string($0.description) } ?? .null),
        ("revision", .integer(revision)),
      ])
  }

  package func validate(into validation: inout Validation, prefix: String = "") {
    validation.text(
      "\(prefix)title", title, minimum: 1, maximum: GoalLimits.title, singleLine: true)
    validation.text("\(prefix)description", description, maximum: GoalLimits.description)
    if validationCriteria.count > GoalLimits.criteria {
      validation.add("\(prefix)validation_criteria", "has more than \(GoalLimits.criteria) entries")
    }
    for (index, criterion) in validationCriteria.prefix(GoalLimits.criteria).enumerated() {
      validation.text(
        "\(prefix)validation_criteria[\(index)]", criterion, minimum: 1,
        maximum: GoalLimits.criterion)
    }
  }
}

extension Goal {
  var textByteCount: Int {
    validationCriteria.reduce(title.utf8.count + description.utf8.count + aiFeedback.utf8.count) {
      $0 + $1.utf8.count
    }
  }
}

extension LearningTask {
  var textByteCount: Int {
    validationCriteria.reduce(title.utf8.count + description.utf8.count) { $0 + $1.utf8.count }
  }
}

/// The maxima of goals and tasks, in characters or entries.
package enum GoalLimits {
  package static let title = 200
  package static let description = 10_000
  package static let criteria = 20
  package static let criterion = 1000
  /// Tasks of one goal, archived ones included.
  package static let tasks = 200
  /// Bytes of UTF-8 of all texts of a goal and its tasks: with it a goal is always small enough to
  /// be answered in one message.
  package static let textByteCount = 1 << 20
}
