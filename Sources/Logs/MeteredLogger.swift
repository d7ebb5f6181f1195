package import Logging
internal import Synchronization

/// Writes lines that others could cause without end: of each kind as many as its meter allows. A line
/// says how many of its kind were dropped before it.
package final class MeteredLogger: Sendable {
  package let logger: Logger
  private let meters: Mutex<LogMeters>
  private let now: @Sendable () -> ContinuousClock.Instant

  package init(
    _ logger: Logger, _ meters: LogMeters = LogMeters(),
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.logger = logger
    self.meters = Mutex(meters)
    self.now = now
  }

  package func write(
    _ level: Logger.Level, _ message: @autoclosure () -> Logger.Message, kind: String,
    metadata: @autoclosure () -> Logger.Metadata = [:]
  ) {
    guard level >= logger.logLevel else { return }
    guard let droppedCount = meters.withLock({ $0.admit(kind, now: now()) }) else { return }
    var metadata = metadata()
    if droppedCount > 0 { metadata["dropped"] = "\(droppedCount)" }
    logger.log(level: level, message(), metadata: metadata)
  }
}

/// Says that something does not work when that begins, and that it works again when it ends; what fails
/// in between is for those who debug.
package final class OutageLog: Sendable {
  private enum State {
    case well
    /// Since when, and whether a line has said so.
    case out(since: ContinuousClock.Instant, isSaid: Bool)
  }

  private let logger: Logger
  private let subject: String
  private let level: Logger.Level
  private let state = Mutex(State.well)
  private let meter: Mutex<LogMeter>
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameters:
  ///   - subject: what does not work, for example `the relay of events`.
  ///   - meter: for something that fails and works in turn.
  package init(
    _ logger: Logger, _ subject: String, level: Logger.Level = .warning,
    meter: LogMeter = LogMeter(burst: 5, interval: .seconds(60)),
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.logger = logger
    self.subject = subject
    self.level = level
    self.meter = Mutex(meter)
    self.now = now
  }

  package func failed(_ error: @autoclosure () -> String) {
    let now = now()
    let isFirst = state.withLock { state in
      guard case .well = state else { return false }
      state = .out(since: now, isSaid: false)
      return true
    }
    guard isFirst, let droppedCount = meter.withLock({ $0.admit(now: now) }) else {
      return logger.debug("\(subject) still does not work", metadata: ["error": "\(error())"])
    }
    var metadata: Logger.Metadata = ["error": "\(error())"]
    if droppedCount > 0 { metadata["dropped"] = "\(droppedCount)" }
    state.withLock { if case .out(let since, _) = $0 { $0 = .out(since: since, isSaid: true) } }
    logger.log(level: level, "\(subject) does not work; trying again", metadata: metadata)
  }

  package func worked() {
    let before = state.withLock { state in
      defer { state = .well }
      return state
    }
    guard case .out(let since, let isSaid) = before else { return }
    logger.log(
      level: isSaid ? .notice : .debug, "\(subject) works again",
      metadata: ["after": "\(since.duration(to: now()))"])
  }
}
