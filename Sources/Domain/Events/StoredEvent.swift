package import JSON

/// An event that a change is about to record: everything but what the log itself gives.
package struct NewEvent: Sendable, Hashable {
  package var id: EntityID
  /// `<kind>.<past tense>`, for example `goal.created`.
  package var type: EventType
  /// The type of an event of another system, where `type` only says that it is one.
  package var externalType: String?
  package var entityType: EntityType
  package var entityID: EntityID
  /// The entity's version after the change; 1 for its first event, then without gaps.
  package var version: Int64
  /// Whose event it is (the learner that owns the entity); nil where nobody does.
  package var userID: EntityID?
  /// The entity as it is after the change, under its column names: enough to rebuild it.
  package var payload: JSONValue
  /// Actor, cause, trace, idempotency key.
  package var metadata: JSONValue
  package var createdAt: Timestamp

  package init(
    id: EntityID, type: EventType, entityType: EntityType, entityID: EntityID, version: Int64,
    userID: EntityID?, payload: JSONValue, metadata: JSONValue = .object([]), createdAt: Timestamp
  ) {
    self.id = id
    self.type = type
    self.entityType = entityType
    self.entityID = entityID
    self.version = version
    self.userID = userID
    self.payload = payload
    self.metadata = metadata
    self.createdAt = createdAt
  }

  /// An event of another system, under a type of that system.
  package init(
    id: EntityID, externalType: String, entityID: EntityID, version: Int64, userID: EntityID?,
    payload: JSONValue, metadata: JSONValue, createdAt: Timestamp
  ) {
    self.init(
      id: id, type: .externalReceived, entityType: .external, entityID: entityID,
      version: version, userID: userID, payload: payload, metadata: metadata,
      createdAt: createdAt)
    self.externalType = externalType
  }

  /// What `events.event_type` holds of it.
  package var typeText: String { externalType ?? type.rawValue }
}

/// An event as the log holds it, with its place in the order that every reader sees.
package struct StoredEvent: Sendable, Hashable {
  /// The schema version that this build writes. What older ones did not say is in `Upcaster`.
  package static let currentSchemaVersion: Int32 = 2

  package var id: EntityID
  /// Insertion order; never public, since a lower one can be committed later.
  package var seq: Int64
  /// Dense order of commit, from 1; the public cursor.
  package var position: Int64
  package var type: String
  package var entityType: String
  package var entityID: EntityID
  package var version: Int64
  package var userID: EntityID?
  /// As it is stored: readers take `openedPayload`, or `clearFields` of it.
  package var payload: SealedJSON
  /// As it is stored: readers take `openedMetadata`, or `shownMetadata`.
  package var metadata: SealedJSON
  package var schemaVersion: Int32
  package var createdAt: Timestamp

  package init(
    id: EntityID, seq: Int64, position: Int64, type: String, entityType: String, entityID: EntityID,
    version: Int64, userID: EntityID?, payload: SealedJSON, metadata: SealedJSON,
    schemaVersion: Int32 = StoredEvent.currentSchemaVersion, createdAt: Timestamp
  ) {
    self.id = id
    self.seq = seq
    self.position = position
    self.type = type
    self.entityType = entityType
    self.entityID = entityID
    self.version = version
    self.userID = userID
    self.payload = payload
    self.metadata = metadata
    self.schemaVersion = schemaVersion
    self.createdAt = createdAt
  }

  /// The part of the type before the dot: `goal` of `goal.created`.
  package var kind: Substring { type.prefix { $0 != "." } }
}

/// The types of event that this build writes; the raw value is what `events.event_type` holds.
package enum EventType: String, Sendable, Hashable, CaseIterable {
  case userCreated = "user.created"
  case userUpdated = "user.updated"
  case userDeactivated = "user.deactivated"
  /// A token was made.
  case userTokenIssued = "user.token_issued"
  case userTokenRevoked = "user.token_revoked"
  case courseCreated = "course.created"
  case courseUpdated = "course.updated"
  case courseArchived = "course.archived"
  case courseReopened = "course.reopened"
  case courseDeleted = "course.deleted"
  case courseLearnerInvited = "course.learner_invited"
  case courseInvitationDeclined = "course.invitation_declined"
  case courseInvitationWithdrawn = "course.invitation_withdrawn"
  case courseEnrolled = "course.enrolled"
  case courseLeft = "course.left"
  case courseDocumentAdded = "course.document_added"
  case courseDocumentChanged = "course.document_changed"
  case courseDocumentRemoved = "course.document_removed"
  case goalCreated = "goal.created"
  case goalUpdated = "goal.updated"
  case goalStarted = "goal.started"
  case goalProgressed = "goal.progressed"
  case goalCompleted = "goal.completed"
  case goalReopened = "goal.reopened"
  case goalArchived = "goal.archived"
  case goalDeleted = "goal.deleted"
  case taskCreated = "task.created"
  case taskUpdated = "task.updated"
  case taskStarted = "task.started"
  case taskCompleted = "task.completed"
  case taskReopened = "task.reopened"
  case taskArchived = "task.archived"
  case taskDeleted = "task.deleted"
  case taskReordered = "task.reordered"
  case codeSubmitted = "code.submitted"
  case codeValidated = "code.validated"
  /// A verdict that decides nothing: inconclusive or errored.
  case codeUndecided = "code.undecided"
  case codeShared = "code.shared"
  case codeUnshared = "code.unshared"
  case codeValidationRequested = "code.validation_requested"
  case codeValidationProgressed = "code.validation_progressed"
  case codeValidationCompleted = "code.validation_completed"
  case codeValidationCancelled = "code.validation_cancelled"
  case taskTestsSet = "task.tests_set"
  case taskTestsCleared = "task.tests_cleared"
  case aiRunStarted = "ai.run_started"
  case aiContextRetrieved = "ai.context_retrieved"
  case aiReplied = "ai.replied"
  case aiModelFailed = "ai.model_failed"
  case aiProposalChecked = "ai.proposal_checked"
  case aiProposalMade = "ai.proposal_made"
  case aiProposalRejected = "ai.proposal_rejected"
  case aiRunCompleted = "ai.run_completed"
  case aiRunFailed = "ai.run_failed"
  case aiRunCancelled = "ai.run_cancelled"
  /// Stands for all types of other systems, `external.*`: see `NewEvent.externalType`.
  case externalReceived = "external.received"
}
