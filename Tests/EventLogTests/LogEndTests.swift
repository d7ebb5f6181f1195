import Domain
import Testing

@Suite struct `The end of the log` {
  @Test func `knows the numbers that have no position`() {
    let end = LogEnd(position: 9, unsequenced: [2...4, 6...6, 9...12])
    #expect(end.unsequencedCount == 8)
    let known: [Int64] = [2, 3, 4, 6, 9, 10, 11, 12]
    for seq in 0...14 as ClosedRange<Int64> {
      #expect(end.isUnsequenced(seq) == known.contains(seq), "\(seq)")
    }
  }

  @Test func `may have none`() {
    #expect(LogEnd(position: 9).unsequencedCount == 0)
    #expect(!LogEnd(position: 9).isUnsequenced(9))
  }
}
