/// One change of state: rows, the events that record them and the reply to remember, committed
/// together or not at all.
package struct Write: Sendable {
  package let changes: [Change]
  package let events: [NewEvent]
  package let reply: KeyedReply?
  /// The user whose bytes `storedByteCount` is added to; nil for the server's own writes. With a
  /// reply it is its caller.
  package let chargedTo: EntityID?
  /// About what the write stores: its texts, code and documents, what they are found by, its events,
  /// and the reply that is remembered. Quotas are counted in it; nothing where nobody is charged.
  package let storedByteCount: Int64

  package init(
    changes: [Change], events: [NewEvent], reply: KeyedReply?, chargedTo: EntityID? = nil
  ) {
    self.changes = changes
    self.events = events
    self.reply = reply
    self.chargedTo = chargedTo
    storedByteCount =
      chargedTo == nil ? 0 : Write.byteCount(of: changes, events, reply)
  }
}

/// One row, or the rows of one aggregate, to write.
package enum Change: Sendable {
  case insertUser(User)
  /// Writes the user where its row still has `version - 1`.
  case updateUser(User)
  case insertCourse(Course)
  /// Writes the course where its row still has `version - 1`.
  case updateCourse(Course)
  case insertEnrolment(Enrolment)
  /// Writes the enrolment where its row still has `version - 1`.
  case updateEnrolment(Enrolment)
  /// Inserts a new goal and its tasks, or writes the goal where its row still has
  /// `loadedRevision` and upserts the changed tasks; the revision goes up by one.
  case saveGoal(GoalAggregate)
  case insertSnapshot(CodeSnapshot)
  /// Writes the verdict and the sharing where the row still has `version - 1`.
  case updateSnapshot(CodeSnapshot)
  /// Inserts a document of version 1, or writes it where its row still has `version - 1`.
  case saveDocument(CourseDocument)
  /// Writes what can be found of an entity.
  case savePassages(PassageUpdate)
  case insertRun(AgentRun)
  /// Writes the run where its row still has version `after`.
  case updateRun(AgentRun, after: Int64)
  /// Inserts a validation that waits, unless too many of its queue key do.
  case insertValidation(ValidationRun)
  /// Writes the validation where its row still has version `after`, attempt and owner; with the whole
  /// report, where tests of this author are hidden in it.
  case updateValidation(ValidationRun, after: Int64, full: FullReport?)
  case insertSuite(StoredSuite)
  /// A new version of what tests a task has, which is no other's yet.
  case insertTaskTests([TaskTests])
  /// Sets all of a user's quotas.
  case saveQuota(Quota)
  case insertGroup(ConsumerGroup)
  /// Writes the limits where the row still has `version - 1`.
  case updateGroup(ConsumerGroup)
  /// With all that it holds.
  case deleteGroup(EntityID)
  /// Sends these parked entries of a group again, or takes them out; they are parked, all of them.
  case unpark(EntityID, positions: [Int64], isReplay: Bool)
  /// Events of other systems that are in the log, each once.
  case insertExternals([ExternalRecord])
  /// Inserts each subject of version `loadedVersion` 0, and writes the others where their row still has it.
  case saveSubjects([ExternalSubject])
}

extension GoalAggregate {
  /// What a write of this goal and its tasks holds.
  package var changes: [Change] { events.isEmpty ? [] : [.saveGoal(self)] }
}

/// Names one keyed request: the same caller, method and key within 24 hours is the same request.
package struct RequestKey: Sendable, Hashable {
  package var callerID: EntityID
  package var method: String
  package var key: String
  /// SHA-256 of the request's bytes: the same key with another request is refused.
  package var requestHash: [UInt8]

  package init(callerID: EntityID, method: String, key: String, requestHash: [UInt8]) {
    self.callerID = callerID
    self.method = method
    self.key = key
    self.requestHash = requestHash
  }
}

/// The encoded reply that a repeat of the request is to get.
package struct KeyedReply: Sendable, Hashable {
  package var request: RequestKey
  package var reply: [UInt8]

  package init(request: RequestKey, reply: [UInt8]) {
    self.request = request
    self.reply = reply
  }
}

/// What a keyed request was answered with when it was committed before.
package enum StoredReply: Sendable, Hashable {
  case reply([UInt8])
  /// The key was used for another request.
  case otherRequest
}

package enum CommitOutcome: Sendable, Hashable {
  /// Committed and flushed to disk.
  case committed
  /// A guarded row has changed; nothing was written. Read again and decide again.
  case stale
  /// This request was committed before; here is its reply. Nothing was written.
  case replayed([UInt8])
  /// The key was used for another request. Nothing was written.
  case keyConflict

  /// What a commit comes to whose key has a reply already.
  package init(_ stored: StoredReply) {
    self =
      switch stored {
      case .reply(let bytes): .replayed(bytes)
      case .otherRequest: .keyConflict
      }
  }
}

package protocol WriteStore: Sendable {
  /// Commits `write`. A concurrent repeat of the same key waits for the first to end.
  func commit(_ write: Write) async throws(StoreError) -> CommitOutcome

  /// What a request was answered with when it was committed before; nil where it was not.
  func reply(to request: RequestKey) async throws(StoreError) -> StoredReply?
}
