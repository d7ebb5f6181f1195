internal import Contract
internal import Domain
internal import OpenSSL
internal import RPC
internal import Writes

/// Stored code, what others decided about it, and what is decided here: see `ValidationWorker`.
struct CodeValidationService: CodeValidationServiceHandler {
  let users: any UserRepository
  let courses: any CourseRepository
  let goals: any GoalRepository
  let snapshots: any SnapshotRepository
  let writes: WriteExecutor
  let waiter: CursorWaiter
  let cursors: CursorCodec
  let runs: RunCalls
  let validations: ValidationCalls
  let admission: CallAdmission

  func createSnapshot(
    _ request: CreateSnapshotRequest, _ context: CallContext
  ) async throws -> CreateSnapshotResponse {
    let caller = try context.caller
    let named = try EntityID.optional(request.userId, field: "user_id")
    let taskID = try EntityID.optional(request.taskId, field: "task_id")
    let courseID = try EntityID.optional(request.courseId, field: "course_id")
    if taskID != nil, courseID != nil {
      throw DomainError.invalid("course_id", "cannot be given with task_id")
    }
    let hash = SHA256.hash(request.codeContent)
    return try await writes.perform(context, caller) { change in
      let ownerID = try await users.owner(named: named, caller)
      if let courseID { try await checkOwns(ownerID, courseID, caller) }
      var goal: Domain.Goal?
      if let taskID { goal = try await self.goal(ofTask: taskID, ownerID, caller) }
      let snapshot = Domain.CodeSnapshot(
        id: change.nextID(), userID: ownerID, goalID: goal?.id, taskID: taskID,
        referenceCourseID: courseID, filePath: request.filePath, language: request.language,
        content: request.codeContent, contentHash: hash, createdAt: change.now,
        updatedAt: change.now)
      try snapshot.validate()
      return Decision(
        changes: [.insertSnapshot(snapshot)],
        events: [
          snapshot.event(.codeSubmitted, goalCourseID: goal?.courseID, context: change)
        ],
        response: CreateSnapshotResponse(snapshot: Contract.CodeSnapshot(snapshot)))
    }
  }

  func getSnapshot(
    _ request: GetSnapshotRequest, _ context: CallContext
  ) async throws -> GetSnapshotResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.snapshotId, field: "snapshot_id")
    try await waiter.checkRowRead(request.minCursor)
    let found = try await snapshot(id, caller)
    // Of others the reply itself says whose it is.
    if found.isExample { context.concerns(codeOf: found) }
    var message = Contract.CodeSnapshot(found)
    message.files = try await validations.ports.validations.files(
      ofSnapshot: id, scope: AccessScope(caller)
    ).map(Contract.SourceFile.init)
    return GetSnapshotResponse(snapshot: message)
  }

  func listSnapshots(
    _ request: ListSnapshotsRequest, _ context: CallContext
  ) async throws -> ListSnapshotsResponse {
    let caller = try context.caller
    let paging = try Paging(request, context, caller, cursors)
    var filter = SnapshotFilter()
    filter.ownerID = try caller.listed(request.userId)
    filter.taskID = try EntityID.optional(request.taskId, field: "task_id")
    filter.verdict = try Domain.Verdict.filter(request.verdict)
    try await waiter.checkRowRead(request.minCursor)
    let page = try await snapshots.snapshots(
      filter, page: paging.request, scope: AccessScope(caller))
    return ListSnapshotsResponse(
      snapshots: page.items.map { Contract.CodeSnapshot($0) }, page: paging.info(page.next))
  }

  func recordVerdict(
    _ request: RecordVerdictRequest, _ context: CallContext
  ) async throws -> RecordVerdictResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.snapshotId, field: "snapshot_id")
    let expected = try expectedVersion(request.expectedVersion)
    let judgement = Judgement(
      verdict: try Domain.Verdict(recorded: request.verdict), score: request.score,
      feedback: request.feedback,
      provenance: try Domain.Provenance(request.provenance, recordedBy: caller))
    let hash = request.provenance?.codeHash ?? []
    return try await writes.perform(context, caller) { change in
      let found = try await snapshot(id, caller)
      try found.checkMayBeJudged(by: caller)
      var snapshot = found.snapshot
      try snapshot.check(expected)
      guard hash.isEmpty || hash == snapshot.contentHash else {
        throw DomainError.invalid("provenance.code_hash", "is not the hash of this code")
      }
      let isNew = try snapshot.judge(judgement, at: change.now)
      return decision(
        isNew ? judgement.verdict.isDecided ? .codeValidated : .codeUndecided : nil, found,
        snapshot, change,
        RecordVerdictResponse(snapshot: Contract.CodeSnapshot(snapshot)))
    }
  }

  func setSharing(
    _ request: SetSharingRequest, _ context: CallContext
  ) async throws -> SetSharingResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.snapshotId, field: "snapshot_id")
    let expected = try expectedVersion(request.expectedVersion)
    return try await writes.perform(context, caller, .uncharged) { change in
      let found = try await snapshot(id, caller)
      guard caller.role.seesEverybody || found.snapshot.userID == caller.userID else {
        throw DomainError.forbidden("only its author, services and admins may share code")
      }
      var snapshot = found.snapshot
      try snapshot.check(expected)
      let type = snapshot.share(request.shared, at: change.now)
      return decision(
        type, found, snapshot, change,
        SetSharingResponse(snapshot: Contract.CodeSnapshot(snapshot)))
    }
  }

  /// What became of a snapshot; no type means nothing.
  private func decision<Response: WriteResponse>(
    _ type: EventType?, _ found: FoundSnapshot, _ snapshot: Domain.CodeSnapshot,
    _ change: ChangeContext, _ response: Response
  ) -> Decision<Response> {
    guard let type else { return .unchanged(response) }
    return Decision(
      changes: [.updateSnapshot(snapshot)],
      events: [snapshot.event(type, goalCourseID: found.goalCourseID, context: change)],
      response: response)
  }

  func snapshot(_ id: EntityID, _ caller: Caller) async throws -> FoundSnapshot {
    let scope = AccessScope(caller)
    guard let found = try await snapshots.snapshot(id, scope: scope) else {
      throw DomainError.notFound(.codeSnapshot, id)
    }
    return found
  }

  /// The goal of a task that code can answer: the author's own.
  private func goal(
    ofTask id: EntityID, _ ownerID: EntityID, _ caller: Caller
  ) async throws -> Domain.Goal {
    let aggregate = try await goals.goal(
      ofTask: id, scope: AccessScope(caller), forUpdate: true)
    guard let aggregate else { throw DomainError.notFound(.task, id) }
    guard aggregate.goal.userID == ownerID else {
      throw DomainError.invalid("task_id", "is not a task of the author")
    }
    return aggregate.goal
  }

  /// Reference solutions are the course owner's.
  private func checkOwns(_ ownerID: EntityID, _ courseID: EntityID, _ caller: Caller) async throws {
    guard let course = try await courses.course(courseID, scope: AccessScope(caller)) else {
      throw DomainError.notFound(.course, courseID)
    }
    guard course.userID == ownerID, caller.role != .learner else {
      throw DomainError.forbidden("only its owner may give a course reference solutions")
    }
    guard course.status == .active else {
      throw RPCError.precondition("the course is archived: reopen it first", .course, courseID)
    }
  }
}

extension FoundSnapshot {
  /// Who oversees the code may judge it: services, admins, and the owner of its course. Nobody
  /// judges what they wrote themselves.
  fileprivate func checkMayBeJudged(by caller: Caller) throws(DomainError) {
    guard snapshot.userID != caller.userID else {
      throw .forbidden("nobody may judge their own code")
    }
    guard !isExample else {
      throw .forbidden("only the owner of its course, services and admins may judge code")
    }
  }
}

extension Domain.CodeSnapshot {
  fileprivate func check(_ expected: Int64?) throws(DomainError) {
    if let expected, expected != version {
      throw .stale(.codeSnapshot, id, expected: expected, actual: version)
    }
  }
}

extension Domain.Provenance {
  /// What a caller says of where a verdict comes from. Who they are is not theirs to say, and an
  /// instructor is not a program: the name of the source tells one from the other.
  fileprivate init(
    _ message: Contract.Provenance?, recordedBy caller: Caller
  ) throws(DomainError) {
    let message = message ?? Contract.Provenance()
    let source = message.source.nilIfEmpty ?? caller.role.rawValue
    let isInstructor = caller.role == .instructor
    if isInstructor, source != Self.instructorSource {
      throw .invalid("provenance.source", "must be '\(Self.instructorSource)' or empty")
    }
    if !isInstructor, source == Self.sandboxSource || source == Self.instructorSource {
      throw .invalid("provenance.source", "'\(source)' is not a name that a service may take")
    }
    self.init(
      source: source, actorID: caller.userID, toolVersions: message.toolVersions,
      limits: message.limits, policy: message.policy)
  }
}
