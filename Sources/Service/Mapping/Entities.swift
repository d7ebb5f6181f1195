internal import Contract
internal import Domain
internal import EventLog
internal import JSON

extension Contract.User {
  init(_ user: Domain.User) {
    self.init(
      id: user.id.description, externalId: user.externalID ?? "", displayName: user.displayName,
      email: user.email ?? "", role: Contract.Role(user.role), language: user.language,
      timeZone: user.timeZone, active: user.isActive, version: user.version,
      createdAt: Contract.Timestamp(user.createdAt), updatedAt: Contract.Timestamp(user.updatedAt))
  }
}

extension Contract.Token {
  init(_ token: TokenRecord) {
    self.init(
      id: token.id.description, userId: token.userID.description, role: Contract.Role(token.role),
      label: token.label, createdAt: Contract.Timestamp(token.createdAt),
      expiresAt: Contract.Timestamp(token.expiresAt),
      revokedAt: Contract.Timestamp(token.revokedAt), scopes: token.scopes)
  }
}

extension Contract.Course {
  init(_ course: Domain.Course) {
    self.init(
      id: course.id.description, userId: course.userID.description, title: course.title,
      description: course.description, language: course.language,
      technologies: course.technologies, metadata: course.attributes,
      status: course.status == .active ? .active : .archived, version: course.version,
      createdAt: Contract.Timestamp(course.createdAt),
      updatedAt: Contract.Timestamp(course.updatedAt))
  }
}

extension Contract.Enrolment {
  init(_ enrolment: Domain.Enrolment) {
    self.init(
      id: enrolment.id.description, courseId: enrolment.courseID.description,
      userId: enrolment.userID.description, active: enrolment.isActive,
      version: enrolment.version, createdAt: Contract.Timestamp(enrolment.createdAt),
      updatedAt: Contract.Timestamp(enrolment.updatedAt),
      state: Contract.EnrolmentState(enrolment.state),
      changedBy: enrolment.changedBy?.description ?? "", direct: enrolment.isDirect)
  }
}

extension Contract.EnrolmentState {
  init(_ state: Domain.EnrolmentState) {
    self =
      switch state {
      case .invited: .invited
      case .active: .active
      case .left: .left
      case .declined: .declined
      case .withdrawn: .withdrawn
      }
  }
}

extension Domain.EnrolmentState {
  /// The states of a filter.
  ///
  /// - Parameter standard: what none means.
  static func filter(
    _ states: [Contract.EnrolmentState], standard: [Domain.EnrolmentState]
  ) throws(DomainError) -> [Domain.EnrolmentState] {
    guard states.count <= 20 else { throw .invalid("states", "has more than 20 entries") }
    var wanted: [Domain.EnrolmentState] = []
    for (index, state) in states.enumerated() {
      let known = allCases.first { Contract.EnrolmentState($0) == state }
      guard let known else {
        throw .invalid("states[\(index)]", "is no state that this server knows")
      }
      if !wanted.contains(known) { wanted.append(known) }
    }
    return wanted.isEmpty ? standard : wanted
  }
}

extension Contract.Goal {
  init(_ goal: Domain.Goal) {
    self.init(
      id: goal.id.description, userId: goal.userID.description,
      courseId: goal.courseID?.description ?? "", title: goal.title,
      description: goal.description, status: Contract.WorkStatus(goal.status),
      progressPercentage: goal.progressPercentage, validationCriteria: goal.validationCriteria,
      aiFeedback: goal.aiFeedback, targetDate: Contract.Timestamp(goal.targetDate),
      startedAt: Contract.Timestamp(goal.startedAt),
      completedAt: Contract.Timestamp(goal.completedAt), version: goal.version,
      createdAt: Contract.Timestamp(goal.createdAt), updatedAt: Contract.Timestamp(goal.updatedAt))
  }
}

extension GoalTask {
  init(_ task: LearningTask) {
    self.init(
      id: task.id.description, goalId: task.goalID.description, userId: task.userID.description,
      title: task.title, description: task.description, status: Contract.WorkStatus(task.status),
      ordinal: task.ordinal, validationCriteria: task.validationCriteria,
      startedAt: Contract.Timestamp(task.startedAt),
      completedAt: Contract.Timestamp(task.completedAt), version: task.version,
      createdAt: Contract.Timestamp(task.createdAt), updatedAt: Contract.Timestamp(task.updatedAt))
  }
}

extension TaskDraft {
  init(_ task: NewTask) {
    self.init(
      title: task.title, description: task.description,
      validationCriteria: task.validationCriteria)
  }
}

extension Contract.Event {
  init(_ shared: SharedEvent, cursor: String) {
    let event = shared.event
    self.init(
      id: event.id.description, type: event.type, entityType: event.entityType,
      entityId: event.entityID.description, version: event.version,
      userId: event.userID?.description ?? "", payloadJson: event.openedPayload,
      metadataJson: shared.shownMetadata, schemaVersion: event.schemaVersion,
      createdAt: Contract.Timestamp(event.createdAt), cursor: cursor)
  }
}

extension Domain.EventFilter {
  private static let entriesMax = 100

  /// Parses the filter of a request; nil wants everything.
  init(_ message: Contract.EventFilter?) throws(DomainError) {
    self.init()
    guard let message else { return }
    userIDs = try Self.ids(message.userIds, field: "filter.user_ids")
    goalIDs = try Self.ids(message.goalIds, field: "filter.goal_ids")
    taskIDs = try Self.ids(message.taskIds, field: "filter.task_ids")
    courseIDs = try Self.ids(message.courseIds, field: "filter.course_ids")
    try Self.checkCount(message.types.count, field: "filter.types")
    for (index, type) in message.types.enumerated() {
      guard Self.isType(type) else {
        throw .invalid(
          "filter.types[\(index)]", "must be a type such as goal.created or a kind such as goal.*")
      }
    }
    types = message.types
  }

  private static func ids(_ texts: [String], field: String) throws(DomainError) -> [EntityID] {
    try checkCount(texts.count, field: field)
    var ids: [EntityID] = []
    for (index, text) in texts.enumerated() {
      ids.append(try EntityID(parsing: text, field: "\(field)[\(index)]"))
    }
    return ids
  }

  private static func checkCount(_ count: Int, field: String) throws(DomainError) {
    if count > entriesMax { throw .invalid(field, "has more than \(entriesMax) entries") }
  }

  /// `<kind>.<past tense>` or `<kind>.*`, of lower-case letters and underscores.
  private static func isType(_ text: String) -> Bool {
    guard text.utf8.count <= 100 else { return false }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return false }
    func isWord(_ part: Substring) -> Bool {
      part.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
      }
    }
    return isWord(parts[0]) && (parts[1] == "*" || isWord(parts[1]))
  }
}
