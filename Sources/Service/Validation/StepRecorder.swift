internal import Domain
internal import Synchronization

/// Holds the steps of a running validation until they are written: many steps are few commits. Whoever
/// brings more than can be held waits for what is written.
final class StepRecorder: Sendable {
  private static let heldByteCountMax = 1024 * 1024

  private struct State {
    var steps: [ValidationStep] = []
    var byteCount = 0
    var eventCount = 0
    var isClosed = false
  }

  private let view: LearnerView
  private let state = Mutex(State())
  private let bell = WakeSignal()
  private let room = WakeSignal()

  /// - Parameter view: what the log may hold of a step.
  init(_ view: LearnerView) { self.view = view }

  /// For one task at a time.
  func add(_ step: ValidationStep) async throws {
    guard let step = view.shown(step)?.bounded else { return }
    while state.withLock({ $0.byteCount > Self.heldByteCountMax && !$0.isClosed }) {
      try Task.checkCancellation()
      await room.wait()
    }
    state.withLock { state in
      // The report has what an endless stream of steps does not show.
      guard state.eventCount < ValidationLimits.eventsOfAttempt || step.isOfStage else { return }
      // Where the job waits inside the validator is worth telling as it is now, and not as it was.
      if case .queued = step, let last = state.steps.last, case .queued = last {
        state.byteCount -= last.byteCount
        state.steps.removeLast()
      }
      state.steps.append(step)
      state.byteCount += step.byteCount
    }
    bell.ring()
  }

  /// No more steps come; `flush` ends.
  func close() {
    state.withLock { $0.isClosed = true }
    bell.ring()
    room.ring()
  }

  /// What is left, as the steps of one event each.
  func rest() -> [[ValidationStep]] {
    var events: [[ValidationStep]] = []
    while let steps = take() { events.append(steps) }
    return events
  }

  /// Writes steps while more come, a while after the first of them.
  func flush(
    every interval: Duration, clock: any Clock<Duration>,
    write: ([ValidationStep]) async throws -> Void
  ) async throws {
    // Asked anew each time: the ring that said so may have ended the wait for more steps.
    while !state.withLock({ $0.isClosed }) {
      await bell.wait()
      try Task.checkCancellation()
      if state.withLock({ $0.isClosed }) { return }
      if !isFull { await bell.waitOut(interval, clock: clock) { self.isFullOrClosed } }
      while !state.withLock({ $0.isClosed }), let steps = take() {
        try await write(steps)
        room.ring()
      }
    }
  }

  private var isFull: Bool {
    state.withLock { state in
      state.steps.count >= ValidationLimits.stepsOfEvent
        || state.byteCount >= ValidationLimits.eventByteCount
    }
  }

  private var isFullOrClosed: Bool { isFull || state.withLock { $0.isClosed } }

  /// The steps of the next event; nil where there are none.
  private func take() -> [ValidationStep]? {
    state.withLock { state in
      guard !state.steps.isEmpty else { return nil }
      var count = 0
      var byteCount = 0
      for step in state.steps.prefix(ValidationLimits.stepsOfEvent) {
        if count > 0, byteCount + step.byteCount > ValidationLimits.eventByteCount { break }
        count += 1
        byteCount += step.byteCount
      }
      let taken = Array(state.steps.prefix(count))
      state.steps.removeFirst(count)
      state.byteCount -= byteCount
      state.eventCount += 1
      return taken
    }
  }
}

extension ValidationStep {
  fileprivate var isOfStage: Bool {
    switch self {
    case .stageStarted, .stageFinished: true
    case .queued, .diagnostic, .test, .run: false
    }
  }
}

extension WakeSignal {
  /// Returns after `duration`, or when `isOver` holds at a ring before that.
  fileprivate func waitOut(
    _ duration: Duration, clock: any Clock<Duration>, until isOver: @escaping @Sendable () -> Bool
  ) async {
    await race(upTo: duration, clock: clock) {
      while !isOver(), !Task.isCancelled { await self.wait() }
    }
  }
}
