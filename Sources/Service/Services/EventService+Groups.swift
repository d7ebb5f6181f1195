internal import Contract
internal import Domain
internal import EventLog
internal import RPC
internal import Writes

/// What consumer groups are served with.
struct GroupParts: Sendable {
  let store: any ConsumerGroupStore
  let desks: GroupDesks
  let hub: EventHub
  let serverID: String
  let clock: any TimeSource
  let ids: any IDGenerator
}

/// Consumer groups: what they are and how far they are.
extension EventService {
  func createConsumerGroup(
    _ request: CreateConsumerGroupRequest, _ context: CallContext
  ) async throws -> CreateConsumerGroupResponse {
    let caller = try context.caller
    let parts = try groupParts()
    let message = request.group ?? Contract.ConsumerGroup()
    guard Domain.ConsumerGroup.isName(message.name) else {
      throw DomainError.invalid("group.name", "must be 1 to 100 characters of a-z, 0-9, - and _")
    }
    let filter = try Domain.EventFilter(message.filter)
    let strategy = try Domain.GroupStrategy(message.strategy)
    let limits = try GroupLimits(message)
    let (start, from) = try await start(of: request, context)
    return try await writes.perform(
      context, caller, WritePolicy(retriesDuplicates: true)
    ) { change in
      guard try await parts.store.group(named: message.name) == nil else {
        throw RPCError(
          .alreadyExists, "there is a consumer group with this name already",
          details: .encoded(
            ErrorDetails(resource: ResourceInfo(type: "consumer_group", id: message.name))))
      }
      guard try await parts.store.groupCount() < Domain.ConsumerGroup.countMax else {
        throw DomainError.limitReached(
          "consumer groups", maximum: Domain.ConsumerGroup.countMax)
      }
      let group = Domain.ConsumerGroup(
        id: change.nextID(), name: message.name, userID: caller.userID, filter: filter,
        strategy: strategy, from: from, limits: limits, readPosition: start,
        createdAt: change.now)
      let status = GroupStatus(
        group: group, firstUnsettled: nil, waitingCount: 0, heldCount: 0, parkedCount: 0,
        consumerCount: 0)
      return Decision(
        changes: [.insertGroup(group)], events: [],
        response: CreateConsumerGroupResponse(group: try await shown(status)))
    }
  }

  /// Where a new group begins, and the time before which nothing is wanted.
  private func start(
    of request: CreateConsumerGroupRequest, _ context: CallContext
  ) async throws -> (Int64, Domain.Timestamp?) {
    let given = [
      !request.afterCursor.isEmpty, request.fromTimeUs != 0, request.fromNow,
    ]
    guard given.count(where: { $0 }) <= 1 else {
      throw DomainError.invalid(
        "after_cursor", "only one of after_cursor, from_time_us and from_now may be set")
    }
    if !request.afterCursor.isEmpty {
      return (try await waiter.position(of: request.afterCursor, context), nil)
    }
    if request.fromNow { return (try await log.head(), nil) }
    guard request.fromTimeUs != 0 else { return (0, nil) }
    let from = try Domain.Timestamp(micros: request.fromTimeUs, field: "from_time_us")
    return (try await log.position(at: from.advanced(by: .microseconds(-1))), from)
  }

  func getConsumerGroup(
    _ request: GetConsumerGroupRequest, _ context: CallContext
  ) async throws -> GetConsumerGroupResponse {
    let parts = try groupParts()
    let status = try await group(named: request.name, try context.caller)
    let consumers = try await parts.store.consumers(of: status.group.id)
    return GetConsumerGroupResponse(
      group: try await shown(status),
      consumers: consumers.map {
        GroupConsumer(
          name: $0.name, serverId: $0.serverID, connectedAt: Contract.Timestamp($0.connectedAt),
          heldCount: Int32(clamping: $0.heldCount))
      })
  }

  func listConsumerGroups(
    _ request: ListConsumerGroupsRequest, _ context: CallContext
  ) async throws -> ListConsumerGroupsResponse {
    let caller = try context.caller
    let limit = try Paging.limit(request.pageSize, field: "page_size")
    guard request.afterName.utf8.count <= 100 else {
      throw DomainError.invalid("after_name", "is longer than 100 characters")
    }
    let found = try await groupParts().store.groups(
      after: request.afterName, limit: limit + 1,
      of: caller.role == .admin ? nil : caller.userID)
    var response = ListConsumerGroupsResponse()
    for status in found.prefix(limit) { response.groups.append(try await shown(status)) }
    if found.count > limit { response.nextName = response.groups.last?.name ?? "" }
    return response
  }

  func updateConsumerGroup(
    _ request: UpdateConsumerGroupRequest, _ context: CallContext
  ) async throws -> UpdateConsumerGroupResponse {
    let caller = try context.caller
    let message = request.group ?? Contract.ConsumerGroup()
    let limits = try GroupLimits(message)
    let expected = try expectedVersion(request.expectedVersion)
    return try await writes.perform(context, caller) { change in
      var status = try await group(named: message.name, caller)
      if let expected, expected != status.group.version {
        throw RPCError(
          .aborted,
          "the group is at version \(status.group.version), not \(expected): read it again",
          details: .encoded(
            ErrorDetails(
              reason: .staleVersion,
              resource: ResourceInfo(
                type: "consumer_group", id: message.name, currentVersion: status.group.version))))
      }
      guard limits != status.group.limits else {
        return .unchanged(UpdateConsumerGroupResponse(group: try await shown(status)))
      }
      status.group.limits = limits
      status.group.version += 1
      return Decision(
        changes: [.updateGroup(status.group)], events: [],
        response: UpdateConsumerGroupResponse(group: try await shown(status)))
    }
  }

  func deleteConsumerGroup(
    _ request: DeleteConsumerGroupRequest, _ context: CallContext
  ) async throws -> DeleteConsumerGroupResponse {
    let caller = try context.caller
    let parts = try groupParts()
    var deleted: EntityID?
    let response = try await writes.perform(context, caller, .uncharged) { _ in
      let status = try await group(named: request.name, caller)
      deleted = status.group.id
      return Decision(
        changes: [.deleteGroup(status.group.id)], events: [],
        response: DeleteConsumerGroupResponse())
    }
    if let deleted { parts.desks.ring(deleted) }
    return response
  }

  // MARK: What both this and consumers need

  func groupParts() throws(RPCError) -> GroupParts {
    guard let groups else {
      throw RPCError(.unimplemented, "this server has no consumer groups")
    }
    return groups
  }

  /// The caller's group, or any of an admin's.
  func group(named name: String, _ caller: Caller) async throws -> GroupStatus {
    guard Domain.ConsumerGroup.isName(name),
      let status = try await groupParts().store.group(named: name),
      caller.role == .admin || status.group.userID == caller.userID
    else { throw RPCError.noSuchGroup(name) }
    return status
  }

  private func shown(_ status: GroupStatus) async throws -> Contract.ConsumerGroup {
    let read = status.group.readPosition
    let history = waiter.hub.history
    return Contract.ConsumerGroup(
      status, head: try await log.head(), isArchived: try await isOutOfReach(after: read),
      settledCursor: cursors.cursor(status.settledPosition, in: history))
  }

  /// Whether what follows has left the database, and cannot be had here.
  private func isOutOfReach(after position: Int64) async throws(StoreError) -> Bool {
    guard position < (try await log.floor()).position else { return false }
    do throws(StoreError) {
      _ = try await log.page(after: position, limit: 1, byteCountMax: 1)
      return false
    } catch {
      if case .archived = error { return true }
      throw error
    }
  }
}
