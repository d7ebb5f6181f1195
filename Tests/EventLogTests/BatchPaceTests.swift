import Testing

@testable import EventLog

@Suite struct `The pace of batches` {
  private let start = ContinuousClock.now

  private func time(_ milliseconds: Int) -> ContinuousClock.Instant {
    start.advanced(by: .milliseconds(milliseconds))
  }

  @Test func `lets few follow at once, and then one in each interval`() {
    var pace = BatchPace(interval: .milliseconds(5), burst: 3)
    #expect((0..<3).map { _ in pace.worked(now: time(0)) } == [.zero, .zero, .zero])
    #expect(pace.worked(now: time(0)) == .milliseconds(5))
    #expect(pace.worked(now: time(5)) == .milliseconds(5))
    #expect(pace.worked(now: time(11)) == .milliseconds(4))
  }

  @Test func `forgets the past after a quiet time`() {
    var pace = BatchPace(interval: .milliseconds(5), burst: 2)
    for _ in 0..<10 { _ = pace.worked(now: time(0)) }
    #expect(pace.worked(now: time(1000)) == .zero)
    #expect(pace.worked(now: time(1006)) == .zero)
    #expect(pace.worked(now: time(1007)) == .zero)
    #expect(pace.worked(now: time(1007)) == .milliseconds(4))
  }

  @Test func `under a load without end is one batch an interval`() {
    var pace = BatchPace(interval: .milliseconds(5), burst: 3)
    var now = 0
    var count = 0
    while now < 1000 {
      let pause = pace.worked(now: time(now))
      now += 1 + Int(pause.components.attoseconds / 1_000_000_000_000_000)
      count += 1
    }
    #expect((200...204).contains(count))
  }
}
