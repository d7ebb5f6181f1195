import Testing
import Wire

@Suite struct OutputStallTests {
  private let start = Moment.now

  @Test func `output that goes out is never due`() {
    var stall = OutputStall()
    stall.outputMoved(now: start)
    #expect(stall.due(after: .seconds(60)) == nil)
  }

  @Test func `counts from the first moment of waiting`() {
    var stall = OutputStall()
    stall.outputWaits(now: start)
    stall.outputWaits(now: start + .seconds(30))
    #expect(stall.due(after: .seconds(60)) == start + .seconds(60))
  }

  @Test func `counts anew from each part that goes out`() {
    var stall = OutputStall()
    stall.outputWaits(now: start)
    stall.outputMoved(now: start + .seconds(59))
    #expect(stall.due(after: .seconds(60)) == start + .seconds(119))
  }

  @Test func `ends with the wait`() {
    var stall = OutputStall()
    stall.outputWaits(now: start)
    stall.outputEnded()
    #expect(stall.due(after: .seconds(60)) == nil)
  }
}
