internal import Contract
internal import Domain
internal import RPC

/// Notes refused calls, reads of what is another user's, and exports.
///
/// Stands outside of the errors' table, so that it sees what callers are told. Methods that are open to
/// everybody concern nobody.
struct AuditInterceptor: ServerInterceptor {
  let recorder: AuditRecorder

  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard rule.callers != .anybody, rule.isImplemented else { return next }
    let isExport = method.name.hasPrefix("Export")
    return { [recorder] context, call in
      Self.begin(context, recorder)
      do {
        let reply = try await next(context, call)
        if let reply = reply as? any NamesSubjects {
          for id in Set(reply.subjectIDs) { context.concerns(userID: id) }
        }
        if isExport { Self.exported(context, recorder) }
        return reply
      } catch {
        Self.refused(error, context, recorder)
        throw error
      }
    }
  }

  // Apart from what awaits the call: what they need would be kept as long as the call lasts.

  /// From here on the call says whose data it shows.
  @inline(never) private static func begin(_ context: CallContext, _ recorder: AuditRecorder) {
    guard let principal = context.principal else { return }
    let (path, peer) = (context.method.path, context.peer)
    context.observeSubjects { subject in
      let (id, reason): (String?, String) =
        switch subject {
        case .user(let id): (id, "")
        case .everybody: (nil, "everybody")
        case .author(let id): (id, Domain.AuditEntry.exampleReason)
        }
      guard id != principal.userID else { return }
      recorder.note(
        AuditBookMachine.Key(
          kind: .read, actorID: EntityID(principal.userID),
          tokenID: EntityID(principal.tokenID), subjectID: id.flatMap { EntityID($0) },
          method: path, reason: reason, peer: peer))
    }
  }

  @inline(never) private static func exported(
    _ context: CallContext, _ recorder: AuditRecorder
  ) {
    guard let principal = context.principal else { return }
    recorder.note(
      AuditBookMachine.Key(
        kind: .export, actorID: EntityID(principal.userID),
        tokenID: EntityID(principal.tokenID), method: context.method.path, peer: context.peer))
  }

  @inline(never) private static func refused(
    _ error: any Error, _ context: CallContext, _ recorder: AuditRecorder
  ) {
    let seen = ErrorTable.rpcError(error)
    switch seen.code {
    case .permissionDenied, .unauthenticated, .notFound:
      recorder.refused(
        seen, method: context.method.path, principal: context.principal, peer: context.peer)
    default: break
    }
  }
}

extension CallContext {
  /// Says that the call shows the events that a filter lets through.
  func concerns(usersOf filter: Domain.EventFilter, _ caller: Caller) {
    for id in filter.userIDs { concerns(userID: id.description) }
    // A learner is shown no others' by it.
    if filter.userIDs.isEmpty, caller.role != .learner { concerns(userID: nil) }
  }
}

/// A reply that says whose data it holds.
protocol NamesSubjects {
  var subjectIDs: [String] { get }
}

extension GetGoalResponse: NamesSubjects {
  var subjectIDs: [String] { [goal?.userId ?? ""] }
}
extension ListGoalsResponse: NamesSubjects {
  var subjectIDs: [String] { goals.map(\.userId) }
}
extension GetTaskResponse: NamesSubjects {
  var subjectIDs: [String] { [task?.userId ?? ""] }
}
extension ListTasksResponse: NamesSubjects {
  var subjectIDs: [String] { tasks.map(\.userId) }
}
extension GetSnapshotResponse: NamesSubjects {
  var subjectIDs: [String] { [snapshot?.userId ?? ""] }
}
extension ListSnapshotsResponse: NamesSubjects {
  var subjectIDs: [String] { snapshots.map(\.userId) }
}
extension GetValidationResponse: NamesSubjects {
  var subjectIDs: [String] { [validation?.userId ?? ""] }
}
extension ListValidationsResponse: NamesSubjects {
  var subjectIDs: [String] { validations.map(\.userId) }
}
extension ListEnrolmentsResponse: NamesSubjects {
  var subjectIDs: [String] { enrolments.map(\.userId) }
}
extension ListLearnerEnrolmentsResponse: NamesSubjects {
  var subjectIDs: [String] { enrolments.map(\.userId) }
}
extension GetUserResponse: NamesSubjects {
  var subjectIDs: [String] { [user?.id ?? ""] }
}
extension ListUsersResponse: NamesSubjects {
  var subjectIDs: [String] { users.map(\.id) }
}
extension ListTokensResponse: NamesSubjects {
  var subjectIDs: [String] { tokens.map(\.userId) }
}
extension GetQuotaResponse: NamesSubjects {
  var subjectIDs: [String] { [quota?.userId ?? ""] }
}
extension GetProductivityResponse: NamesSubjects {
  var subjectIDs: [String] { [userId] }
}
extension ReadEventsResponse: NamesSubjects {
  var subjectIDs: [String] { events.map(\.userId) }
}
