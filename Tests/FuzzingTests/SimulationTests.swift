import Fuzzing
import Testing

@Suite(.serialized) struct `The simulation of clients, network and servers` {
  /// Ten thousand are for `make soak`.
  @Test(arguments: stride(from: 1, through: 50, by: 10).map { UInt64($0) })
  func `keeps every promise under faults`(first: UInt64) {
    var (callCount, faultCount) = (0, 0)
    for seed in first..<first + 10 {
      let report = Simulation.run(seed: seed)
      callCount += report.callCount
      faultCount += report.killCount + report.drainCount + report.cutCount
    }
    // Or nothing was tried.
    #expect(callCount > 100)
    #expect(faultCount > 0)
  }
}
