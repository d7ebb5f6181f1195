import Domain
import EventLog
import SeededRandom
import Testing

@Suite struct `A desk of a group` {
  private typealias Machine = GroupDeskMachine
  private static let start = ContinuousClock.now
  private let one = EntityID(high: 1, low: 1)
  private let two = EntityID(high: 1, low: 2)

  private static func group(
    _ change: (inout GroupLimits) -> Void = { _ in }, readPosition: Int64 = 0
  ) -> ConsumerGroup {
    var limits = GroupLimits()
    change(&limits)
    return ConsumerGroup(
      id: EntityID(high: 5, low: 5), name: "g", userID: EntityID(high: 6, low: 6),
      filter: EventFilter(), strategy: .roundRobin, from: nil, limits: limits,
      readPosition: readPosition, createdAt: Timestamp(microsecondsSinceEpoch: 0))
  }

  private func event(_ number: Int) -> EntityID { EntityID(high: 8, low: UInt64(number)) }

  private func delivery(_ number: Int, to session: EntityID, attempt: Int32 = 1) -> GroupDelivery {
    GroupDelivery(
      position: Int64(number), eventID: event(number), attempt: attempt, sessionID: session,
      until: Timestamp(microsecondsSinceEpoch: 0))
  }

  private func result(
    _ deliveries: [GroupDelivery] = [], of group: ConsumerGroup = Self.group(),
    settled: [Bool] = [],
    outstanding: Int = 0, parked: Int = 0, due: Duration? = nil
  ) -> GroupExchanged {
    GroupExchanged(
      group: group, settled: settled, deliveries: deliveries, outstandingCount: outstanding,
      parkedCount: parked, nextDue: due)
  }

  /// The exchange that the machine wants now.
  private func exchange(
    _ machine: inout GroupDeskMachine, at now: ContinuousClock.Instant = Self.start, head: Int64 = 0
  ) throws -> GroupExchange {
    let step = machine.next(at: now, head: head)
    guard case .exchange(let exchange) = step else {
      Issue.record("it wants \(step)")
      throw CancellationError()
    }
    return exchange
  }

  @Test func `asks for as many as there is room for, in turn`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 3)
    machine.joined(two, bufferSize: 1)
    #expect(try exchange(&machine).rooms == [one, two, one, one])
  }

  @Test func `reads only when the store had nothing more to give`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 2)
    let first = try exchange(&machine, head: 9)
    #expect(first.reading == nil)
    _ = machine.exchanged(first, result(), asked: Self.start)
    #expect(machine.next(at: Self.start, head: 9) == .read(after: 0, limit: 500))
    let reading = GroupReading(after: 0, through: 9, entries: [], epoch: 1)
    machine.read(reading)
    let second = try exchange(&machine, head: 9)
    #expect(second.reading == reading && second.rooms == [one, one])
    let read = Self.group(readPosition: 9)
    _ = machine.exchanged(
      second, result([delivery(1, to: one), delivery(2, to: one)], of: read, outstanding: 2),
      asked: Self.start)
    guard case .wait(upTo: _, after: nil) = machine.next(at: Self.start, head: 12) else {
      Issue.record("it has no room, and reads on")
      return
    }
  }

  @Test func `gives a consumer nothing more until it was sent what it has`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 5)
    let first = try exchange(&machine)
    let outcome = machine.exchanged(
      first, result([delivery(1, to: one)], outstanding: 1), asked: Self.start)
    #expect(outcome.deliveries == [one: [delivery(1, to: one)]])
    guard case .wait = machine.next(at: Self.start, head: 0) else {
      Issue.record("it does not wait")
      return
    }
    machine.drained(one)
    #expect(try exchange(&machine).rooms == [one, one, one, one])
  }

  @Test func `takes a settlement once, and only of what the consumer has`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 5)
    machine.joined(two, bufferSize: 5)
    let first = try exchange(&machine)
    _ = machine.exchanged(first, result([delivery(1, to: one)]), asked: Self.start)
    #expect(machine.settle([event(1)], .done, reason: "", by: two) == [event(1)])
    #expect(machine.settle([event(1), event(2)], .done, reason: "", by: one) == [event(2)])
    #expect(machine.settle([event(1)], .park, reason: "", by: one) == [event(1)])
    let second = try exchange(&machine)
    #expect(
      second.settlements == [
        Settlement(position: 1, sessionID: one, attempt: 1, action: .done)
      ])
    let outcome = machine.exchanged(second, result(settled: [true]), asked: Self.start)
    #expect(outcome.answers[one]?.settled == [event(1)])
    #expect(machine.settle([event(1)], .done, reason: "", by: one) == [event(1)])
  }

  @Test func `says what the store no longer held`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 1)
    let first = try exchange(&machine)
    _ = machine.exchanged(first, result([delivery(1, to: one)]), asked: Self.start)
    machine.drained(one)
    _ = machine.settle([event(1)], .done, reason: "", by: one)
    let second = try exchange(&machine)
    let outcome = machine.exchanged(second, result(settled: [false]), asked: Self.start)
    #expect(outcome.answers[one]?.notHeld == [event(1)])
    #expect(try exchange(&machine, at: Self.start + .seconds(11)).rooms == [one])
  }

  @Test func `forgets what was held for too long, unless it was extended`() throws {
    var machine = GroupDeskMachine(Self.group { $0.ackTimeout = .seconds(5) })
    machine.joined(one, bufferSize: 2)
    let group = Self.group { $0.ackTimeout = .seconds(5) }
    let first = try exchange(&machine)
    _ = machine.exchanged(
      first, result([delivery(1, to: one), delivery(2, to: one)], of: group, outstanding: 2),
      asked: Self.start)
    machine.drained(one)
    #expect(machine.settle([event(2)], .extend, reason: "", by: one) == [])
    let second = try exchange(&machine)
    _ = machine.exchanged(
      second, result(of: group, settled: [true], outstanding: 2), asked: Self.start + .seconds(4))
    let late = try exchange(&machine, at: Self.start + .seconds(6))
    #expect(late.rooms == [one])
    _ = machine.exchanged(late, result(of: group), asked: Self.start + .seconds(6))
    #expect(machine.settle([event(1), event(2)], .done, reason: "", by: one) == [event(1)])
  }

  @Test func `settles first and gives back then, when a consumer leaves`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 5)
    let first = try exchange(&machine)
    let deliveries = [delivery(1, to: one), delivery(2, to: one)]
    _ = machine.exchanged(first, result(deliveries), asked: Self.start)
    _ = machine.settle([event(1)], .done, reason: "", by: one)
    machine.left(one, unsent: [delivery(2, to: one)], isOrderly: true)
    let second = try exchange(&machine)
    #expect(second.settlements.count == 1 && second.rooms.isEmpty)
    _ = machine.exchanged(second, result(settled: [true]), asked: Self.start)
    #expect(
      machine.next(at: Self.start, head: 0)
        == .leave(
          GroupLeave(
            groupID: Self.group().id, sessionID: one, unsent: [2], isOrderly: true)))
    #expect(machine.isIdle)
  }

  @Test func `gives back what came for a consumer that had left meanwhile`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 5)
    let first = try exchange(&machine)
    machine.left(one, unsent: [], isOrderly: false)
    let outcome = machine.exchanged(first, result([delivery(3, to: one)]), asked: Self.start)
    #expect(outcome.deliveries.isEmpty && !machine.isIdle)
    #expect(
      machine.next(at: Self.start, head: 0)
        == .leave(
          GroupLeave(
            groupID: Self.group().id, sessionID: one, unsent: [3], isOrderly: false)))
  }

  @Test func `reads no further when too much is unsettled or parked`() throws {
    for (outstanding, parked) in [(4, 0), (0, 7)] {
      let group = Self.group {
        $0.outstandingMax = 4
        $0.parkedMax = 7
      }
      var machine = GroupDeskMachine(group)
      machine.joined(one, bufferSize: 9)
      let first = try exchange(&machine, head: 50)
      _ = machine.exchanged(
        first, result(of: group, outstanding: outstanding, parked: parked), asked: Self.start)
      guard case .wait(upTo: _, after: nil) = machine.next(at: Self.start, head: 50) else {
        Issue.record("it reads on")
        return
      }
    }
  }

  @Test func `asks again when an entry is due, and now and then`() throws {
    var machine = GroupDeskMachine(Self.group())
    machine.joined(one, bufferSize: 1)
    let first = try exchange(&machine)
    _ = machine.exchanged(
      first, result(outstanding: 1, due: .milliseconds(200)), asked: Self.start)
    #expect(
      machine.next(at: Self.start, head: 0) == .wait(upTo: .milliseconds(200), after: 0))
    let second = try exchange(&machine, at: Self.start + .milliseconds(200))
    _ = machine.exchanged(second, result(outstanding: 1), asked: Self.start)
    #expect(
      machine.next(at: Self.start, head: 0) == .wait(upTo: .milliseconds(500), after: 0))
    _ = try exchange(&machine, at: Self.start + .milliseconds(500))
  }
}
