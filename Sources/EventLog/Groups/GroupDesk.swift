internal import Domain
internal import Synchronization

/// Why consumers of a group are sent away, besides what the store says.
package enum GroupEnd: Error, Sendable, Hashable {
  /// There is no such group any more.
  case groupIsGone
  /// The consumer's own process has come again, elsewhere, or its name was over.
  case replaced
  /// The server goes away.
  case draining
}

/// Serves the consumers of one group that are connected to this server: performs the steps of its machine.
final class GroupDesk: Sendable {
  private struct State {
    var machine: GroupDeskMachine
    var members: [EntityID: GroupMember] = [:]
    /// Nobody comes any more: it ends when it is idle.
    var isClosed = false
  }

  private static let readLimits = (bytes: 1 << 20, looked: 2000)
  /// After so many events that are not wanted it says how far it has looked.
  private static let unwantedMax: Int64 = 1000

  private let state: Mutex<State>
  private let bell = WakeSignal()
  private let store: any ConsumerGroupStore
  private let log: any EventLog
  private let hub: EventHub
  private let clock: any Clock<Duration>
  private let groupID: EntityID
  private let filter: EventFilter
  private let from: Timestamp?
  private let strategy: ConsumerGroup
  private let scope: AccessScope
  private let keys: InterestKeys

  init(
    _ group: ConsumerGroup, store: any ConsumerGroupStore, log: any EventLog, hub: EventHub,
    clock: any Clock<Duration>
  ) {
    state = Mutex(State(machine: GroupDeskMachine(group)))
    self.store = store
    self.log = log
    self.hub = hub
    self.clock = clock
    groupID = group.id
    filter = group.filter
    from = group.from
    strategy = group
    scope = AccessScope(callerID: group.userID, role: .service)
    keys = InterestKeys(EventInterest(group.filter, scope))
  }

  // MARK: Consumers

  func join(_ sessionID: EntityID, bufferSize: Int) -> GroupMember {
    let member = GroupMember(sessionID, self)
    state.withLock { state in
      state.machine.joined(sessionID, bufferSize: bufferSize)
      state.members[sessionID] = member
    }
    bell.ring()
    return member
  }

  func leave(_ member: GroupMember, unsent: [GroupDelivery], isOrderly: Bool) {
    state.withLock { state in
      state.machine.left(member.sessionID, unsent: unsent, isOrderly: isOrderly)
      state.members[member.sessionID] = nil
    }
    bell.ring()
  }

  func drained(_ member: GroupMember) {
    state.withLock { $0.machine.drained(member.sessionID) }
    bell.ring()
  }

  func settle(
    _ eventIDs: [EntityID], _ action: SettleAction, reason: String, by member: GroupMember
  ) -> [EntityID] {
    let notHeld = state.withLock {
      $0.machine.settle(eventIDs, action, reason: reason, by: member.sessionID)
    }
    bell.ring()
    return notHeld
  }

  var sessionIDs: [EntityID] { state.withLock { $0.machine.sessionIDs } }

  /// Those of the sessions that are not among `kept` have lost their place.
  func keep(_ kept: Set<EntityID>, of asked: Set<EntityID>) {
    let lost = state.withLock { state in
      state.members.filter { asked.contains($0.key) && !kept.contains($0.key) }.values
    }
    for member in lost { member.fail(GroupEnd.replaced) }
  }

  /// Something may be due that another part of this server has changed.
  func ring() {
    state.withLock { $0.machine.mayBeDue() }
    bell.ring()
  }

  func close() {
    state.withLock { $0.isClosed = true }
    bell.ring()
  }

  // MARK: The loop

  /// Serves until it is closed and idle, or the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      if hub.isDraining { failAll(GroupEnd.draining) }
      do {
        let head = hub.head ?? 0
        let (step, isOver) = state.withLock { state in
          (
            state.isClosed && state.machine.isIdle
              ? nil : state.machine.next(at: .now, head: head), state.isClosed
          )
        }
        guard let step else { return }
        try await perform(step, isOver)
      } catch {
        failAll(error)
        // Its consumers go, and come again when they hear of it.
        await bell.wait(upTo: .milliseconds(100), clock: clock)
      }
    }
    failAll(GroupEnd.draining)
  }

  private func perform(_ step: GroupDeskMachine.Step, _ isOver: Bool) async throws {
    switch step {
    case .read(let position, let limit): try await read(after: position, limit)
    case .exchange(let exchange): try await perform(exchange)
    case .leave(let leave):
      // What cannot be given back now is over in its time.
      do throws(StoreError) { try await store.leave(leave) } catch {
        if Task.isCancelled { throw error }
      }
    case .wait(let duration, let position):
      if isOver { return await bell.wait(upTo: .milliseconds(10), clock: clock) }
      await wait(upTo: duration, after: position)
    }
  }

  private func wait(upTo duration: Duration, after position: Int64?) async {
    guard let position, !hub.isDraining else {
      return await bell.wait(upTo: duration, clock: clock)
    }
    let (bell, hub, keys, clock) = (bell, hub, keys, clock)
    await race(upTo: duration, clock: clock) {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await bell.wait() }
        group.addTask {
          _ = await hub.next(
            after: position, for: keys, due: position + Self.unwantedMax, limit: 0)
        }
        await group.next()
        group.cancelAll()
      }
    }
  }

  private func read(after position: Int64, _ limit: Int) async throws {
    let head = max(position, hub.head ?? 0)
    let page = try await log.events(
      in: EventWindow(after: position, through: head, filter: filter),
      limits: WindowLimits(
        eventCount: limit, byteCount: Self.readLimits.bytes, lookedCount: Self.readLimits.looked),
      scope: scope)
    guard let epoch = page.epoch else { return }
    let wanted = page.events.filter { event in from.map { event.createdAt >= $0 } ?? true }
    let reading = GroupReading(
      after: position, through: page.completeTo,
      entries: wanted.map {
        GroupEntry(position: $0.position, eventID: $0.id, pin: strategy.pin(of: $0))
      }, epoch: epoch)
    state.withLock { $0.machine.read(reading) }
  }

  private func perform(_ exchange: GroupExchange) async throws {
    let asked = ContinuousClock.now
    guard let result = try await store.exchange(exchange, in: groupID) else {
      throw GroupEnd.groupIsGone
    }
    let (outcome, members) = state.withLock { state in
      (state.machine.exchanged(exchange, result, asked: asked), state.members)
    }
    for (id, member) in members {
      let deliveries = outcome.deliveries[id] ?? []
      let answer = outcome.answers[id]
      if !deliveries.isEmpty || answer != nil {
        member.receive(
          deliveries, until: asked.advanced(by: result.group.limits.ackTimeout), answer)
      }
    }
  }

  private func failAll(_ error: any Error) {
    let members = state.withLock { state in
      state.machine.failed()
      return Array(state.members.values)
    }
    for member in members { member.fail(error) }
  }
}
