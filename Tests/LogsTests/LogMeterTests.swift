import Logging
import Logs
import Synchronization
import Testing

struct LogMeterTests {
  private let start = ContinuousClock.now

  @Test func `twenty lines at once, then one a second`() {
    var meter = LogMeter()
    let atOnce = (0..<1000).compactMap { _ in meter.admit(now: start) }
    #expect(atOnce == Array(repeating: 0, count: 20))
    var later: [Int] = []
    for millisecond in stride(from: 0, to: 10_000, by: 100) {
      if let dropped = meter.admit(now: start + .milliseconds(millisecond)) {
        later.append(dropped)
      }
    }
    // The first says what the storm has dropped: 980, and what came before it was due.
    #expect(later == [990] + Array(repeating: 9, count: 8))
  }

  @Test func `after a quiet time everything is as at first`() {
    var meter = LogMeter()
    for _ in 0..<50 { _ = meter.admit(now: start) }
    let later = start + .seconds(3600)
    #expect(meter.isFull(now: later))
    #expect(
      (0..<50).compactMap { _ in meter.admit(now: later) } == [30] + Array(repeating: 0, count: 19))
  }

  @Test func `kinds do not count for each other, and are bounded`() {
    var meters = LogMeters(LogMeter(burst: 1, interval: .seconds(60)), kindCountMax: 3)
    #expect(["a", "b", "a", "c"].map { meters.admit($0, now: start) } == [0, 0, nil, 0])
    // Those without room share one.
    #expect((0..<1000).compactMap { meters.admit("peer \($0)", now: start) } == [0])
    // What was dropped is not forgotten with the kind.
    let later = start + .seconds(61)
    #expect(meters.admit("d", now: later) == 0)
    #expect((0..<3).map { meters.admit("peer \($0)", now: later) } == [0, 0, 1000])
  }
}

struct MeteredLoggerTests {
  private let lines = Lines()

  private func logger(_ level: Logger.Level = .info) -> Logger {
    var logger = Logger(label: "test") { _ in KeepingLog(lines: lines) }
    logger.logLevel = level
    return logger
  }

  @Test func `a line says how many were dropped before it`() {
    let clock = Clock()
    let metered = MeteredLogger(logger(), now: clock.now)
    for _ in 0..<30 { metered.write(.error, "failed", kind: "a") }
    metered.write(.debug, "not shown, not counted", kind: "b")
    clock.advance(by: .seconds(2))
    metered.write(.error, "failed", kind: "a")
    #expect(lines.all == Array(repeating: "error failed", count: 20) + ["error failed dropped=10"])
  }

  @Test func `an outage is one line when it begins and one when it ends`() {
    let clock = Clock()
    let outage = OutageLog(logger(), "the relay", now: clock.now)
    outage.worked()
    for _ in 0..<100 { outage.failed("refused") }
    clock.advance(by: .seconds(3))
    outage.worked()
    outage.worked()
    #expect(
      lines.all == [
        "warning the relay does not work; trying again error=refused",
        "notice the relay works again after=3.0 seconds",
      ])
  }

  @Test func `what fails and works in turn is bounded too`() {
    let clock = Clock()
    let outage = OutageLog(logger(), "the relay", now: clock.now)
    for _ in 0..<600 {
      outage.failed("refused")
      outage.worked()
      clock.advance(by: .seconds(1))
    }
    #expect(lines.all.count == 28)
    #expect(lines.all.count { $0.contains("dropped=59") } == 8)
  }
}

/// A clock that a test moves.
private final class Clock: Sendable {
  private let time = Mutex(ContinuousClock.now)
  var now: @Sendable () -> ContinuousClock.Instant { { self.time.withLock { $0 } } }
  func advance(by duration: Duration) { time.withLock { $0 += duration } }
}

private final class Lines: Sendable {
  private let kept = Mutex<[String]>([])
  var all: [String] { kept.withLock { $0 } }
  func add(_ line: String) { kept.withLock { $0.append(line) } }
}

private struct KeepingLog: LogHandler {
  let lines: Lines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
    lines.add("\(event.level) \(event.message)\(values.joined())")
  }
}
