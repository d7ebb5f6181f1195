package import Domain
internal import Synchronization

/// The consumers of all groups that are connected to this server. Any number of servers may serve one group: what
/// each hands out is decided in the store.
package final class GroupDesks: Sendable {
  /// How often the names of consumers are kept: several times in a lease.
  private static let renewInterval = GroupJoin.lease / 4

  private struct Entry {
    var desk: GroupDesk
    var userCount: Int
  }

  private let store: any ConsumerGroupStore
  private let log: any EventLog
  private let hub: EventHub
  private let clock: any Clock<Duration>
  private let entries = Mutex<[EntityID: Entry]>([:])
  private let opened: AsyncStream<GroupDesk>
  private let continuation: AsyncStream<GroupDesk>.Continuation

  package init(
    store: any ConsumerGroupStore, log: any EventLog, hub: EventHub,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.store = store
    self.log = log
    self.hub = hub
    self.clock = clock
    // One element for each group that has consumers here.
    (opened, continuation) = AsyncStream.makeStream()
  }

  /// Serves all groups until the task is cancelled.
  package func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask { [self] in await renew() }
      for await desk in opened { group.addTask { await desk.run() } }
      group.cancelAll()
    }
  }

  /// Joins a group and runs `body` with the consumer's place there; gives the place back at the end.
  package func withMember<Result>(
    of group: ConsumerGroup, _ join: GroupJoin, bufferSize: Int,
    _ body: (GroupMember) async throws -> Result
  ) async throws -> Result {
    switch try await store.join(join) {
    case .joined: break
    case .noGroup: throw GroupEnd.groupIsGone
    case .nameTaken: throw JoinRefused.nameTaken
    case .tooManyConsumers: throw JoinRefused.tooManyConsumers
    }
    let desk = open(group)
    defer { close(group.id) }
    let member = desk.join(join.sessionID, bufferSize: bufferSize)
    defer { member.leave() }
    return try await body(member)
  }

  /// Entries of a group may be due that were not.
  package func ring(_ groupID: EntityID) {
    entries.withLock { $0[groupID]?.desk }?.ring()
  }

  private func open(_ group: ConsumerGroup) -> GroupDesk {
    let (desk, isNew) = entries.withLock { entries in
      if let entry = entries[group.id] {
        entries[group.id]?.userCount += 1
        return (entry.desk, false)
      }
      let desk = GroupDesk(group, store: store, log: log, hub: hub, clock: clock)
      entries[group.id] = Entry(desk: desk, userCount: 1)
      return (desk, true)
    }
    if isNew { continuation.yield(desk) }
    return desk
  }

  private func close(_ groupID: EntityID) {
    let closed: GroupDesk? = entries.withLock { entries in
      entries[groupID]?.userCount -= 1
      guard entries[groupID]?.userCount == 0 else { return nil }
      return entries.removeValue(forKey: groupID)?.desk
    }
    closed?.close()
  }

  private func renew() async {
    while !Task.isCancelled {
      try? await clock.sleep(for: Self.renewInterval)
      let desks = entries.withLock { $0.values.map(\.desk) }
      let asked = desks.flatMap(\.sessionIDs)
      // What the store cannot say now it will say the next time; the lease is longer.
      guard !asked.isEmpty, let kept = try? await store.renew(asked) else { continue }
      for desk in desks { desk.keep(kept, of: Set(asked)) }
    }
  }
}

/// Why a consumer may not join.
package enum JoinRefused: Error, Sendable, Hashable {
  /// Another consumer of the group has the name.
  case nameTaken
  case tooManyConsumers
}
