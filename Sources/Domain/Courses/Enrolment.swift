package import JSON

/// A learner's place in a course. It is kept when the learner leaves, so that coming back continues
/// with the same versions.
///
///   none, declined, withdrawn, left ── the learner enrols ──▶ active
///   none, declined, withdrawn, left ── another user names the learner ──▶ invited
///   none, left (ended by another user) ── a service or an admin enrols a learner ──▶ active
///   invited ── accepted ──▶ active       ── declined ──▶ declined       ── taken back ──▶ withdrawn
///   active ── left, declined or ended by another user ──▶ left
package struct Enrolment: Sendable, Hashable {
  package var id: EntityID
  package var courseID: EntityID
  package var userID: EntityID
  package var state: EnrolmentState
  /// Who made the last change; nil where that was not recorded yet.
  package var changedBy: EntityID?
  /// Whether the learner was enrolled by another user and never asked.
  package var isDirect: Bool
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, courseID: EntityID, userID: EntityID, state: EnrolmentState = .active,
    changedBy: EntityID? = nil, isDirect: Bool = false, version: Int64, createdAt: Timestamp,
    updatedAt: Timestamp
  ) {
    self.id = id
    self.courseID = courseID
    self.userID = userID
    self.state = state
    self.changedBy = changedBy
    self.isDirect = isDirect
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// A place that nobody has taken yet: `enter` is what makes it one.
  package init(new id: EntityID, courseID: EntityID, userID: EntityID, at now: Timestamp) {
    self.init(
      id: id, courseID: courseID, userID: userID, state: .withdrawn, version: 0, createdAt: now,
      updatedAt: now)
  }

  /// Whether the learner is enrolled: the only state in which others see what they do.
  package var isActive: Bool { state == .active }

  /// Brings the learner in.
  ///
  /// - Parameter mayBeDirect: whether the actor may enrol this learner without asking. One who has
  ///   turned the course down, or was asked and has not answered, is asked all the same.
  /// - Returns: the type of the event that records it; nil where nothing changes.
  package mutating func enter(
    by actorID: EntityID, mayBeDirect: Bool, at now: Timestamp
  ) -> EventType? {
    if state == .active { return nil }
    let isUnasked = actorID != userID
    if isUnasked, !mayBeDirect || !isOpenToDirectEntry {
      if state == .invited { return nil }
      move(to: .invited, by: actorID, at: now)
      isDirect = false
      return .courseLearnerInvited
    }
    move(to: .active, by: actorID, at: now)
    isDirect = isUnasked
    return .courseEnrolled
  }

  /// The learner takes the invitation.
  ///
  /// - Returns: the type of the event that records it; nil where it was taken already.
  package mutating func accept(at now: Timestamp) throws(DomainError) -> EventType? {
    switch state {
    case .active: return nil
    case .invited:
      move(to: .active, by: userID, at: now)
      return .courseEnrolled
    case .left, .declined, .withdrawn: throw .notFound(.enrolment, courseID)
    }
  }

  /// The learner turns the invitation down, or leaves.
  ///
  /// - Returns: the type of the event that records it; nil where the learner is out already.
  package mutating func decline(at now: Timestamp) throws(DomainError) -> EventType? {
    switch state {
    case .active, .invited: return try end(by: userID, at: now)
    case .left, .declined: return nil
    case .withdrawn: throw .notFound(.enrolment, courseID)
    }
  }

  /// Ends the enrolment or the invitation.
  ///
  /// - Returns: the type of the event that records it.
  package mutating func end(by actorID: EntityID, at now: Timestamp) throws(DomainError)
    -> EventType
  {
    switch state {
    case .active:
      move(to: .left, by: actorID, at: now)
      return .courseLeft
    case .invited:
      let isLearner = actorID == userID
      move(to: isLearner ? .declined : .withdrawn, by: actorID, at: now)
      return isLearner ? .courseInvitationDeclined : .courseInvitationWithdrawn
    case .left, .declined, .withdrawn: throw .notFound(.enrolment, courseID)
    }
  }

  /// Where nothing is known of the learner's own will: they have no place yet, or it was ended for
  /// them.
  private var isOpenToDirectEntry: Bool {
    version == 0 || state == .left && changedBy != nil && changedBy != userID
  }

  private mutating func move(to state: EnrolmentState, by actorID: EntityID, at now: Timestamp) {
    self.state = state
    changedBy = actorID
    version += 1
    updatedAt = max(now, updatedAt)
  }

  package func event(
    _ type: EventType, id eventID: EntityID, at now: Timestamp, metadata: JSONValue
  ) -> NewEvent {
    NewEvent(
      id: eventID, type: type, entityType: .enrolment, entityID: id, version: version,
      userID: userID,
      payload: .object([
        ("course_id", .string(courseID.description)),
        ("user_id", .string(userID.description)),
        ("is_active", .bool(isActive)),
        ("state", .string(state.rawValue)),
        ("changed_by", changedBy.map { .string($0.description) } ?? .null),
        ("is_direct", .bool(isDirect)),
        ("created_at", .string(createdAt.description)),
        ("updated_at", .string(updatedAt.description)),
      ]),
      metadata: metadata, createdAt: now)
  }
}

/// What a learner's place in a course is; the raw value is what `enrolments.state` holds.
package enum EnrolmentState: String, Sendable, Hashable, CaseIterable {
  /// Asked, and has not answered.
  case invited
  case active
  /// Was enrolled.
  case left
  /// The learner turned the invitation down.
  case declined
  /// The invitation was taken back.
  case withdrawn
}
