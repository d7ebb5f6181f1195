package import Contract
internal import Domain
internal import RPC
internal import Writes

/// What `GetQuota` and `SetQuota` work on.
struct QuotaParts: Sendable {
  let users: any UserRepository
  let store: any QuotaStore
  let usage: any ModelUsageStore
  let book: QuotaBook
  let admission: CallAdmission
  let writes: WriteExecutor
}

extension ServerService {
  func getQuota(
    _ request: GetQuotaRequest, _ context: CallContext
  ) async throws -> GetQuotaResponse {
    let caller = try context.caller
    let quotas = try quotaParts()
    let userID =
      request.userId.isEmpty
      ? caller.userID : try EntityID(parsing: request.userId, field: "user_id")
    guard userID == caller.userID || caller.role == .admin else {
      throw DomainError.forbidden("only admins see the quotas of others")
    }
    let user = try await user(userID, quotas, caller)
    let day = quotas.book.day
    let tokens = try await quotas.usage.usage(of: userID, since: day.start)
    let bytes = try await quotas.store.storedByteCounts(of: [userID], at: day.start)[userID]
    // What was set just now holds within seconds; here it is shown at once.
    let set = try await quotas.store.quota(of: userID)
    return GetQuotaResponse(
      quota: Contract.Quota(set ?? Domain.Quota(userID: userID), absent: 0),
      effective: Contract.Quota(
        quotas.book.effective(set, userID, user.role), absent: Int64(Domain.Quota.unlimited)),
      usage: QuotaUsage(
        modelTokensToday: tokens.promptTokenCount + tokens.replyTokenCount,
        bytesToday: bytes ?? 0,
        streams: Int32(clamping: quotas.admission.streamCount(of: userID)),
        resetsAt: Contract.Timestamp(day.end)))
  }

  func setQuota(
    _ request: SetQuotaRequest, _ context: CallContext
  ) async throws -> SetQuotaResponse {
    let caller = try context.caller
    let quotas = try quotaParts()
    let quota = try Domain.Quota(request.quota ?? Contract.Quota())
    let response: SetQuotaResponse = try await quotas.writes.perform(
      context, caller, .uncharged
    ) { _ in
      _ = try await user(quota.userID, quotas, caller)
      return Decision(
        changes: [.saveQuota(quota)], events: [],
        response: SetQuotaResponse(quota: Contract.Quota(quota, absent: 0)))
    }
    // It is committed: where the book cannot be brought up to date now, that comes within seconds.
    try? await quotas.book.refresh()
    return response
  }

  private func quotaParts() throws(RPCError) -> QuotaParts {
    guard let quotas else { throw RPCError(.unimplemented, "this server keeps no quotas") }
    return quotas
  }

  private func user(
    _ id: EntityID, _ quotas: QuotaParts, _ caller: Caller
  ) async throws -> Domain.User {
    guard let user = try await quotas.users.user(id, scope: AccessScope(caller)) else {
      throw DomainError.notFound(.user, id)
    }
    return user
  }
}

extension SetQuotaResponse: WriteResponse {
  /// None: a quota is no event that a read could wait for.
  package var receipt: WriteReceipt? {
    get { nil }
    set {}
  }
}

extension Contract.Quota {
  /// - Parameter absent: what stands for nil.
  fileprivate init(_ quota: Domain.Quota, absent: Int64) {
    self.init(
      userId: quota.userID.description,
      callsPerSecond: quota.callsPerSecond ?? Double(absent),
      burst: quota.burst ?? absent, modelTokensPerDay: quota.modelTokensPerDay ?? absent,
      maxStreams: quota.streamMax ?? Int32(absent), bytesPerDay: quota.bytesPerDay ?? absent)
  }
}

extension Domain.Quota {
  private static let rateMax = 1e6
  private static let amountMax: Int64 = 1_000_000_000_000_000
  private static let streamMaxMax: Int32 = 1_000_000

  fileprivate init(_ message: Contract.Quota) throws {
    self.init(userID: try EntityID(parsing: message.userId, field: "quota.user_id"))
    let rate = message.callsPerSecond
    // Not a number is in no range.
    guard rate == 0 || rate == -1 || (0.001...Self.rateMax).contains(rate) else {
      throw DomainError.invalid(
        "quota.calls_per_second", "must be 0.001 to \(Int(Self.rateMax)), 0 or -1")
    }
    guard (0...Int64(Self.rateMax)).contains(message.burst) else {
      throw DomainError.invalid("quota.burst", "must be 0 to \(Int(Self.rateMax))")
    }
    for (value, field) in [
      (message.modelTokensPerDay, "model_tokens_per_day"), (message.bytesPerDay, "bytes_per_day"),
      (Int64(message.maxStreams), "max_streams"),
    ] {
      let most = field == "max_streams" ? Int64(Self.streamMaxMax) : Self.amountMax
      guard (-1...most).contains(value) else {
        throw DomainError.invalid("quota.\(field)", "must be -1 to \(most)")
      }
    }
    callsPerSecond = rate == 0 ? nil : rate
    burst = message.burst == 0 ? nil : message.burst
    modelTokensPerDay = message.modelTokensPerDay == 0 ? nil : message.modelTokensPerDay
    streamMax = message.maxStreams == 0 ? nil : message.maxStreams
    bytesPerDay = message.bytesPerDay == 0 ? nil : message.bytesPerDay
  }
}
