internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CodeValidationService {
  /// Validates the snapshots that are meant, some at a time. What they are is remembered under the call's
  /// idempotency key before the first of them, and what each was before with the order to validate it: a
  /// repeat continues after its cursor, on any server, and sums up all of it.
  func revalidate(
    _ request: RevalidateRequest, _ context: CallContext,
    _ responses: ResponseWriter<RevalidateResponse>
  ) async throws {
    let caller = try context.caller
    var whole = request
    whole.cursor = ""
    let key = runs.requestKey(whole, context, caller)
    let start = try groupStart(request.cursor, key)
    let plan = try await plan(request, key, context, caller)
    if let start, start.groupID != plan.groupID {
      throw RPCError.badCursor("is not of this revalidation")
    }
    let stream = RevalidationStream(
      group: plan.groupID, cursors: key == nil ? nil : cursors, responses: responses, start: start)
    if plan.isOfPreview {
      for (index, id) in plan.items.enumerated() {
        let snapshot = try await apply(
          id, key?.part(id), mayWrite: !stream.knows(index), context, caller)
        try await stream.tell(index, snapshot)
      }
    } else {
      try await validateAgain(plan, isPreview: !request.apply, key, context, caller, stream)
    }
    try await stream.end()
  }

  /// What is to be done, as it was found when the call came first.
  private func plan(
    _ request: RevalidateRequest, _ key: RequestKey?, _ context: CallContext, _ caller: Caller
  ) async throws -> RevalidationPlan {
    let writes = validations.journal.writes
    let planKey = key?.part("plan")
    if let planKey, let bytes = try await writes.reply(to: planKey) {
      return try RevalidationPlan(bytes)
    }
    var plan = RevalidationPlan(groupID: validations.journal.context().nextID())
    if let previewID = try EntityID.optional(request.previewId, field: "preview_id") {
      guard request.apply, request.snapshotId.isEmpty, request.taskIds.isEmpty,
        request.suiteId.isEmpty
      else {
        throw DomainError.invalid(
          "preview_id", "is applied as it is: give `apply` with it, and nothing else")
      }
      plan.isOfPreview = true
      plan.items = try await previewed(previewID, caller)
    } else {
      plan.items = try await targets(request, caller)
    }
    guard planKey != nil else { return plan }
    let made = plan
    let written = try await writes.perform(
      planKey, metadata: EventMetadata.of(context, caller), encode: \.bytes
    ) { _ in Decision(changes: [], events: [], response: made, isRemembered: true) }
    switch written {
    case .committed(let plan): return plan
    case .repeated(let bytes): return try RevalidationPlan(bytes)
    }
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
    _ plan: RevalidationPlan, isPreview: Bool, _ key: RequestKey?, _ context: CallContext,
    _ caller: Caller, _ stream: RevalidationStream
  ) async throws {
    let items = plan.items
    for first in stride(from: 0, to: items.count, by: RevalidationStream.aheadMax) {
      var before: [EntityID: (index: Int, state: StateBefore)] = [:]
      for index in first..<min(items.count, first + RevalidationStream.aheadMax) {
        let itemKey = key?.part(items[index])
        do {
          if let itemKey, let known = try await validations.knownOrder(itemKey) {
            before[known.id] = (index, StateBefore(known.stateBefore))
            continue
          }
          try await checkOversees(items[index], caller)
          let state = StateBefore(try await validations.snapshot(items[index], caller).snapshot)
          var order = ValidationOrder(code: .snapshot(items[index]))
          order.groupID = plan.groupID
          order.isPreview = isPreview
          order.queueKey = caller.userID
          order.stateBefore = state.text
          let run = try await validations.submit(
            order, key: itemKey, metadata: EventMetadata.of(context, caller), caller)
          before[run] = (index, state)
        } catch let error as DomainError {
          // One that cannot be validated keeps no other from it.
          try await stream.tell(
            index,
            RevalidatedSnapshot(
              snapshotId: items[index].description, reason: ErrorTable.rpcError(error).message))
        }
      }
      try await ValidationGroup(calls: validations, caller: caller)
        .waitForAll(
          Set(before.keys), resumeCursor: { stream.cursor },
          ended: { found in
            guard let (index, state) = before[found.run.id] else { return }
            try await stream.tell(index, RevalidatedSnapshot(found.run, before: state))
          })
    }
  }

  /// The validations of a preview that ended, in a fixed order.
  private func previewed(_ group: EntityID, _ caller: Caller) async throws -> [EntityID] {
    var filter = ValidationFilter()
    filter.groupID = group
    filter.status = .completed
    let scope = AccessScope(caller)
    var page = Domain.PageRequest(limit: Domain.PageRequest.limitMax)
    var ids: [EntityID] = []
    while true {
      let found = try await validations.ports.validations.validations(
        filter, page: page, scope: scope)
      ids += found.items.filter { $0.isPreview && $0.callerID == caller.userID }.map(\.id)
      guard let next = found.next else { break }
      page.after = next
    }
    if ids.isEmpty { throw DomainError.notFound(.validation, group) }
    return ids
  }

  /// Writes what a preview found of one snapshot, where nothing has changed since.
  ///
  /// - Parameter mayWrite: false: it is only said what became of it.
  private func apply(
    _ id: EntityID, _ key: RequestKey?, mayWrite: Bool, _ context: CallContext, _ caller: Caller
  ) async throws -> RevalidatedSnapshot {
    let journal = validations.journal
    let found = try await validation(id, caller)
    if let key, let bytes = try await journal.writes.reply(to: key) {
      return .applied(found.run, bytes)
    }
    let before = try await snapshot(found.run.snapshotID, caller)
    let state = StateBefore(before.snapshot)
    var message = RevalidatedSnapshot(found.run, before: state)
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
    message.reason = "the snapshot has changed since the preview"
    guard mayWrite, before.snapshot.updatedAt <= found.run.createdAt else { return message }
    let encode = { (_: Bool) in Array(state.text.utf8) }
    let written = try await journal.writes.perform(
      key, metadata: EventMetadata.of(context, caller), chargedTo: caller.userID, encode: encode
    ) { change in
      // Once more, where a change would be met: two who apply one preview write it once.
      let now = try await snapshot(found.run.snapshotID, caller)
      guard now.snapshot.version == before.snapshot.version else { return .unchanged(false) }
      let outcome = try await VerdictWriter(journal: journal).outcome(
        of: report, source, found.run, change)
      return Decision(changes: outcome.changes, events: outcome.events, response: true)
    }
    switch written {
    case .committed(true):
      message.applied = true
      message.reason = ""
      return message
    case .committed(false): return message
    case .repeated(let bytes): return .applied(found.run, bytes)
    }
  }
}
