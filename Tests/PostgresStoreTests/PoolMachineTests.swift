import Testing

@testable import PostgresStore

/// Event by event: what the pool's machine decides.
@Suite struct PoolMachineTests {
  let start = ContinuousClock.now

  /// A machine whose `connected` slots are up.
  func machine(
    slots: Int = 2, depth: Int = 2, waiting: Int = 3, cancels: Bool = false, connected: Int = 2
  ) -> PoolMachine {
    var configuration = PoolMachine.Configuration()
    configuration.connectionCount = slots
    configuration.unitsInFlightPerConnection = depth
    configuration.waitingUnitCountMax = waiting
    configuration.cancelsAbandonedUnits = cancels
    configuration.backoffMin = .milliseconds(100)
    configuration.backoffMax = .milliseconds(300)
    configuration.unconnectedWaitMax = .seconds(5)
    var machine = PoolMachine(configuration)
    _ = machine.started()
    for slot in 0..<connected { _ = machine.connected(slot: slot, generation: 1, now: start) }
    return machine
  }

  func submit(
    _ machine: inout PoolMachine, _ unit: UInt64, within: Duration = .seconds(30)
  ) -> [PoolMachine.Action] {
    machine.submitted(unit: unit, deadline: start + within, now: start)
  }

  @Test func itConnectsEverySlotAtTheStart() {
    var machine = PoolMachine(.init(connectionCount: 2))
    #expect(
      machine.started() == [.connect(slot: 0, generation: 1), .connect(slot: 1, generation: 1)])
  }

  @Test func unitsWaitUntilThereIsAConnection() {
    var machine = machine(connected: 0)
    #expect(submit(&machine, 1).isEmpty)
    #expect(submit(&machine, 2).isEmpty)
    #expect(
      machine.connected(slot: 1, generation: 1, now: start)
        == [.send(unit: 1, slot: 1), .send(unit: 2, slot: 1)])
  }

  @Test func theLeastLoadedConnectionGetsTheUnit() {
    var machine = machine()
    #expect(submit(&machine, 1) == [.send(unit: 1, slot: 0)])
    #expect(submit(&machine, 2) == [.send(unit: 2, slot: 1)])
    #expect(submit(&machine, 3) == [.send(unit: 3, slot: 0)])
    #expect(machine.unitFinished(slot: 1, now: start).isEmpty)
    #expect(submit(&machine, 4) == [.send(unit: 4, slot: 1)])
  }

  @Test func fullConnectionsLetUnitsWaitInOrder() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    #expect(submit(&machine, 1) == [.send(unit: 1, slot: 0)])
    #expect(submit(&machine, 2).isEmpty)
    #expect(submit(&machine, 3).isEmpty)
    #expect(machine.unitFinished(slot: 0, now: start) == [.send(unit: 2, slot: 0)])
    #expect(machine.unitFinished(slot: 0, now: start) == [.send(unit: 3, slot: 0)])
  }

  @Test func aNewUnitDoesNotOvertakeWaitingOnes() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    _ = submit(&machine, 1)
    _ = submit(&machine, 2)
    _ = machine.abandoned(unit: 2)
    _ = submit(&machine, 3)
    #expect(machine.unitFinished(slot: 0, now: start) == [.send(unit: 3, slot: 0)])
  }

  @Test func moreThanTheMaximumMayNotWait() {
    var machine = machine(slots: 1, depth: 1, waiting: 2, connected: 1)
    for unit in 1...3 { _ = submit(&machine, UInt64(unit)) }
    #expect(submit(&machine, 4) == [.fail(unit: 4, .overloaded)])
    #expect(machine.load == (waiting: 2, inFlight: 1, connected: 1))
  }

  @Test func abandonedUnitsLeaveRoomInTheQueue() {
    var machine = machine(slots: 1, depth: 1, waiting: 2, connected: 1)
    _ = submit(&machine, 0)
    for unit in UInt64(1)...1000 {
      #expect(submit(&machine, unit).isEmpty)
      #expect(machine.abandoned(unit: unit).isEmpty)
    }
    #expect(machine.load.waiting == 0)
    #expect(machine.unitFinished(slot: 0, now: start).isEmpty)
  }

  @Test func anExpiredUnitFails() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    _ = submit(&machine, 1, within: .seconds(2))
    _ = submit(&machine, 2, within: .seconds(1))
    #expect(machine.nextWakeup == start + .seconds(1))
    #expect(
      machine.timerFired(now: start + .seconds(1)) == [.fail(unit: 2, .timedOut(wasSent: false))])
    #expect(machine.nextWakeup == start + .seconds(2))
    #expect(
      machine.timerFired(now: start + .seconds(2)) == [.fail(unit: 1, .timedOut(wasSent: true))])
    // Its place in the order stays until the server has answered.
    #expect(machine.oldestInFlight(slot: 0) == 1)
    #expect(machine.unitFinished(slot: 0, now: start + .seconds(3)).isEmpty)
    #expect(machine.nextWakeup == nil)
  }

  @Test func anExpiredDeadlineIsNotTaken() {
    var machine = machine()
    #expect(submit(&machine, 1, within: .zero) == [.fail(unit: 1, .timedOut(wasSent: false))])
  }

  @Test func aLostConnectionFailsWhatItCarriesAndIsMadeAnew() {
    var machine = machine()
    for unit in 1...3 { _ = submit(&machine, UInt64(unit)) }
    #expect(
      machine.connectionLost(slot: 0, generation: 1, now: start) == [
        .close(slot: 0),
        .fail(unit: 1, .connectionLost(wasSent: true)),
        .fail(unit: 3, .connectionLost(wasSent: true)),
        .connect(slot: 0, generation: 2),
      ])
    #expect(machine.connectionLost(slot: 0, generation: 1, now: start).isEmpty)
    #expect(machine.unitFinished(slot: 1, now: start).isEmpty)
  }

  @Test func unitsThatWaitSurviveALostConnection() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    _ = submit(&machine, 1)
    _ = submit(&machine, 2)
    _ = machine.connectionLost(slot: 0, generation: 1, now: start)
    #expect(
      machine.connected(slot: 0, generation: 2, now: start) == [.send(unit: 2, slot: 0)])
  }

  @Test func oneSlotProbesWithGrowingPausesAndTheOthersFollow() {
    var machine = machine(connected: 0)
    var now = start
    #expect(machine.connectFailed(slot: 0, generation: 1, now: now).isEmpty)
    #expect(machine.connectFailed(slot: 1, generation: 1, now: now).isEmpty)
    var generation: UInt64 = 1
    for pause in [100, 200, 300, 300] {
      #expect(machine.nextWakeup == now + .milliseconds(pause))
      now += .milliseconds(pause)
      generation += 1
      #expect(
        machine.timerFired(now: now) == [.connect(slot: 0, generation: generation)])
      #expect(machine.connectFailed(slot: 0, generation: generation, now: now).isEmpty)
    }
    now += .milliseconds(300)
    _ = machine.timerFired(now: now)
    #expect(
      machine.connected(slot: 0, generation: generation + 1, now: now)
        == [.connect(slot: 1, generation: 2)])
  }

  @Test func withoutAnyConnectionUnitsWaitOnlySoLong() {
    var machine = machine(connected: 0)
    _ = submit(&machine, 1)
    #expect(machine.nextWakeup == start + .seconds(5))
    #expect(machine.timerFired(now: start + .seconds(5)) == [.fail(unit: 1, .notConnected)])
  }

  @Test func losingTheLastConnectionBoundsTheWaitOfThoseInTheQueue() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    _ = submit(&machine, 1)
    _ = submit(&machine, 2)
    _ = machine.connectionLost(slot: 0, generation: 1, now: start + .seconds(1))
    #expect(machine.timerFired(now: start + .seconds(1)).isEmpty)
    #expect(machine.nextWakeup == start + .seconds(5))
    #expect(machine.timerFired(now: start + .seconds(5)) == [.fail(unit: 2, .notConnected)])
  }

  @Test func anAbandonedShortUnitIsNotCancelled() {
    var machine = machine()
    _ = submit(&machine, 1)
    #expect(machine.abandoned(unit: 1).isEmpty)
    #expect(machine.oldestInFlight(slot: 0) == 1)
  }

  @Test func anAbandonedLongUnitIsCancelledAndNothingElseIsHit() {
    var machine = machine(slots: 1, depth: 1, cancels: true, connected: 1)
    _ = submit(&machine, 1)
    _ = submit(&machine, 2)
    #expect(machine.abandoned(unit: 1) == [.cancel(slot: 0, generation: 1)])
    #expect(machine.abandoned(unit: 1).isEmpty)
    // The statement ended, but the cancel is still on its way.
    #expect(machine.unitFinished(slot: 0, now: start).isEmpty)
    #expect(
      machine.cancelFinished(slot: 0, generation: 1, now: start) == [.send(unit: 2, slot: 0)])
  }

  @Test func aDeadlineCancelsALongUnitToo() {
    var machine = machine(slots: 1, depth: 1, cancels: true, connected: 1)
    _ = submit(&machine, 1, within: .seconds(1))
    #expect(
      machine.timerFired(now: start + .seconds(1))
        == [.fail(unit: 1, .timedOut(wasSent: true)), .cancel(slot: 0, generation: 1)])
  }

  @Test func aCancelOfALostConnectionIsForgotten() {
    var machine = machine(slots: 1, depth: 1, cancels: true, connected: 1)
    _ = submit(&machine, 1)
    _ = machine.abandoned(unit: 1)
    _ = machine.connectionLost(slot: 0, generation: 1, now: start)
    _ = machine.connected(slot: 0, generation: 2, now: start)
    #expect(machine.cancelFinished(slot: 0, generation: 1, now: start).isEmpty)
    #expect(submit(&machine, 2) == [.send(unit: 2, slot: 0)])
  }

  @Test func aShutdownLetsUnitsInFlightFinish() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    _ = submit(&machine, 1)
    _ = submit(&machine, 2)
    #expect(
      machine.shutDown(deadline: start + .seconds(1), now: start) == [.fail(unit: 2, .shutDown)])
    #expect(submit(&machine, 3) == [.fail(unit: 3, .shutDown)])
    #expect(machine.unitFinished(slot: 0, now: start) == [.close(slot: 0), .stopped])
    #expect(machine.isStopped)
  }

  @Test func aShutdownEndsAtItsDeadline() {
    var machine = machine(slots: 1, depth: 1, connected: 1)
    _ = submit(&machine, 1)
    _ = machine.shutDown(deadline: start + .seconds(1), now: start)
    #expect(
      machine.timerFired(now: start + .seconds(1)) == [
        .fail(unit: 1, .connectionLost(wasSent: true)), .close(slot: 0), .stopped,
      ])
  }

  @Test func aConnectionThatComesDuringAShutdownIsClosed() {
    var machine = machine(connected: 1)
    _ = submit(&machine, 1)
    _ = machine.shutDown(deadline: start + .seconds(1), now: start)
    #expect(machine.connected(slot: 1, generation: 1, now: start) == [.close(slot: 1)])
  }

  @Test func lateAndUnknownEventsAreIgnored() {
    var machine = machine()
    #expect(machine.connected(slot: 0, generation: 9, now: start).isEmpty)
    #expect(machine.connectFailed(slot: 0, generation: 1, now: start).isEmpty)
    #expect(machine.unitFinished(slot: 0, now: start).isEmpty)
    #expect(machine.unitFinished(slot: 99, now: start).isEmpty)
    #expect(machine.abandoned(unit: 99).isEmpty)
    #expect(machine.cancelFinished(slot: -1, generation: 1, now: start).isEmpty)
  }
}
