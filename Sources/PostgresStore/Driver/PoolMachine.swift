/// Decides which unit goes to which connection, when to connect, and when to give up; a pure value.
///
/// A slot is a place for one connection:
///
///     idle ──connect──▶ connecting ──connected──▶ connected ──lost──▶ idle
///       ▲                   │ failed
///       └───────────────────┘
///
/// A unit waits, is in flight on one slot, and ends: finished, failed, or abandoned. An abandoned
/// unit in flight keeps its place in the slot's order until the server has answered it, because
/// answers carry no ids. After a failed connect one slot alone probes, with growing pauses; when it
/// succeeds all others follow.
///
/// Kinds of misuse: events of a slot's earlier generation and of unknown units are late, and
/// ignored.
struct PoolMachine: Sendable {
  typealias Instant = ContinuousClock.Instant

  struct Configuration: Sendable, Hashable {
    var connectionCount = 16
    var unitsInFlightPerConnection = 16
    var waitingUnitCountMax = 4096
    /// For statements that may run long: a unit that nobody waits for is cancelled.
    var cancelsAbandonedUnits = false
    var backoffMin: Duration = .milliseconds(50)
    var backoffMax: Duration = .seconds(2)
    /// How long a unit waits while there is no connection at all.
    var unconnectedWaitMax: Duration = .seconds(5)
  }

  enum Failure: Sendable, Hashable {
    /// Too many are waiting already.
    case overloaded
    case timedOut(wasSent: Bool)
    /// The connection broke; `wasSent`: the server may have seen the whole unit.
    case connectionLost(wasSent: Bool)
    /// No connection could be made for `unconnectedWaitMax`.
    case notConnected
    case shutDown
  }

  enum Action: Sendable, Hashable {
    case connect(slot: Int, generation: UInt64)
    case send(unit: UInt64, slot: Int)
    case fail(unit: UInt64, Failure)
    case cancel(slot: Int, generation: UInt64)
    case close(slot: Int)
    /// Everything has ended after a shutdown.
    case stopped
  }

  private enum SlotState: Sendable, Hashable { case idle, connecting, connected }

  private struct Slot: Sendable {
    var state: SlotState = .idle
    var generation: UInt64 = 0
    var inFlight = FIFO<UInt64>()
    /// A cancel is on its way: it would hit whatever runs here, so that nothing may.
    var isCancelling = false
  }

  private struct Unit: Sendable {
    var deadline: Instant
    var submittedAt: Instant
    var slot: Int?
  }

  private enum Phase: Sendable, Hashable {
    case running
    case draining(until: Instant)
    case stopped
  }

  let configuration: Configuration
  private var slots: [Slot]
  private var units: [UInt64: Unit] = [:]
  private var waiting = FIFO<UInt64>()
  private var waitingCount = 0
  private var connectedCount = 0
  private var failureCount = 0
  private var retryAt: Instant?
  /// No deadline ends before this; nil where nothing has one.
  private var nextScan: Instant?
  private var phase = Phase.running

  init(_ configuration: Configuration) {
    self.configuration = configuration
    slots = Array(repeating: Slot(), count: max(1, configuration.connectionCount))
  }

  /// When `timerFired` wants to be called next.
  var nextWakeup: Instant? {
    var times: [Instant] = []
    if let retryAt { times.append(retryAt) }
    if let nextScan { times.append(nextScan) }
    if case .draining(let until) = phase { times.append(until) }
    return times.min()
  }

  var isStopped: Bool { phase == .stopped }

  /// The unit that the slot's next answer belongs to.
  func oldestInFlight(slot: Int) -> UInt64? {
    slots.indices.contains(slot) ? slots[slot].inFlight.first : nil
  }

  /// For metrics: units waiting, units in flight, connections.
  var load: (waiting: Int, inFlight: Int, connected: Int) {
    (waitingCount, slots.reduce(0) { $0 + $1.inFlight.count }, connectedCount)
  }
}

// MARK: Units

extension PoolMachine {
  mutating func submitted(unit: UInt64, deadline: Instant, now: Instant) -> [Action] {
    guard phase == .running else { return [.fail(unit: unit, .shutDown)] }
    guard deadline > now else { return [.fail(unit: unit, .timedOut(wasSent: false))] }
    if waitingCount == 0, let slot = leastLoadedSlot() {
      units[unit] = Unit(deadline: deadline, submittedAt: now, slot: slot)
      scan(at: deadline)
      slots[slot].inFlight.append(unit)
      return [.send(unit: unit, slot: slot)]
    }
    guard waitingCount < configuration.waitingUnitCountMax else {
      return [.fail(unit: unit, .overloaded)]
    }
    units[unit] = Unit(deadline: deadline, submittedAt: now, slot: nil)
    waiting.append(unit)
    waitingCount += 1
    scan(
      at: connectedCount == 0
        ? min(deadline, now + configuration.unconnectedWaitMax) : deadline)
    return []
  }

  /// The caller no longer waits. The unit, if it was sent, continues at the server, unless this
  /// pool cancels.
  mutating func abandoned(unit: UInt64) -> [Action] {
    guard let state = units.removeValue(forKey: unit) else { return [] }
    guard let slot = state.slot else {
      waitingCount -= 1
      // Ids stay in the queue until they come up; bound what a storm of cancellations leaves.
      if waiting.count > 2 * configuration.waitingUnitCountMax {
        waiting.removeAll { units[$0] == nil }
      }
      return []
    }
    return cancel(slot: slot)
  }

  /// The server has answered the oldest unit in flight on this slot.
  mutating func unitFinished(slot: Int, now: Instant) -> [Action] {
    guard slots.indices.contains(slot), let unit = slots[slot].inFlight.popFirst() else {
      return []
    }
    units[unit] = nil
    return dispatch(now: now) + stopIfDrained()
  }

  private mutating func cancel(slot: Int) -> [Action] {
    guard configuration.cancelsAbandonedUnits, !slots[slot].isCancelling else { return [] }
    slots[slot].isCancelling = true
    return [.cancel(slot: slot, generation: slots[slot].generation)]
  }

  mutating func cancelFinished(slot: Int, generation: UInt64, now: Instant) -> [Action] {
    guard slots.indices.contains(slot), slots[slot].generation == generation else { return [] }
    slots[slot].isCancelling = false
    return dispatch(now: now)
  }

  /// Gives waiting units to connections with room, oldest first.
  private mutating func dispatch(now: Instant) -> [Action] {
    var actions: [Action] = []
    while waitingCount > 0, let slot = leastLoadedSlot(), let unit = waiting.popFirst() {
      guard let state = units[unit], state.slot == nil else { continue }
      waitingCount -= 1
      if state.deadline <= now {
        units[unit] = nil
        actions.append(.fail(unit: unit, .timedOut(wasSent: false)))
        continue
      }
      units[unit]?.slot = slot
      slots[slot].inFlight.append(unit)
      actions.append(.send(unit: unit, slot: slot))
    }
    return actions
  }

  private func leastLoadedSlot() -> Int? {
    guard connectedCount > 0 else { return nil }
    var best: (slot: Int, load: Int)?
    for (index, slot) in slots.enumerated() where slot.state == .connected && !slot.isCancelling {
      let load = slot.inFlight.count
      if load == 0 { return index }
      if load < configuration.unitsInFlightPerConnection, load < best?.load ?? .max {
        best = (index, load)
      }
    }
    return best?.slot
  }
}

// MARK: Connections

extension PoolMachine {
  /// Starts to connect every slot.
  mutating func started() -> [Action] { connectIdleSlots() }

  mutating func connected(slot: Int, generation: UInt64, now: Instant) -> [Action] {
    guard isCurrent(slot, generation), slots[slot].state == .connecting else { return [] }
    if phase != .running {
      slots[slot].state = .idle
      return [.close(slot: slot)] + stopIfDrained()
    }
    slots[slot].state = .connected
    connectedCount += 1
    failureCount = 0
    retryAt = nil
    return connectIdleSlots() + dispatch(now: now)
  }

  mutating func connectFailed(slot: Int, generation: UInt64, now: Instant) -> [Action] {
    guard isCurrent(slot, generation), slots[slot].state == .connecting else { return [] }
    slots[slot].state = .idle
    guard phase == .running else { return stopIfDrained() }
    if retryAt == nil {
      let factor = 1 << min(failureCount, 16)
      retryAt = now + min(configuration.backoffMin * factor, configuration.backoffMax)
      failureCount += 1
    }
    return []
  }

  /// The connection broke; its units fail, the slot is connected anew.
  mutating func connectionLost(slot: Int, generation: UInt64, now: Instant) -> [Action] {
    guard isCurrent(slot, generation), slots[slot].state == .connected else { return [] }
    connectedCount -= 1
    // Units that wait now have a bound of their own.
    if connectedCount == 0, waitingCount > 0 { scan(at: now) }
    var actions: [Action] = [.close(slot: slot)]
    while let unit = slots[slot].inFlight.popFirst() {
      if units.removeValue(forKey: unit) != nil {
        actions.append(.fail(unit: unit, .connectionLost(wasSent: true)))
      }
    }
    slots[slot].state = .idle
    slots[slot].isCancelling = false
    guard phase == .running else { return actions + stopIfDrained() }
    return actions + (failureCount == 0 ? connectIdleSlots() : [])
  }

  private func isCurrent(_ slot: Int, _ generation: UInt64) -> Bool {
    slots.indices.contains(slot) && slots[slot].generation == generation
  }

  private mutating func connectIdleSlots(atMost limit: Int = .max) -> [Action] {
    var actions: [Action] = []
    for index in slots.indices where slots[index].state == .idle && actions.count < limit {
      slots[index].state = .connecting
      slots[index].generation += 1
      actions.append(.connect(slot: index, generation: slots[index].generation))
    }
    return actions
  }
}

// MARK: Time and the end

extension PoolMachine {
  mutating func timerFired(now: Instant) -> [Action] {
    var actions: [Action] = []
    if let at = retryAt, at <= now {
      retryAt = nil
      if phase == .running { actions += connectIdleSlots(atMost: 1) }
    }
    if let at = nextScan, at <= now { actions += failExpired(now: now) }
    if case .draining(let until) = phase, until <= now { actions += stop() }
    return actions
  }

  private mutating func scan(at time: Instant) {
    nextScan = min(nextScan ?? time, time)
  }

  private mutating func failExpired(now: Instant) -> [Action] {
    nextScan = nil
    var expired: [(unit: UInt64, failure: Failure)] = []
    for (unit, state) in units {
      let connectDeadline = state.submittedAt + configuration.unconnectedWaitMax
      let isStranded = state.slot == nil && connectedCount == 0
      if state.deadline <= now {
        expired.append((unit, .timedOut(wasSent: state.slot != nil)))
      } else if isStranded, connectDeadline <= now {
        expired.append((unit, .notConnected))
      } else {
        scan(at: isStranded ? min(state.deadline, connectDeadline) : state.deadline)
      }
    }
    var actions: [Action] = []
    for (unit, failure) in expired.sorted(by: { $0.unit < $1.unit }) {
      actions.append(.fail(unit: unit, failure))
      actions += abandoned(unit: unit)
    }
    return actions
  }

  /// No unit is taken any more; those in flight may finish until `deadline`.
  mutating func shutDown(deadline: Instant, now: Instant) -> [Action] {
    guard phase == .running else { return [] }
    phase = .draining(until: deadline)
    retryAt = nil
    var actions: [Action] = []
    while let unit = waiting.popFirst() {
      if units.removeValue(forKey: unit) != nil { actions.append(.fail(unit: unit, .shutDown)) }
    }
    waitingCount = 0
    return actions + stopIfDrained()
  }

  private mutating func stopIfDrained() -> [Action] {
    guard case .draining = phase, slots.allSatisfy({ $0.inFlight.isEmpty }) else { return [] }
    return stop()
  }

  private mutating func stop() -> [Action] {
    phase = .stopped
    var actions: [Action] = []
    for index in slots.indices {
      while let unit = slots[index].inFlight.popFirst() {
        if units.removeValue(forKey: unit) != nil {
          actions.append(.fail(unit: unit, .connectionLost(wasSent: true)))
        }
      }
      if slots[index].state == .connected { actions.append(.close(slot: index)) }
      slots[index] = Slot(generation: slots[index].generation + 1)
    }
    connectedCount = 0
    nextScan = nil
    return actions + [.stopped]
  }
}
