internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CodeValidationService {
  /// Each submission is a validation of its own, committed before any of them is waited for: what becomes
  /// of the call is nothing to them. A repeat under the same idempotency key finds them again.
  func validateBatch(
    _ request: ValidateBatchRequest, _ context: CallContext,
    _ responses: ResponseWriter<ValidateBatchResponse>
  ) async throws {
    let caller = try context.caller
    guard (1...ValidationLimits.batch).contains(request.submissions.count) else {
      throw DomainError.invalid("submissions", "must be 1 to \(ValidationLimits.batch)")
    }
    let runCount = try runCount(request.runs)
    let key = runs.requestKey(request, context, caller)
    // The same for every repeat.
    let group =
      try await firstGroup(of: key) ?? validations.journal.context().nextID()
    var waiting: [EntityID: Int32] = [:]
    for (index, submission) in request.submissions.enumerated() {
      let place = Int32(index)
      do {
        let id = try await submit(
          submission, index, runCount, group, key?.part(index), context, caller)
        let run = try await validation(id, caller).run
        try await responses.write(
          ValidateBatchResponse(
            index: place, step: .accepted(Contract.ValidationRun(run)),
            groupId: group.description))
        waiting[id] = place
      } catch {
        let refusal = ErrorTable.rpcError(error)
        // What another attempt of the call could do is the call's to fail with.
        guard refusal.isOfSubmission else { throw refusal }
        try await responses.write(
          ValidateBatchResponse(
            index: place,
            step: .refused(
              SubmissionRefusal(code: "\(refusal.code)", message: refusal.message)),
            groupId: group.description))
      }
    }
    try await ValidationGroup(calls: validations, caller: caller)
      .waitForAll(Set(waiting.keys)) { found in
        try await responses.write(
          ValidateBatchResponse(
            index: waiting[found.run.id] ?? 0,
            step: .finished(Contract.ValidationRun(found)), groupId: group.description))
      }
  }

  private func submit(
    _ submission: Contract.Submission, _ index: Int, _ runCount: Int, _ group: EntityID,
    _ key: RequestKey?, _ context: CallContext, _ caller: Caller
  ) async throws -> EntityID {
    if let known = try await validations.known(key) { return known }
    var order = ValidationOrder(
      code: .submission(try SubmissionDraft(submission, field: "submissions[\(index)]")))
    order.runCount = runCount
    order.groupID = group
    return try await validations.submit(
      order, key: key, metadata: EventMetadata.of(context, caller), caller)
  }

  /// The group that the first part of a call was put into when it came before.
  private func firstGroup(of key: RequestKey?) async throws -> EntityID? {
    guard let key else { return nil }
    for index in 0..<ValidationLimits.batch {
      guard let id = try await validations.known(key.part(index)) else { continue }
      let system = AccessScope(callerID: key.callerID, role: .service)
      return try await validations.ports.validations.validation(id, scope: system)?.run.groupID
    }
    return nil
  }
}

extension RequestKey {
  /// Names a part of the call.
  fileprivate func part(_ index: Int) -> RequestKey {
    var key = self
    key.method += "/\(index)"
    return key
  }
}

extension RPCError {
  /// Whether it is about one submission, so that others may still be taken.
  fileprivate var isOfSubmission: Bool {
    switch code {
    case .invalidArgument, .notFound, .permissionDenied, .failedPrecondition, .resourceExhausted:
      true
    default: false
    }
  }
}
