internal import Contract
internal import Domain
internal import RPC

struct AnalyticsService: AnalyticsServiceHandler {
  private static let daysDefault: Int32 = 30
  private static let daysMax: Int32 = 3660

  let users: any UserRepository
  let log: any EventLog
  let archive: (any EventArchive)?
  let waiter: CursorWaiter
  let cursors: CursorCodec
  let clock: any TimeSource

  func getProductivity(
    _ request: GetProductivityRequest, _ context: CallContext
  ) async throws -> GetProductivityResponse {
    let caller = try context.caller
    let userID = try caller.owner(named: EntityID.optional(request.userId, field: "user_id"))
    guard (0...Self.daysMax).contains(request.days) else {
      throw DomainError.invalid("days", "must be 0 to \(Self.daysMax)")
    }
    let asOf = try Domain.Timestamp.optional(request.asOf, field: "as_of")
    // The tail holds every committed event, sequenced or not: a receipt needs no waiting.
    try await waiter.checkRowRead(request.minCursor)
    if userID != caller.userID { try await checkExists(userID, caller) }
    let until = asOf ?? clock.now()
    let days = request.days == 0 ? Self.daysDefault : request.days
    // Without `as_of` there is no end: the clock of another server may be a little ahead of ours,
    // and what it committed belongs in the report.
    let period = ReportPeriod(
      from: max(until.advanced(by: .seconds(-86_400 * Int64(days))), .contractMin),
      to: asOf)
    let (report, position) = try await report(userID, period, AccessScope(caller))
    return GetProductivityResponse(
      userID, period, until: until, report, cursor: cursors.cursor(position))
  }

  private func checkExists(_ userID: EntityID, _ caller: Caller) async throws {
    let scope = AccessScope(caller)
    guard try await users.user(userID, scope: scope) != nil else {
      throw DomainError.notFound(.user, userID)
    }
  }

  /// The lake up to what it had published when the report began, and the log after that. Events
  /// that the lake takes in meanwhile are read from the log.
  private func report(
    _ userID: EntityID, _ period: ReportPeriod, _ scope: AccessScope
  ) async throws -> (ProductivityReport, Int64) {
    var accumulator = ProductivityAccumulator()
    let archived = try await readArchive(userID, period, into: &accumulator)
    // Asked before the tail: everything up to it is in the tail or in the lake.
    let head = try await log.head()
    let tail = try await log.tail(
      user: userID, from: period.from, to: period.to ?? .contractMax, after: archived,
      scope: scope)
    var seen: Set<EntityID> = []
    // Zero stands for "not sequenced yet".
    for event in tail where event.position == 0 || event.position > archived {
      guard period.contains(event.createdAt), seen.insert(event.id).inserted else { continue }
      accumulator.add(event)
    }
    return (accumulator.report, max(head, archived))
  }

  /// - Returns: the position up to which events were counted; 0 where there is no lake or it cannot
  ///   be read now. The log holds every event too that has not left it, and says where one has: a damaged
  ///   lake makes reports slower, or fails them, but never makes them wrong.
  private func readArchive(
    _ userID: EntityID, _ period: ReportPeriod, into accumulator: inout ProductivityAccumulator
  ) async throws -> Int64 {
    guard let archive else { return 0 }
    do throws(StoreError) {
      let archived = try await archive.archivedPosition(in: try await log.history())
      guard archived > 0 else { return 0 }
      for event in try await archive.events(user: userID, in: period, upTo: archived) {
        accumulator.add(
          type: event.type, createdAt: event.createdAt, validationScore: event.validationScore)
      }
      return archived
    } catch {
      if case .cancelled = error { throw error }
      accumulator = ProductivityAccumulator()
      return 0
    }
  }
}

extension GetProductivityResponse {
  fileprivate init(
    _ userID: EntityID, _ period: ReportPeriod, until: Domain.Timestamp,
    _ report: ProductivityReport, cursor: String
  ) {
    self.init(
      userId: userID.description, from: Contract.Timestamp(period.from),
      until: Contract.Timestamp(until), totalEvents: report.totalEvents,
      goalsCreated: report.goalsCreated, goalsCompleted: report.goalsCompleted,
      tasksCompleted: report.tasksCompleted, codeValidated: report.codeValidated,
      avgValidationScore: report.averageValidationScore,
      mostActiveDay: report.mostActiveDay?.name ?? "",
      eventsByType: report.eventsByType
        .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { EventTypeCount(type: $0.key, count: $0.value) },
      cursor: cursor)
  }
}
