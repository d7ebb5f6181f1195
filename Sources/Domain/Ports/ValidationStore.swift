/// A validation as one caller may see it.
package struct FoundValidation: Sendable, Hashable {
  /// With the report as the author of the code may see it.
  package var run: ValidationRun
  /// The whole report, with hidden tests; nil where there is nothing to hide, and for who may not see
  /// it: neither who wrote the tests, nor an instructor of the goal's course, nor one who sees everybody.
  package var fullReport: ValidationReport?

  package init(run: ValidationRun, fullReport: ValidationReport?) {
    self.run = run
    self.fullReport = fullReport
  }
}

/// Which validations; one of snapshot, task, group and owner leads the way.
package struct ValidationFilter: Sendable, Hashable {
  package var snapshotID: EntityID?
  package var taskID: EntityID?
  package var groupID: EntityID?
  /// Nil without the others: the caller's own.
  package var ownerID: EntityID?
  package var status: ValidationStatus?

  package init() {}
}

/// Validations. They are written through `WriteStore`, in the same commit as their events; only the leases
/// are written here. A validation is visible as its snapshot is, but never as an example.
package protocol ValidationStore: Sendable {
  func validation(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundValidation?
  /// The last one of a snapshot that was completed and is no preview.
  func lastValidation(
    ofSnapshot id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundValidation?
  /// Newest first, without reports.
  func validations(
    _ filter: ValidationFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ValidationRun>
  /// At most `limit` events after `version`, in order, sequenced or not; none where the caller may not see
  /// the validation.
  func events(
    ofValidation id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent]
  /// The other files of a submission than its main one, in the order of their paths; none where the
  /// caller may not see the code.
  func files(
    ofSnapshot id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> [SourceFile]
  /// Of each of the tasks the newest snapshot that was judged passed or failed.
  func judgedSnapshots(ofTasks ids: [EntityID]) async throws(StoreError) -> [EntityID]
}

/// The validations that wait and run. Leases begin and end by the store's clock.
package protocol ValidationQueue: Sendable {
  /// How many of a queue key wait.
  func queuedCount(of key: EntityID) async throws(StoreError) -> Int
  /// How many come before one that waits; nil where it does not wait.
  func position(of id: EntityID) async throws(StoreError) -> Int?
  /// Gives a worker the next validation: one whose worker went away, or else the one whose turn it is.
  /// Those of each queue key take turns with those of others.
  ///
  /// - Parameter isAlone: whether no other worker can exist: then what another owner has is free.
  func claim(
    _ lease: AgentLease, isAlone: Bool
  ) async throws(StoreError) -> ValidationRun?
  /// Keeps a running validation that `lease.owner` has.
  ///
  /// - Returns: false where it has not: another worker took it over, or it has ended.
  func renew(
    _ lease: AgentLease, ofValidation id: EntityID
  ) async throws(StoreError) -> Bool
  /// Lets a validation go before its lease is over.
  func release(ofValidation id: EntityID, owner: String) async throws(StoreError)
}

/// A suite as it is stored: it never changes.
package struct StoredSuite: Sendable, Hashable {
  package var id: EntityID
  package var authorID: EntityID
  /// SHA-256 of the text of `suite.json`.
  package var hash: [UInt8]
  package var suite: TestSuite
  package var createdAt: Timestamp

  package init(
    id: EntityID, authorID: EntityID, hash: [UInt8], suite: TestSuite, createdAt: Timestamp
  ) {
    self.id = id
    self.authorID = authorID
    self.hash = hash
    self.suite = suite
    self.createdAt = createdAt
  }
}

/// That a task has these tests from a moment on; the one with the highest version holds.
package struct TaskTests: Sendable, Hashable {
  package var taskID: EntityID
  /// The task's learner.
  package var userID: EntityID
  package var goalID: EntityID
  /// Nil: the tests were taken away.
  package var suiteID: EntityID?
  package var setBy: EntityID
  /// As what: a learner does not replace what another role set.
  package var setAs: Role
  /// 1 for the first of the task, then without gaps.
  package var version: Int64
  package var setAt: Timestamp

  package init(
    taskID: EntityID, userID: EntityID, goalID: EntityID, suiteID: EntityID?, setBy: EntityID,
    setAs: Role, version: Int64, setAt: Timestamp
  ) {
    self.taskID = taskID
    self.userID = userID
    self.goalID = goalID
    self.suiteID = suiteID
    self.setBy = setBy
    self.setAs = setAs
    self.version = version
    self.setAt = setAt
  }
}

/// Tests of tasks. Whoever asks for a suite says whom it is for: hidden tests are for its author, and for
/// the work of the server itself.
package protocol TaskTestsStore: Sendable {
  /// The newest of each task that ever had tests, as the caller may see the task.
  func taskTests(
    ofTasks ids: [EntityID], scope: AccessScope
  ) async throws(StoreError) -> [TaskTests]
  /// Newest first.
  func history(
    ofTask id: EntityID, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [TaskTests]
  /// The tasks that have a suite now, at most `limit`, as the caller may see them.
  func tasks(
    withSuite id: EntityID, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [TaskTests]
  /// A suite with all that is hidden in it: for the server's own work. What a caller is shown of it is
  /// cut by `LearnerView`.
  func suite(_ id: EntityID) async throws(StoreError) -> StoredSuite?
  /// The suite of this author with this hash.
  func suite(
    hash: [UInt8], authorID: EntityID
  ) async throws(StoreError) -> StoredSuite?
}
