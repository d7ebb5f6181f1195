internal import Contract
internal import Domain
internal import RPC
internal import Synchronization
internal import Writes

extension CodeValidationService {
  /// Each submission is a validation of its own, committed before any of them is waited for: what becomes
  /// of the call is nothing to them. A repeat under the same idempotency key finds them again, and continues
  /// after its cursor.
  func validateBatch(
    _ request: ValidateBatchRequest, _ context: CallContext,
    _ responses: ResponseWriter<ValidateBatchResponse>
  ) async throws {
    let caller = try context.caller
    guard (1...ValidationLimits.batch).contains(request.submissions.count) else {
      throw DomainError.invalid("submissions", "must be 1 to \(ValidationLimits.batch)")
    }
    let runCount = try runCount(request.runs)
    var whole = request
    whole.cursor = ""
    let key = runs.requestKey(whole, context, caller)
    let start = try groupStart(request.cursor, key)
    let known = try await firstGroup(of: key)
    if let start, let known, known != start.groupID {
      throw RPCError.badCursor("is not of this batch")
    }
    let group = known ?? validations.journal.context().nextID()
    let stream = BatchStream(
      group: group, cursors: key == nil ? nil : cursors, responses: responses,
      start: start?.count ?? 0, ended: start?.mask ?? 0)
    var waiting: [EntityID: Int] = [:]
    for (index, submission) in request.submissions.enumerated() {
      if index < stream.start {
        // What was refused then is not tried again.
        if let id = try await validations.known(key?.part(index)) { waiting[id] = index }
        continue
      }
      do {
        let id = try await submit(
          submission, index, runCount, group, key?.part(index), context, caller)
        let run = try await validation(id, caller).run
        try await stream.begin(index, .accepted(Contract.ValidationRun(run)))
        waiting[id] = index
      } catch {
        let refusal = ErrorTable.rpcError(error)
        // What another attempt of the call could do is the call's to fail with.
        guard refusal.isOfSubmission else { throw refusal }
        try await stream.begin(
          index,
          .refused(SubmissionRefusal(code: "\(refusal.code)", message: refusal.message)))
      }
    }
    let left = waiting.filter { !stream.hasEnded($0.value) }
    try await ValidationGroup(calls: validations, caller: caller)
      .waitForAll(
        Set(left.keys), resumeCursor: { stream.cursor },
        ended: { found in
          guard let index = left[found.run.id] else { return }
          try await stream.end(index, .finished(Contract.ValidationRun(found)))
        })
  }

  /// Where a repeat of a call that made a group continues.
  func groupStart(_ cursor: String, _ key: RequestKey?) throws -> GroupPlace? {
    guard let place = try cursors.groupPlace(cursor) else { return nil }
    guard key != nil else {
      throw DomainError.invalid("cursor", "goes with the idempotency key of the call that it is of")
    }
    return place
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

/// Shows what becomes of a batch; for one task at a time.
private final class BatchStream: Sendable {
  /// The submissions before it were told of in an earlier call.
  let start: Int
  private let group: EntityID
  /// Nil where nobody can come back.
  private let cursors: CursorCodec?
  private let responses: ResponseWriter<ValidateBatchResponse>
  private let place: Mutex<GroupPlace>

  init(
    group: EntityID, cursors: CursorCodec?, responses: ResponseWriter<ValidateBatchResponse>,
    start: Int, ended: UInt128
  ) {
    self.group = group
    self.cursors = cursors
    self.responses = responses
    self.start = start
    place = Mutex(GroupPlace(groupID: group, count: start, mask: ended))
  }

  /// After the last message.
  var cursor: String? {
    let place = place.withLock { $0 }
    return place.count == 0 ? nil : cursors?.cursor(place)
  }

  func hasEnded(_ index: Int) -> Bool { place.withLock { $0.mask >> index & 1 == 1 } }

  func begin(_ index: Int, _ step: ValidateBatchResponse.Step) async throws {
    place.withLock { $0.count = index + 1 }
    try await write(index, step)
  }

  func end(_ index: Int, _ step: ValidateBatchResponse.Step) async throws {
    place.withLock { $0.mask |= 1 << index }
    try await write(index, step)
  }

  private func write(_ index: Int, _ step: ValidateBatchResponse.Step) async throws {
    let cursor = cursor
    try await responses.write(
      ValidateBatchResponse(
        index: Int32(clamping: index), step: step, groupId: group.description,
        cursor: cursor ?? ""), resumeCursor: cursor)
  }
}

extension RequestKey {
  /// Names a part of the call.
  func part(_ name: some CustomStringConvertible) -> RequestKey {
    var key = self
    key.method += "/\(name)"
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
