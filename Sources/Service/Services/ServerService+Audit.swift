internal import Contract
internal import Domain
internal import RPC

extension ServerService {
  func listAuditEntries(
    _ request: ListAuditEntriesRequest, _ context: CallContext
  ) async throws -> ListAuditEntriesResponse {
    let caller = try context.caller
    guard let audit else { throw RPCError(.unimplemented, "this server keeps no audit") }
    let paging = try Paging(request, context, caller, cursors)
    var query = AuditQuery()
    query.actorID = try EntityID.optional(request.actorId, field: "actor_id")
    query.subjectID = try EntityID.optional(request.subjectId, field: "subject_id")
    query.kinds = try request.kinds.enumerated().map { index, kind in
      try Domain.AuditEntry.Kind(kind, field: "kinds[\(index)]")
    }
    let range = request.range ?? TimeRange()
    query.from = try Domain.Timestamp.openBound(range.startUs, field: "range.start_us")
    query.until = try Domain.Timestamp.openBound(range.endUs, field: "range.end_us")
    // What a service does for learners it need not know of others.
    let isAdmin = caller.role == .admin
    let scope = AccessScope(callerID: caller.userID, role: isAdmin ? .admin : .learner)
    let page = try await audit.entries(query, page: paging.request, scope: scope)
    return ListAuditEntriesResponse(
      entries: page.items.map { entry in
        Contract.AuditEntry(
          entry, showsPeer: isAdmin || entry.actorID == caller.userID,
          showsSubject: isAdmin || !entry.hidesSubject(from: caller.userID))
      }, page: paging.info(page.next))
  }
}

extension Domain.AuditEntry.Kind {
  fileprivate init(_ kind: AuditKind, field: String) throws(DomainError) {
    switch kind {
    case .refusal: self = .refusal
    case .read: self = .read
    case .signIn: self = .signIn
    case .export: self = .export
    case .notice: self = .notice
    default: throw .invalid(field, "is no kind of entry")
    }
  }

  fileprivate var contract: AuditKind {
    switch self {
    case .refusal: .refusal
    case .read: .read
    case .signIn: .signIn
    case .export: .export
    case .notice: .notice
    }
  }
}

extension Contract.AuditEntry {
  fileprivate init(_ entry: Domain.AuditEntry, showsPeer: Bool, showsSubject: Bool) {
    self.init(
      id: entry.id.description, actorId: entry.actorID?.description ?? "", method: entry.method,
      status: entry.status, createdAt: Contract.Timestamp(entry.firstAt),
      peer: showsPeer ? entry.peer : "", kind: entry.kind.contract,
      subjectId: showsSubject ? entry.subjectID?.description ?? "" : "", reason: entry.reason,
      count: entry.count,
      lastAt: Contract.Timestamp(entry.lastAt), number: entry.number,
      tokenId: entry.tokenID?.description ?? "")
  }
}
