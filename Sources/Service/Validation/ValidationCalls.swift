internal import Contract
internal import Domain
internal import EventLog
internal import JSON
internal import OpenSSL
internal import RPC
internal import Validation
internal import Writes

/// What is to be validated, as a call asks for it.
struct ValidationOrder: Sendable {
  enum Code: Sendable {
    case snapshot(EntityID)
    case submission(SubmissionDraft)
  }

  var code: Code
  /// The caller's own tests, for code that answers no task.
  var suite: Domain.TestSuite?
  var runCount = 1
  /// 0: the server chooses.
  var seed: UInt32 = 0
  var groupID: EntityID?
  var isPreview = false
  /// Nil: the author of the code, or who oversees them.
  var queueKey: EntityID?
  /// What a repeat under the same key is told of the state before; without line breaks and blanks at its
  /// beginning.
  var stateBefore = ""
}

/// The calls that ask for validations.
struct ValidationCalls: Sendable {
  let journal: ValidationJournal
  let hub: EventHub
  let cursors: CursorCodec
  let quotas: QuotaBook
  /// Rung when there is something to run.
  let bell: WakeSignal

  var ports: ValidationPorts { journal.ports }

  func stream(_ responses: ResponseWriter<ValidateCodeResponse>) -> ValidationStream {
    ValidationStream(journal: journal, live: hub, cursors: cursors, responses: responses)
  }

  /// The validation that a call which `key` names asked for when it came before; nil where it did not.
  func known(_ key: RequestKey?) async throws -> EntityID? {
    guard let key else { return nil }
    return try await knownOrder(key)?.id
  }

  /// The same, with the state before that was remembered with it.
  func knownOrder(_ key: RequestKey) async throws -> (id: EntityID, stateBefore: String)? {
    try await journal.writes.reply(to: key).map { bytes in try Self.order(bytes) }
  }

  private static func order(
    _ bytes: [UInt8]
  ) throws(StoreError) -> (id: EntityID, stateBefore: String) {
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
    guard let id = parts.first.flatMap({ EntityID(String($0)) }) else {
      throw .corrupt("the stored reply to a call that asked for a validation is not an id")
    }
    return (id, parts.count > 1 ? String(parts[1]) : "")
  }

  /// Commits a validation that waits, with its submission where that is new.
  ///
  /// - Returns: the one that the same call asked for when it came before, where it did.
  func submit(
    _ order: ValidationOrder, key: RequestKey?, metadata: JSONValue, _ caller: Caller
  ) async throws -> EntityID {
    try await quotas.checkStorage(of: caller)
    let rest = order.stateBefore.isEmpty ? "" : " " + order.stateBefore
    let encode = { (run: Domain.ValidationRun) in Array((run.id.description + rest).utf8) }
    let written = try await journal.writes.perform(
      // Two who bring the same new tests at once have one suite.
      key, metadata: metadata, chargedTo: caller.userID, retriesDuplicates: order.suite != nil,
      encode: encode
    ) { context in
      try await decision(order, caller, context)
    }
    bell.ring()
    switch written {
    case .committed(let run): return run.id
    case .repeated(let bytes): return try Self.order(bytes).id
    }
  }

  private func decision(
    _ order: ValidationOrder, _ caller: Caller, _ context: ChangeContext
  ) async throws -> Decision<Domain.ValidationRun> {
    var changes: [Change] = []
    var events: [NewEvent] = []
    let snapshot: Domain.CodeSnapshot
    let courseID: EntityID?
    switch order.code {
    case .snapshot(let id):
      let found = try await self.snapshot(id, caller)
      (snapshot, courseID) = (found.snapshot, found.goalCourseID)
    case .submission(let draft):
      let (new, goal) = try await draft.snapshot(self, caller, context)
      (snapshot, courseID) = (new, goal?.courseID)
      changes.append(.insertSnapshot(new))
      events.append(new.event(.codeSubmitted, goalCourseID: courseID, context: context))
    }
    // Who sees everybody acts for the author; an overseer takes none of the author's turns.
    let queueKey =
      order.queueKey ?? (caller.role.seesEverybody ? snapshot.userID : caller.userID)
    guard try await ports.queue.queuedCount(of: queueKey) < ValidationLimits.queued else {
      throw DomainError.limitReached(
        "validations that wait, of one learner", maximum: ValidationLimits.queued)
    }
    var suiteID: EntityID?
    if let suite = order.suite {
      let stored = try await self.stored(suite, for: snapshot, caller, context, &changes)
      suiteID = stored.id
    } else {
      suiteID = try await self.suiteID(for: snapshot)
    }
    var run = Domain.ValidationRun(
      id: context.nextID(), snapshotID: snapshot.id, userID: snapshot.userID,
      callerID: caller.userID, goalID: snapshot.goalID, courseID: courseID,
      taskID: snapshot.taskID, suiteID: suiteID, queueKey: queueKey,
      groupID: order.groupID, isPreview: order.isPreview, runCount: order.runCount,
      seed: order.seed == 0 ? .random(in: 1...UInt32.max) : order.seed, createdAt: context.now,
      updatedAt: context.now)
    events.append(run.record(.requested, context: context))
    changes.append(.insertValidation(run))
    return Decision(changes: changes, events: events, response: run)
  }

  /// Code that the caller may have judged: their own, and what they oversee.
  func snapshot(_ id: EntityID, _ caller: Caller) async throws -> FoundSnapshot {
    guard let found = try await journal.snapshots.snapshot(id, scope: AccessScope(caller)) else {
      throw DomainError.notFound(.codeSnapshot, id)
    }
    guard !found.isExample else {
      throw DomainError.forbidden(
        "only its author, the owner of its course, services and admins may validate code")
    }
    return found
  }

  /// The caller's own tests, stored where they are new. What they decide is the word of the caller.
  private func stored(
    _ suite: Domain.TestSuite, for snapshot: Domain.CodeSnapshot, _ caller: Caller,
    _ context: ChangeContext, _ changes: inout [Change]
  ) async throws -> StoredSuite {
    guard snapshot.taskID == nil else {
      throw DomainError.invalid("suite", "cannot be given for code that answers a task")
    }
    guard suite.language == snapshot.language else {
      throw DomainError.invalid(
        "suite.language", "is '\(suite.language)', but the code is '\(snapshot.language)'")
    }
    let hash = ValidationHash.suite(suite)
    if let known = try await ports.tests.suite(hash: hash, authorID: caller.userID) {
      return known
    }
    let stored = StoredSuite(
      id: context.nextID(), authorID: caller.userID, hash: hash, suite: suite,
      createdAt: context.now)
    changes.append(.insertSuite(stored))
    return stored
  }

  /// The tests that the task has now; nil where it has none.
  private func suiteID(for snapshot: Domain.CodeSnapshot) async throws -> EntityID? {
    guard let taskID = snapshot.taskID else { return nil }
    let system = AccessScope(callerID: snapshot.userID, role: .service)
    let tests = try await ports.tests.taskTests(ofTasks: [taskID], scope: system)
    guard let id = tests.first?.suiteID, let stored = try await ports.tests.suite(id) else {
      return nil
    }
    guard stored.suite.language == snapshot.language else {
      throw DomainError.invalid(
        "language",
        "is '\(snapshot.language)', but the task's tests are for '\(stored.suite.language)'")
    }
    return id
  }
}

/// A submission as a request brings it, checked.
struct SubmissionDraft: Sendable {
  var taskID: EntityID?
  var userID: EntityID?
  var submission: Domain.Submission
  var mainContent: String

  init(_ message: Contract.Submission, field: String) throws {
    var validation = Validation()
    taskID = try EntityID.optional(message.taskId, field: "\(field).task_id")
    userID = try EntityID.optional(message.userId, field: "\(field).user_id")
    let files = message.files.map(Domain.SourceFile.init)
    if files.isEmpty { validation.add("\(field).files", "must not be empty") }
    SourceFiles.validate(files, field: "\(field).files", into: &validation)
    let mainPath =
      message.mainPath.isEmpty && files.count == 1 ? files[0].path : message.mainPath
    let main = files.first { $0.path == mainPath }
    if main == nil, !files.isEmpty {
      validation.add(
        "\(field).main_path",
        message.mainPath.isEmpty ? "must name one of the files" : "is not one of the files")
    }
    try validation.check()
    submission = Domain.Submission(
      language: message.language, mainPath: mainPath, files: files)
    mainContent = main?.content ?? ""
  }

  /// The snapshot that it becomes, and the goal of its task.
  fileprivate func snapshot(
    _ calls: ValidationCalls, _ caller: Caller, _ context: ChangeContext
  ) async throws -> (Domain.CodeSnapshot, Domain.Goal?) {
    let ownerID = try await calls.journal.users.owner(named: userID, caller)
    var goal: Domain.Goal?
    if let taskID {
      let found = try await calls.journal.goals.goal(
        ofTask: taskID, scope: AccessScope(caller), forUpdate: true)
      guard let found else { throw DomainError.notFound(.task, taskID) }
      guard found.goal.userID == ownerID else {
        throw DomainError.invalid("task_id", "is not a task of the author")
      }
      goal = found.goal
    }
    let files = submission.files.filter { $0.path != submission.mainPath }
    let snapshot = Domain.CodeSnapshot(
      id: context.nextID(), userID: ownerID, goalID: goal?.id, taskID: taskID,
      filePath: submission.mainPath, language: submission.language, content: mainContent,
      contentHash: SHA256.hash(mainContent),
      files: files, fileHashes: files.map { SHA256.hash($0.content) }, createdAt: context.now,
      updatedAt: context.now)
    try snapshot.validate()
    return (snapshot, goal)
  }
}
