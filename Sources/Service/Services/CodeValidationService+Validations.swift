internal import Agents
internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CodeValidationService {
  func validateCode(
    _ request: ValidateCodeRequest, _ context: CallContext,
    _ responses: ResponseWriter<ValidateCodeResponse>
  ) async throws {
    let caller = try context.caller
    let key = runs.requestKey(request, context, caller)
    let id: EntityID
    if let known = try await validations.known(key) {
      id = known
    } else {
      id = try await validations.submit(
        try order(request), key: key, metadata: EventMetadata.of(context, caller), caller)
    }
    try await validations.stream(responses).show(id, caller, after: nil) { run in
      guard request.withFeedback, run.status == .completed else { return }
      try await comment(on: run, key, context, caller, responses)
    }
  }

  private func order(_ request: ValidateCodeRequest) throws -> ValidationOrder {
    var order: ValidationOrder
    switch (request.snapshotId.isEmpty, request.submission) {
    case (false, nil):
      order = ValidationOrder(
        code: .snapshot(try EntityID(parsing: request.snapshotId, field: "snapshot_id")))
    case (true, let submission?):
      order = ValidationOrder(
        code: .submission(try SubmissionDraft(submission, field: "submission")))
    default:
      throw DomainError.invalid("snapshot_id", "or a submission must be given, and not both")
    }
    if let suite = request.suite { order.suite = try Domain.TestSuite(checking: suite) }
    order.runCount = try runCount(request.runs)
    order.seed = request.seed
    return order
  }

  func runCount(_ runs: Int32) throws(DomainError) -> Int {
    guard (0...Int32(ValidationLimits.runCount)).contains(runs) else {
      throw .invalid("runs", "must be 0 to \(ValidationLimits.runCount)")
    }
    return max(1, Int(runs))
  }

  func watchValidation(
    _ request: WatchValidationRequest, _ context: CallContext,
    _ responses: ResponseWriter<ValidateCodeResponse>
  ) async throws {
    let caller = try context.caller
    let id = try EntityID(parsing: request.runId, field: "run_id")
    let place = request.cursor.isEmpty ? nil : try RunPlace(cursors.point(request.cursor))
    if caller.role != .learner {
      context.concerns(userID: try await validation(id, caller).run.userID.description)
    }
    try await validations.stream(responses).show(id, caller, after: place)
  }

  func cancelValidation(
    _ request: CancelValidationRequest, _ context: CallContext
  ) async throws -> CancelValidationResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.runId, field: "run_id")
    return try await writes.perform(context, caller, .uncharged) { change in
      let found = try await validation(id, caller)
      guard
        // What an overseer has validated is in the overseer's queue, and not its author's to stop.
        found.run.callerID == caller.userID || caller.role.seesEverybody
          || found.run.userID == caller.userID && found.run.queueKey == caller.userID
      else {
        throw DomainError.forbidden(
          "only who asked for a validation, and whom it was asked for, may cancel it")
      }
      var run = found.run
      if run.status == .cancelled {
        return .unchanged(CancelValidationResponse(validation: Contract.ValidationRun(found)))
      }
      guard !run.status.hasEnded else {
        throw DomainError.illegalTransition(
          .validation, id, from: run.status.rawValue, action: "cancel",
          hint: "only one that waits or runs can be cancelled")
      }
      let event = run.record(.cancelled, context: change)
      return Decision(
        changes: [.updateValidation(run, after: found.run.version, full: nil)], events: [event],
        response: CancelValidationResponse(validation: Contract.ValidationRun(run)))
    }
  }

  func getValidation(
    _ request: GetValidationRequest, _ context: CallContext
  ) async throws -> GetValidationResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.runId, field: "run_id")
    try await waiter.checkRowRead(request.minCursor)
    let found = try await validation(id, caller)
    var message = Contract.ValidationRun(found)
    if found.run.status == .queued {
      message.queuePosition = Int32(
        clamping: try await validations.ports.queue.position(of: id) ?? 0)
    }
    return GetValidationResponse(validation: message)
  }

  func listValidations(
    _ request: ListValidationsRequest, _ context: CallContext
  ) async throws -> ListValidationsResponse {
    let caller = try context.caller
    let paging = try Paging(request, context, caller, cursors)
    var filter = ValidationFilter()
    filter.snapshotID = try EntityID.optional(request.snapshotId, field: "snapshot_id")
    filter.taskID = try EntityID.optional(request.taskId, field: "task_id")
    filter.groupID = try EntityID.optional(request.groupId, field: "group_id")
    filter.ownerID = try caller.listed(request.userId)
    filter.status = try Domain.ValidationStatus.filter(request.status)
    let leads = [filter.snapshotID, filter.taskID, filter.groupID, filter.ownerID]
    guard leads.count(where: { $0 != nil }) <= 1 else {
      throw DomainError.invalid(
        "snapshot_id", "task_id, group_id and user_id cannot be given together")
    }
    try await waiter.checkRowRead(request.minCursor)
    let page = try await validations.ports.validations.validations(
      filter, page: paging.request, scope: AccessScope(caller))
    return ListValidationsResponse(
      validations: page.items.map { Contract.ValidationRun($0) }, page: paging.info(page.next))
  }

  func validation(_ id: EntityID, _ caller: Caller) async throws -> FoundValidation {
    let scope = AccessScope(caller)
    guard let found = try await validations.ports.validations.validation(id, scope: scope) else {
      throw DomainError.notFound(.validation, id)
    }
    return found
  }

  func listLanguages(
    _ request: ListLanguagesRequest, _ context: CallContext
  ) async throws -> ListLanguagesResponse {
    let languages = await validations.ports.validator.languages()
    return ListLanguagesResponse(
      languages: languages.sorted { $0.language < $1.language }
        .map { Contract.LanguageSupport($0) },
      reason: validations.ports.unavailableReason)
  }
}
