internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CodeValidationService {
  /// How many validations of one revalidation wait at a time: others take turns with them.
  private static let aheadMax = 16

  func revalidate(
    _ request: RevalidateRequest, _ context: CallContext,
    _ responses: ResponseWriter<RevalidateResponse>
  ) async throws {
    let caller = try context.caller
    var summary = RevalidationSummary()
    let group = validations.journal.context().nextID()
    func tell(_ snapshot: RevalidatedSnapshot) async throws {
      summary.add(snapshot)
      try await responses.write(
        RevalidateResponse(groupId: group.description, step: .snapshot(snapshot)))
    }
    if let previewID = try EntityID.optional(request.previewId, field: "preview_id") {
      guard request.apply, request.snapshotId.isEmpty, request.taskIds.isEmpty,
        request.suiteId.isEmpty
      else {
        throw DomainError.invalid(
          "preview_id", "is applied as it is: give `apply` with it, and nothing else")
      }
      try await apply(previewID, context, caller, tell)
    } else {
      try await validateAgain(
        try await targets(request, caller), isPreview: !request.apply, group, context, caller, tell)
    }
    try await responses.write(
      RevalidateResponse(groupId: group.description, step: .summary(summary)))
  }

  /// The snapshots that are meant, as far as the caller oversees them.
  private func targets(_ request: RevalidateRequest, _ caller: Caller) async throws -> [EntityID] {
    let given = [!request.snapshotId.isEmpty, !request.taskIds.isEmpty, !request.suiteId.isEmpty]
    guard given.count(where: { $0 }) == 1 else {
      throw DomainError.invalid(
        "snapshot_id", "or task_ids or suite_id or preview_id must be given, one of them")
    }
    if !request.snapshotId.isEmpty {
      let id = try EntityID(parsing: request.snapshotId, field: "snapshot_id")
      try await checkOversees(id, caller)
      return [id]
    }
    let scope = AccessScope(caller)
    var taskIDs: [EntityID]
    if request.suiteId.isEmpty {
      taskIDs = try self.taskIDs(request.taskIds)
      for id in taskIDs where try await goals.task(id, scope: scope) == nil {
        throw DomainError.notFound(.task, id)
      }
    } else {
      let id = try EntityID(parsing: request.suiteId, field: "suite_id")
      let tests = try await validations.ports.tests.tasks(
        withSuite: id, limit: ValidationLimits.tasks, scope: scope)
      taskIDs = tests.map(\.taskID)
    }
    var seen: Set<EntityID> = []
    taskIDs = taskIDs.filter { seen.insert($0).inserted }
    return try await validations.ports.validations.judgedSnapshots(ofTasks: taskIDs)
  }

  private func checkOversees(_ id: EntityID, _ caller: Caller) async throws {
    let found = try await validations.snapshot(id, caller)
    guard caller.role.seesEverybody || found.snapshot.userID != caller.userID else {
      throw DomainError.forbidden("nobody may judge their own code: validate it instead")
    }
  }

  private func validateAgain(
    _ snapshots: [EntityID], isPreview: Bool, _ group: EntityID, _ context: CallContext,
    _ caller: Caller, _ tell: (RevalidatedSnapshot) async throws -> Void
  ) async throws {
    var left = snapshots[...]
    while !left.isEmpty {
      var before: [EntityID: FoundSnapshot] = [:]
      for id in left.prefix(Self.aheadMax) {
        do {
          try await checkOversees(id, caller)
          let found = try await validations.snapshot(id, caller)
          var order = ValidationOrder(code: .snapshot(id))
          order.groupID = group
          order.isPreview = isPreview
          order.queueKey = caller.userID
          let run = try await validations.submit(
            order, key: nil, metadata: EventMetadata.of(context, caller), caller)
          before[run] = found
        } catch let error as DomainError {
          // One that cannot be validated keeps no other from it.
          try await tell(
            RevalidatedSnapshot(
              snapshotId: id.description, reason: ErrorTable.rpcError(error).message))
        }
      }
      left = left.dropFirst(Self.aheadMax)
      try await ValidationGroup(calls: validations, caller: caller)
        .waitForAll(Set(before.keys)) { found in
          guard let old = before[found.run.id] else { return }
          try await tell(RevalidatedSnapshot(found.run, before: old.snapshot))
        }
    }
  }

  /// Writes what a preview found, where nothing has changed since.
  private func apply(
    _ group: EntityID, _ context: CallContext, _ caller: Caller,
    _ tell: (RevalidatedSnapshot) async throws -> Void
  ) async throws {
    var filter = ValidationFilter()
    filter.groupID = group
    filter.status = .completed
    let scope = AccessScope(caller)
    var page = Domain.PageRequest(limit: Domain.PageRequest.limitMax)
    var count = 0
    while true {
      let found = try await validations.ports.validations.validations(
        filter, page: page, scope: scope)
      for run in found.items where run.isPreview && run.callerID == caller.userID {
        count += 1
        try await tell(try await apply(run, context, caller))
      }
      guard let next = found.next else { break }
      page.after = next
    }
    if count == 0 { throw DomainError.notFound(.validation, group) }
  }

  private func apply(
    _ listed: Domain.ValidationRun, _ context: CallContext, _ caller: Caller
  ) async throws -> RevalidatedSnapshot {
    let journal = validations.journal
    let found = try await validation(listed.id, caller)
    let before = try await snapshot(found.run.snapshotID, caller)
    var message = RevalidatedSnapshot(found.run, before: before.snapshot)
    message.applied = false
    guard let report = found.run.report, report.verdict.isDecided else { return message }
    guard let source = try await journal.source(found.run) else {
      message.reason = "it has no tests"
      return message
    }
    let tests = try await validations.ports.tests.taskTests(
      ofTasks: [found.run.taskID].compactMap { $0 }, scope: AccessScope(caller))
    guard tests.first?.suiteID == found.run.suiteID else {
      message.reason = "the task has other tests since the preview"
      return message
    }
    guard before.snapshot.updatedAt <= found.run.createdAt else {
      message.reason = "the snapshot has changed since the preview"
      return message
    }
    let encode = { (_: Bool) -> [UInt8] in [] }
    let written = try await journal.writes.perform(
      nil, metadata: EventMetadata.of(context, caller), chargedTo: caller.userID, encode: encode
    ) { change in
      // Once more, where a change would be met: two who apply one preview write it once.
      let now = try await snapshot(found.run.snapshotID, caller)
      guard now.snapshot.version == before.snapshot.version else { return .unchanged(false) }
      let outcome = try await VerdictWriter(journal: journal).outcome(
        of: report, source, found.run, change)
      return Decision(changes: outcome.changes, events: outcome.events, response: true)
    }
    if case .committed(true) = written {
      message.applied = true
    } else {
      message.reason = "the snapshot has changed since the preview"
    }
    return message
  }
}

extension RevalidatedSnapshot {
  init(_ run: Domain.ValidationRun, before: Domain.CodeSnapshot) {
    let old = before.judgement
    let isDecided = run.verdict?.isDecided ?? false
    self.init(
      runId: run.id.description, snapshotId: run.snapshotID.description,
      userId: run.userID.description, taskId: run.taskID?.description ?? "",
      verdictBefore: old.map { Contract.Verdict($0.verdict) } ?? .unspecified,
      verdictAfter: run.verdict.map { Contract.Verdict($0) } ?? .unspecified,
      scoreBefore: old?.score ?? 0, scoreAfter: run.score ?? 0,
      // What decides nothing changes nothing.
      changed: isDecided && (old?.verdict != run.verdict || old?.score != run.score),
      applied: isDecided && !run.isPreview,
      reason: isDecided ? "" : run.report?.reason ?? run.status.rawValue)
  }
}

extension RevalidationSummary {
  fileprivate mutating func add(_ snapshot: RevalidatedSnapshot) {
    count += 1
    if snapshot.applied { appliedCount += 1 }
    let isDecided = snapshot.verdictAfter == .passed || snapshot.verdictAfter == .failed
    guard isDecided else {
      undecidedCount += 1
      return
    }
    scoreDifference += snapshot.scoreAfter - snapshot.scoreBefore
    guard snapshot.changed else { return }
    changedCount += 1
    if snapshot.verdictAfter != snapshot.verdictBefore {
      if snapshot.verdictAfter == .passed { newlyPassedCount += 1 } else { newlyFailedCount += 1 }
    }
  }
}
