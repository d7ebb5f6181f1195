import SeededRandom
import Testing
import Wire

@Suite struct OutputGateTests {
  @Test func `output of one tick is flushed once, and output of a flush once more`() {
    var gate = OutputGate()
    #expect(gate.outputMade() == true)
    #expect(gate.outputMade() == false)
    gate.flushBegan()
    #expect(gate.outputMade() == true)
    #expect(gate.outputMade() == false)
  }

  @Test func `a peer that does not read is not read from`() {
    var gate = OutputGate()
    #expect(gate.readRequested() == true)
    #expect(gate.writabilityChanged(to: false) == .nothing)
    #expect(!gate.isWritable)
    #expect(gate.readRequested() == false)
    #expect(gate.writabilityChanged(to: true) == .resume(isReadDue: true))
    #expect(gate.writabilityChanged(to: true) == .resume(isReadDue: false))
    #expect(gate.readRequested() == true)
  }

  /// However a socket behaves: output that was made has a flush arranged, and a read that was put off
  /// is made up for.
  @Test func `random sockets forget no flush and no read`() {
    for seed in 0..<500 {
      var random = SeededGenerator(state: UInt64(seed))
      var gate = OutputGate()
      var (isFlushArranged, hasOutput, isReadOwed) = (false, false, false)
      for _ in 0..<100 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          hasOutput = true
          if gate.outputMade() {
            #expect(!isFlushArranged)
            isFlushArranged = true
          }
        case 1 where isFlushArranged:
          isFlushArranged = false
          gate.flushBegan()
          hasOutput = false
        case 2:
          if case .resume(let isReadDue) = gate.writabilityChanged(to: .random(using: &random)) {
            #expect(isReadDue == isReadOwed)
            isReadOwed = false
          }
        default: if !gate.readRequested() { isReadOwed = true }
        }
        #expect(isFlushArranged == hasOutput)
        if gate.isWritable { #expect(!isReadOwed) }
      }
    }
  }
}
