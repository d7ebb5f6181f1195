import Domain
import EventLog
import SeededRandom
import Testing

@Suite struct `A subscription` {
  private static let limit = SubscriptionMachine.pageLimit

  /// A machine that has read the log to its end and is live at `position`.
  private func live(at position: Int64, checkpoint: Int = 1000) -> SubscriptionMachine {
    var machine = SubscriptionMachine(
      live: LogEnd(position: position), checkpointInterval: checkpoint)
    #expect(machine.ringWasEmpty() == .caughtUp)
    return machine
  }

  @Test func `reads the log first, page by page`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    #expect(machine.next == .readLog(after: 0))
    for position in 1...Int64(Self.limit) {
      #expect(machine.considered(position, isWanted: true) == .send)
    }
    #expect(machine.logPageEnded(isEnd: false, ringHead: 900) == nil)
    #expect(machine.next == .readLog(after: Int64(Self.limit)))
  }

  @Test func `joins the ring at the end of the log, and is caught up where the ring was then`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    _ = machine.considered(1, isWanted: true)
    #expect(machine.logPageEnded(isEnd: true, ringHead: 3) == nil)
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
    #expect(machine.logPageEnded(isEnd: true, ringHead: 1) == .caughtUp)
  }

  @Test func `is caught up where the ring has nothing yet`() {
    var machine = SubscriptionMachine(after: 5, checkpointInterval: 1000)
    #expect(machine.logPageEnded(isEnd: true, ringHead: 9) == nil)
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
    #expect(machine.next == .readLog(after: 10))
    _ = machine.considered(11, isWanted: true)
    #expect(machine.logPageEnded(isEnd: true, ringHead: 11) == .caughtUp)
    #expect(machine.next == .takeFromRing(after: 11, limit: Self.limit))
  }

  @Test func `that was not live yet goes back to the log in silence`() {
    var machine = SubscriptionMachine(after: 0, checkpointInterval: 1000)
    #expect(machine.logPageEnded(isEnd: true, ringHead: 50) == nil)
    #expect(machine.cursorLeftRing() == nil)
    #expect(machine.next == .readLog(after: 0))
  }

  @Test func `passes over what nobody looked at, and counts it`() {
    var machine = live(at: 10, checkpoint: 5)
    #expect(machine.checkpointDue == 15)
    #expect(machine.passedOver(through: 13) == .pass)
    #expect(machine.passedOver(through: 12) == .pass)
    #expect(machine.cursor == 13 && machine.checkpointDue == 15)
    #expect(machine.considered(14, isWanted: false) == .pass)
    #expect(machine.passedOver(through: 400) == .checkpoint)
    #expect(machine.cursor == 400 && machine.checkpointDue == 405)
    #expect(machine.considered(402, isWanted: true) == .send)
    #expect(machine.checkpointDue == 407)
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
    let machine = SubscriptionMachine(live: LogEnd(position: 42), checkpointInterval: 0)
    #expect(machine.next == .takeFromRing(after: 42, limit: Self.limit))
  }

  @Test func `that starts live passes over what was committed and had no position yet`() {
    let end = LogEnd(position: 10, unsequenced: [3...4, 7...7])
    var machine = SubscriptionMachine(live: end, checkpointInterval: 1000)
    #expect(machine.next == .takeFromRing(after: 10, limit: Self.limit))
    #expect(machine.ringWasEmpty() == nil)
    // Number 5 was given before and committed after: it is wanted, and not earlier.
    for (position, seq) in [(11, 3), (12, 4), (13, 5)] as [(Int64, Int64)] {
      let isEarlier = machine.isEarlier(seq)
      #expect(isEarlier == (seq != 5))
      let verdict = machine.considered(position, isWanted: !isEarlier, isEarlier: isEarlier)
      #expect(verdict == (isEarlier ? .pass : .send))
    }
    #expect(machine.ringBatchEnded() == nil)
    #expect(machine.ringWasEmpty() == nil)
    #expect(machine.isEarlier(7))
    _ = machine.considered(14, isWanted: false, isEarlier: true)
    #expect(machine.ringBatchEnded() == .caughtUp)
    #expect(!machine.isEarlier(7))
  }

  @Test func `that starts live and falls out of the ring still passes over what was before`() {
    let end = LogEnd(position: 10, unsequenced: [3...3])
    var machine = SubscriptionMachine(live: end, checkpointInterval: 1000)
    #expect(machine.cursorLeftRing() == nil)
    #expect(machine.next == .readLog(after: 10))
    #expect(machine.logPageEnded(isEnd: true, ringHead: 10) == nil)
    #expect(machine.ringWasEmpty() == nil)
    _ = machine.considered(11, isWanted: false, isEarlier: machine.isEarlier(3))
    #expect(machine.ringBatchEnded() == .caughtUp)
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
      case .readLog(let after):
        // The log may be ahead of the ring, and pages are of any size.
        let limit = Int.random(in: 1...Self.limit, using: &random)
        let page = Array((after + 1..<max(after + 1, head + 1)).prefix(limit))
        let ringHead = max(0, head - Int64.random(in: 0...5, using: &random))
        for position in page where machine.considered(position, isWanted: true) == .send {
          sent.append(position)
        }
        // A message that has to wait ends the look at a page in the middle of it.
        guard Bool.random(using: &random) else { continue }
        _ = machine.logPageEnded(isEnd: (page.last ?? after) >= head, ringHead: ringHead)
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
