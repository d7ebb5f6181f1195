import Domain
import Testing

@Suite struct `The meter of callers` {
  private static let start = ContinuousClock.now
  private let limits = CallerLimits(callsPerSecond: 10, burst: 3, streamMax: 2)

  @Test func `lets a burst through, then the rate, and says when the next call may begin`() {
    var meter = CallerMeterMachine<String>()
    for _ in 0..<3 {
      #expect(meter.began("ada", limits, isStream: false, at: Self.start) == nil)
    }
    #expect(
      meter.began("ada", limits, isStream: false, at: Self.start)
        == .rate(retryAfter: .milliseconds(100)))
    #expect(meter.began("bea", limits, isStream: false, at: Self.start) == nil)
    let later = Self.start + .milliseconds(100)
    #expect(meter.began("ada", limits, isStream: false, at: later) == nil)
    #expect(meter.began("ada", limits, isStream: false, at: later) != nil)
  }

  @Test func `never lets more than a burst gather`() {
    var meter = CallerMeterMachine<String>()
    let later = Self.start + .seconds(3600)
    _ = meter.began("ada", limits, isStream: false, at: Self.start)
    let begun = (0..<10).count { _ in
      meter.began("ada", limits, isStream: false, at: later) == nil
    }
    #expect(begun == 3)
  }

  @Test func `holds to a limit that was changed meanwhile`() {
    var meter = CallerMeterMachine<String>()
    #expect(meter.began("ada", limits, isStream: false, at: Self.start) == nil)
    let narrow = CallerLimits(callsPerSecond: 1, burst: 1, streamMax: 0)
    #expect(meter.began("ada", narrow, isStream: false, at: Self.start) == nil)
    #expect(
      meter.began("ada", narrow, isStream: false, at: Self.start)
        == .rate(retryAfter: .seconds(1)))
    #expect(meter.began("ada", narrow, isStream: true, at: Self.start) == .streams(openCount: 0))
  }

  @Test func `counts the streams that are open`() {
    var meter = CallerMeterMachine<String>()
    #expect(meter.began("ada", limits, isStream: true, at: Self.start) == nil)
    #expect(meter.began("ada", limits, isStream: true, at: Self.start) == nil)
    let later = Self.start + .seconds(10)
    #expect(meter.began("ada", limits, isStream: true, at: later) == .streams(openCount: 2))
    #expect(meter.began("ada", limits, isStream: false, at: later) == nil)
    meter.streamEnded("ada")
    #expect(meter.began("ada", limits, isStream: true, at: later) == nil)
    #expect(meter.streamCount(of: "ada") == 2)
  }

  @Test func `knows so many callers at most, and forgets those that rest`() {
    var meter = CallerMeterMachine<String>(callerCountMax: 2)
    #expect(meter.began("ada", limits, isStream: true, at: Self.start) == nil)
    #expect(meter.began("bea", limits, isStream: false, at: Self.start) == nil)
    #expect(
      meter.began("cleo", limits, isStream: false, at: Self.start) == .tooManyCallers)
    let later = Self.start + .seconds(5)
    #expect(meter.began("cleo", limits, isStream: false, at: later) == nil)
    #expect(meter.streamCount(of: "ada") == 1)
    #expect(meter.callerCount == 2)
  }

  @Test func `keeps no account of a caller without limits`() {
    var meter = CallerMeterMachine<String>()
    #expect(meter.began("ada", CallerLimits(), isStream: false, at: Self.start) == nil)
    #expect(meter.callerCount == 0)
  }
}
