import Testing
import Wire

@Suite struct MomentTests {
  @Test func `counts as the continuous clock does`() {
    let (before, instant, after) = (Moment.now, ContinuousClock.now, Moment.now)
    #expect(before <= after)
    // Both say the same of the same point, but for the time between the two looks at their clocks.
    #expect((Moment(instant) - before) / .seconds(1) > -0.1)
    #expect((after - Moment(instant)) / .seconds(1) > -0.1)
    #expect(Moment(before.instant) == before)
    let later = before + .milliseconds(1500)
    #expect(before.instant.duration(to: later.instant) == .milliseconds(1500))
  }

  @Test func `goes forth and back by durations`() {
    var moment = Moment(nanoseconds: 5_000_000_000)
    moment += .microseconds(3)
    #expect(moment == Moment(nanoseconds: 5_000_003_000))
    #expect(moment - .seconds(5) == Moment(nanoseconds: 3_000))
    #expect(moment - Moment(nanoseconds: 0) == .nanoseconds(5_000_003_000))
    #expect(Moment(nanoseconds: 0).duration(to: Moment(nanoseconds: -7)) == .nanoseconds(-7))
    #expect(Moment(nanoseconds: 1) < Moment(nanoseconds: 2))
  }

  @Test(arguments: [
    Duration.seconds(Int64.max), .seconds(9_223_372_036), .seconds(300 * 31_557_600),
  ])
  func `ends at the ends of time`(_ age: Duration) {
    #expect(Moment(nanoseconds: .max - 5) + age == Moment(nanoseconds: .max))
    #expect(Moment(nanoseconds: .min + 5) - age == Moment(nanoseconds: .min))
  }
}
