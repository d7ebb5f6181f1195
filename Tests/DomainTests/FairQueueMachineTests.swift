import Domain
import SeededRandom
import Testing

@Suite struct `A fair queue` {
  private typealias Machine = FairQueueMachine<String>
  private static let start = ContinuousClock.now

  private func machine(
    inside: Int = 1, ofCaller: Int = 1, waiting: Int = 200, waitingOfCaller: Int = 200
  ) -> Machine {
    Machine(
      Machine.Limits(
        insideMax: inside, callerInsideMax: ofCaller, waitingMax: waiting,
        callerWaitingMax: waitingOfCaller))
  }

  @Test func `gives one caller's hundred calls and another's one their turns alternately`() {
    var machine = machine()
    #expect(machine.entered(0, of: "ada", deadline: nil, at: Self.start) == .inside)
    for call in 1...100 {
      #expect(machine.entered(UInt64(call), of: "ada", deadline: nil, at: Self.start) == .waiting)
    }
    #expect(machine.entered(200, of: "bea", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.left("ada", at: Self.start) == [.inside(200)])
    #expect(machine.left("bea", at: Self.start) == [.inside(1)])
    #expect(machine.entered(201, of: "bea", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.left("ada", at: Self.start) == [.inside(201)])
    #expect(machine.left("bea", at: Self.start) == [.inside(2)])
    #expect(machine.callerCount == 1)
  }

  @Test func `goes round the callers, each one's calls in their order`() {
    var machine = machine()
    _ = machine.entered(0, of: "zoe", deadline: nil, at: Self.start)
    for (call, caller) in [(1, "a"), (2, "a"), (3, "b"), (4, "c"), (5, "b"), (6, "a")] {
      #expect(machine.entered(UInt64(call), of: caller, deadline: nil, at: Self.start) == .waiting)
    }
    var turns = machine.left("zoe", at: Self.start)
    for caller in ["a", "b", "c", "a", "b"] { turns += machine.left(caller, at: Self.start) }
    #expect(turns == [1, 3, 4, 2, 5, 6].map { .inside($0) })
    #expect(machine.left("a", at: Self.start) == [])
    #expect(machine.callerCount == 0)
  }

  @Test func `knows how many have their turn before a call`() {
    var machine = machine()
    _ = machine.entered(0, of: "zoe", deadline: nil, at: Self.start)
    for (call, caller) in [(1, "a"), (2, "a"), (3, "b"), (4, "c"), (5, "b"), (6, "a")] {
      _ = machine.entered(UInt64(call), of: caller, deadline: nil, at: Self.start)
    }
    let calls: [(UInt64, String)] = [(1, "a"), (3, "b"), (4, "c"), (2, "a"), (5, "b"), (6, "a")]
    for (index, (call, caller)) in calls.enumerated() {
      #expect(machine.aheadCount(of: call, caller) == index)
    }
    #expect(machine.aheadCount(of: 0, "zoe") == nil)
    #expect(machine.aheadCount(of: 7, "nobody") == nil)
    _ = machine.left("zoe", at: Self.start)
    #expect(machine.aheadCount(of: 1, "a") == nil)
    #expect(machine.aheadCount(of: 3, "b") == 0)
  }

  @Test func `keeps places for others where one caller may not have all`() {
    var machine = machine(inside: 4, ofCaller: 2)
    #expect(machine.entered(1, of: "ada", deadline: nil, at: Self.start) == .inside)
    #expect(machine.entered(2, of: "ada", deadline: nil, at: Self.start) == .inside)
    #expect(machine.entered(3, of: "ada", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.entered(4, of: "bea", deadline: nil, at: Self.start) == .inside)
    // Bea's place is not Ada's to have; Ada's own is.
    #expect(machine.left("bea", at: Self.start) == [])
    #expect(machine.left("ada", at: Self.start) == [.inside(3)])
    #expect(machine.insideCount == 2)
  }

  @Test func `says what a call would wait behind`() {
    var machine = machine(inside: 2)
    #expect(machine.line(of: "ada") == .init(isFree: true, ownCount: 0, callerCount: 1))
    for (call, caller) in [(0, "ada"), (1, "bea"), (2, "cleo"), (3, "cleo"), (4, "dora")] {
      _ = machine.entered(UInt64(call), of: caller, deadline: nil, at: Self.start)
    }
    #expect(machine.line(of: "cleo") == .init(isFree: false, ownCount: 2, callerCount: 2))
    #expect(machine.line(of: "eve") == .init(isFree: false, ownCount: 0, callerCount: 3))
  }

  @Test func `lets more in at once where more may run, and fewer as calls leave`() {
    var machine = machine(inside: 1, ofCaller: 4)
    for call in 0..<6 {
      _ = machine.entered(UInt64(call), of: "ada", deadline: nil, at: Self.start)
    }
    #expect(machine.allow(insideMax: 3, at: Self.start) == [.inside(1), .inside(2)])
    #expect(machine.allow(insideMax: 2, at: Self.start) == [])
    #expect(machine.left("ada", at: Self.start) == [])
    #expect(machine.left("ada", at: Self.start) == [.inside(3)])
    #expect(machine.insideMax == 2)
  }

  @Test func `takes their turn from those that waited for more than their rounds`() {
    var machine = machine()
    let later = Self.start + .milliseconds(25)
    _ = machine.entered(0, of: "zoe", deadline: nil, at: Self.start)
    for call in 1...3 {
      _ = machine.entered(UInt64(call), of: "ada", deadline: nil, at: Self.start)
    }
    _ = machine.entered(4, of: "bea", deadline: nil, at: Self.start + .milliseconds(20))
    machine.waitMax = .milliseconds(10)
    // Ada's first two were to come in the first two rounds, which took longer; her third has a third one.
    #expect(machine.left("zoe", at: later) == [.overdue(1), .overdue(2), .inside(3)])
    #expect(machine.left("ada", at: later) == [.inside(4)])
    #expect(machine.waitingCount == 0)
    machine.waitMax = nil
    _ = machine.entered(5, of: "ada", deadline: nil, at: Self.start)
    #expect(machine.left("bea", at: Self.start + .seconds(60)) == [.inside(5)])
  }

  @Test func `refuses what is more than may wait, of a caller and of all`() {
    var machine = machine(waiting: 3, waitingOfCaller: 2)
    #expect(machine.entered(0, of: "ada", deadline: nil, at: Self.start) == .inside)
    #expect(machine.entered(1, of: "ada", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.entered(2, of: "ada", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.entered(3, of: "ada", deadline: nil, at: Self.start) == .refused(maximum: 2))
    #expect(machine.entered(4, of: "bea", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.entered(5, of: "bea", deadline: nil, at: Self.start) == .refused(maximum: 3))
    #expect(machine.waitingCount == 3)
  }

  @Test func `drops calls whose deadline passed while they waited, and serves the next`() {
    var machine = machine()
    let soon = Self.start + .seconds(1)
    _ = machine.entered(0, of: "ada", deadline: nil, at: Self.start)
    _ = machine.entered(1, of: "ada", deadline: soon, at: Self.start)
    _ = machine.entered(2, of: "ada", deadline: soon + .seconds(9), at: Self.start)
    _ = machine.entered(3, of: "bea", deadline: nil, at: Self.start)
    #expect(machine.left("ada", at: soon) == [.inside(3)])
    #expect(machine.left("bea", at: soon) == [.expired(1), .inside(2)])
  }

  @Test func `passes over a caller that has only expired calls`() {
    var machine = machine()
    _ = machine.entered(0, of: "zoe", deadline: nil, at: Self.start)
    _ = machine.entered(1, of: "ada", deadline: Self.start, at: Self.start)
    _ = machine.entered(2, of: "bea", deadline: nil, at: Self.start)
    #expect(machine.left("zoe", at: Self.start) == [.expired(1), .inside(2)])
  }

  @Test func `forgets a call that was given up, and says where it was too late`() {
    var machine = machine()
    _ = machine.entered(0, of: "ada", deadline: nil, at: Self.start)
    _ = machine.entered(1, of: "bea", deadline: nil, at: Self.start)
    _ = machine.entered(2, of: "cleo", deadline: nil, at: Self.start)
    #expect(machine.withdrawn(1, of: "bea") == true)
    #expect(machine.withdrawn(1, of: "bea") == false)
    #expect(machine.left("ada", at: Self.start) == [.inside(2)])
    #expect(machine.withdrawn(2, of: "cleo") == false)
    // One that comes back has one turn, not two.
    #expect(machine.entered(3, of: "bea", deadline: nil, at: Self.start) == .waiting)
    #expect(machine.left("cleo", at: Self.start) == [.inside(3)])
    #expect(machine.left("bea", at: Self.start) == [])
    #expect(machine.callerCount == 0)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `holds its limits, loses nobody and forgets everybody, whatever happens`(seed: UInt64) {
    var random = SeededGenerator(state: seed)
    let limits = Machine.Limits(
      insideMax: 3, callerInsideMax: 2, waitingMax: 12, callerWaitingMax: 5)
    var machine = Machine(limits)
    var inside: [String] = []
    var waiting: [UInt64: String] = [:]
    func note(_ turns: [Machine.Turn]) {
      for turn in turns {
        switch turn {
        case .inside(let call):
          if let caller = waiting.removeValue(forKey: call) { inside.append(caller) }
        case .expired(let call), .overdue(let call):
          #expect(waiting.removeValue(forKey: call) != nil)
        }
      }
    }
    for call in 1...2000 as ClosedRange<UInt64> {
      let now = Self.start + .milliseconds(Int(call))
      let caller = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        let deadline = Bool.random(using: &random) ? now + .milliseconds(20) : nil
        switch machine.entered(call, of: caller, deadline: deadline, at: Self.start) {
        case .inside: inside.append(caller)
        case .waiting: waiting[call] = caller
        case .refused: break
        }
      case 5..<6:
        guard let (call, caller) = waiting.randomElement(using: &random) else { continue }
        #expect(machine.withdrawn(call, of: caller) == true)
        waiting[call] = nil
      default:
        guard let index = inside.indices.randomElement(using: &random) else { continue }
        note(machine.left(inside.remove(at: index), at: now))
      }
      #expect(machine.insideCount == inside.count && inside.count <= limits.insideMax)
      #expect(machine.waitingCount == waiting.count && waiting.count <= limits.waitingMax)
      for name in Set(inside) { #expect(inside.count { $0 == name } <= limits.callerInsideMax) }
      // Nobody waits who could have a place.
      if inside.count < limits.insideMax {
        for name in waiting.values {
          #expect(inside.count { $0 == name } == limits.callerInsideMax)
        }
      }
    }
    while !inside.isEmpty { note(machine.left(inside.removeLast(), at: Self.start)) }
    #expect(waiting.isEmpty)
    #expect(machine.callerCount == 0)
  }
}

@Suite struct `A fair queue of tasks` {
  private let queue = FairQueue<String>(
    FairQueueMachine.Limits(insideMax: 1, callerInsideMax: 1, waitingMax: 2, callerWaitingMax: 2))

  /// Waits until so many tasks wait in the queue.
  private func untilWaiting(_ count: Int) async {
    while queue.waitingCount != count { await Task.yield() }
  }

  @Test func `lets the next one in when one leaves`() async {
    #expect(await queue.enter("ada", until: nil) == .entered)
    let next = Task { await queue.enter("bea", until: nil) }
    await untilWaiting(1)
    queue.leave("ada")
    #expect(await next.value == .entered)
    queue.leave("bea")
    #expect(queue.insideCount == 0)
  }

  @Test func `ends the wait of a cancelled task, and lets in none that was cancelled before`() async
  {
    _ = await queue.enter("ada", until: nil)
    let next = Task { await queue.enter("bea", until: nil) }
    await untilWaiting(1)
    next.cancel()
    #expect(await next.value == .cancelled)
    #expect(queue.waitingCount == 0)
    queue.leave("ada")
    let late = Task {
      while !Task.isCancelled { await Task.yield() }
      return await queue.enter("bea", until: nil)
    }
    late.cancel()
    #expect(await late.value == .cancelled)
    #expect(queue.insideCount == 0)
  }

  @Test func `says when too many wait, and when a deadline has passed`() async {
    _ = await queue.enter("ada", until: nil)
    let expired = Task { await queue.enter("bea", until: .now) }
    await untilWaiting(1)
    let next = Task { await queue.enter("bea", until: nil) }
    await untilWaiting(2)
    #expect(await queue.enter("cleo", until: nil) == .refused(maximum: 2))
    queue.leave("ada")
    #expect(await expired.value == .expired)
    #expect(await next.value == .entered)
  }
}
