import Domain
import EventLog
import SeededRandom
import Testing

@Suite struct `A subscription` {
  private static let limit = SubscriptionMachine.pageLimit

  /// A machine that has read the log to its end and is live at `position`.
  private func live(at position: Int64, checkpoint: Int = 1000) -> SubscriptionMachine {
    var machine = SubscriptionMachine(after: position, isLive: true, checkpointInterval: checkpoint)
    #expect(machine.ringWasEmpty() == .caughtUp)
    return machine
  }

  @Test func `reads the log first, page by page`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    #expect(machine.next == .readLog(after: 0, limit: Self.limit))
    for position in 1...Int64(Self.limit) {
      #expect(machine.considered(position, isWanted: true) == .send)
    }
    #expect(machine.logPageEnded(count: Self.limit, ringHead: 900) == nil)
    #expect(machine.next == .readLog(after: Int64(Self.limit), limit: Self.limit))
  }

  @Test func `joins the ring after a short page, and is caught up where the ring was then`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    _ = machine.considered(1, isWanted: true)
    #expect(machine.logPageEnded(count: 1, ringHead: 3) == nil)
    #expect(machine.next == .takeFromRing(after: 1, limit: Self.limit))
    _ = machine.considered(2, isWanted: true)
    #expect(machine.ringBatchEnded() == nil)
    _ = machine.considered(3, isWanted: true)
    #expect(machine.ringBatchEnded() == .caughtUp)
    #expect(machine.isLive)
    #expect(machine.ringBatchEnded() == nil)
  }

  @Test func `is caught up at once where the log reaches as far as the ring`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    _ = machine.considered(1, isWanted: true)
    #expect(machine.logPageEnded(count: 1, ringHead: 1) == .caughtUp)
  }

  @Test func `is caught up where the ring has nothing yet`() {
    var machine = SubscriptionMachine(after: 5, checkpointInterval: 1000)
    #expect(machine.logPageEnded(count: 0, ringHead: 9) == nil)
    #expect(machine.ringWasEmpty() == .caughtUp)
    #expect(machine.ringWasEmpty() == nil)
  }

  @Test func `passes over what the log and the ring both have`() {
    var machine = SubscriptionMachine(after: 7, checkpointInterval: 1)
    #expect(machine.considered(7, isWanted: true) == .pass)
    #expect(machine.considered(3, isWanted: true) == .pass)
    #expect(machine.cursor == 7)
    #expect(machine.considered(8, isWanted: true) == .send)
    #expect(machine.cursor == 8)
  }

  @Test func `says that it fell behind, reads the log, and catches up again`() {
    var machine = live(at: 10)
    #expect(machine.cursorLeftRing() == .fellBehind)
    #expect(!machine.isLive)
    #expect(machine.next == .readLog(after: 10, limit: Self.limit))
    _ = machine.considered(11, isWanted: true)
    #expect(machine.logPageEnded(count: 1, ringHead: 11) == .caughtUp)
    #expect(machine.next == .takeFromRing(after: 11, limit: Self.limit))
  }

  @Test func `that was not live yet goes back to the log in silence`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    #expect(machine.logPageEnded(count: 0, ringHead: 50) == nil)
    #expect(machine.cursorLeftRing() == nil)
    #expect(machine.next == .readLog(after: 0, limit: Self.limit))
  }

  @Test func `sends a checkpoint when it passed over enough, counted from the last message`() {
    var machine = live(at: 0, checkpoint: 3)
    #expect(machine.considered(1, isWanted: false) == .pass)
    #expect(machine.considered(2, isWanted: false) == .pass)
    #expect(machine.considered(3, isWanted: true) == .send)
    #expect(machine.considered(4, isWanted: false) == .pass)
    #expect(machine.considered(5, isWanted: false) == .pass)
    #expect(machine.considered(6, isWanted: false) == .checkpoint)
    #expect(machine.considered(7, isWanted: false) == .pass)
    #expect(machine.cursor == 7)
  }

  @Test func `that starts live reads no past`() {
    let machine = SubscriptionMachine(after: 42, isLive: true, checkpointInterval: 0)
    #expect(machine.next == .takeFromRing(after: 42, limit: Self.limit))
  }

  /// Random sizes of the log and the ring, random slowness: each event once, in order.
  @Test(arguments: UInt64(0)..<50) func `sends every event once, in order`(seed: UInt64) {
    var random = SeededGenerator(state: seed)
    var head = Int64.random(in: 0...2000, using: &random)
    let capacity = Int64.random(in: 1...700, using: &random)
    let total = head + Int64.random(in: 1...2000, using: &random)
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 10)
    var sent: [Int64] = []
    var steps = 0
    while machine.cursor < total, steps < 100_000 {
      steps += 1
      head = min(total, head + Int64.random(in: 0...300, using: &random))
      switch machine.next {
      case .readLog(let after, let limit):
        // The log may be ahead of the ring.
        let page = Array((after + 1..<max(after + 1, head + 1)).prefix(limit))
        let ringHead = max(0, head - Int64.random(in: 0...5, using: &random))
        for position in page where machine.considered(position, isWanted: true) == .send {
          sent.append(position)
        }
        _ = machine.logPageEnded(count: page.count, ringHead: ringHead)
      case .takeFromRing(let after, let limit):
        if after >= head {
          _ = machine.ringWasEmpty()
        } else if after + 1 < head - capacity + 1 {
          _ = machine.cursorLeftRing()
        } else {
          for position in (after + 1...head).prefix(limit)
          where machine.considered(position, isWanted: true) == .send {
            sent.append(position)
          }
          _ = machine.ringBatchEnded()
        }
      }
    }
    #expect(sent == Array(1...total))
  }
}
