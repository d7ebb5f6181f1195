import Domain

/// What becomes of one job, decided from what is seen of it. Pure: time is an argument.
///
///   preparing ── began ──▶ running ── its command ended ──▶ ended
///       │                     │
///       └──── ending: a limit, a fault, a cancellation ────▶ ended, once all its processes are dead
///
/// The first reason to end a job stays the reason, whatever comes after it.
struct RunMachine: Sendable {
  enum Stream: Int, Sendable, Hashable, CaseIterable {
    case output, errors, report
  }

  /// Why the job is ended from outside.
  enum Ending: Sendable, Hashable {
    case limit(SandboxLimit)
    case stalled(wasReady: Bool)
    case cancelled
    case failed(String)
  }

  /// What the command itself came to.
  enum End: Sendable, Hashable {
    case refused(errorNumber: Int)
    case exited(code: Int)
    case signalled(Int)
  }

  /// How long it may take from the launch until the command runs.
  static let preparationMax = Duration.seconds(20)
  /// A job that has used less than this part of the wall time was not busy.
  private static let busyPart = 0.5
  /// What the set-up of the sandbox may have used of the processor, at the most: more is the command's.
  private static let preparationCPUMax = Duration.milliseconds(30)
  /// How many times its wall limit a job has that is ready to run and gets no processor.
  private static let overtimeMax = 3
  private static let overtimePause = Duration.milliseconds(50)
  /// A job in its overtime ends once it was not ready in so many more looks than it was.
  private static let idleLooksMax = 10
  private static let pauseMin = Duration.milliseconds(2)
  private static let pauseMax = Duration.milliseconds(100)
  private static let cpuLimitSignal = 24
  private static let fileLimitSignal = 25

  private let limits: SandboxLimits
  private let overflow: SandboxJob.Overflow
  private let launchedAt: ContinuousClock.Instant
  private var beganAt: ContinuousClock.Instant?
  private var endedAt: ContinuousClock.Instant?
  private var cpuBefore = Duration.zero
  private var cpuSeen = Duration.zero
  private var idleLooks = 0
  private var kept = [0, 0, 0]
  private var truncated: Set<Stream> = []
  private(set) var end: End?
  private(set) var ending: Ending?

  init(
    limits: SandboxLimits, overflow: SandboxJob.Overflow, launchedAt: ContinuousClock.Instant
  ) {
    self.limits = limits
    self.overflow = overflow
    self.launchedAt = launchedAt
  }

  /// The command is about to run; so far the processor was used for `cpuTime`.
  mutating func began(at now: ContinuousClock.Instant, cpuTime: Duration) {
    guard beganAt == nil else { return }
    beganAt = now
    cpuBefore = min(cpuTime, Self.preparationCPUMax)
  }

  /// A command that was started ahead has its job; it had used `cpuTime` before anything of the job was there.
  mutating func continued(at now: ContinuousClock.Instant, cpuTime: Duration) {
    guard beganAt == nil else { return }
    beganAt = now
    cpuBefore = cpuTime
  }

  mutating func ended(_ end: End, at now: ContinuousClock.Instant) {
    guard self.end == nil else { return }
    self.end = end
    endedAt = now
  }

  mutating func cancelled() { decide(.cancelled) }

  mutating func failed(_ text: String) { decide(.failed(text)) }

  /// So many more bytes came.
  ///
  /// - Returns: how many of them are kept.
  mutating func received(_ count: Int, on stream: Stream) -> Int {
    let maximum = stream == .report ? limits.reportByteCount : limits.outputByteCount
    let taken = min(count, maximum - kept[stream.rawValue])
    kept[stream.rawValue] += taken
    if taken < count {
      truncated.insert(stream)
      if overflow == .end || stream == .report { decide(.limit(.output)) }
    }
    return taken
  }

  /// What the job has used by now.
  ///
  /// - Parameter isReady: whether one of its threads runs, or waits for nothing but a processor. It is only
  ///   asked once the wall limit has passed.
  mutating func looked(
    _ usage: GroupUsage, isReady: () -> Bool, at now: ContinuousClock.Instant
  ) {
    cpuSeen = max(.zero, usage.cpuTime - cpuBefore)
    if usage.memoryKillCount > 0 { decide(.limit(.memory)) }
    guard end == nil else { return }
    guard let beganAt else {
      if now - launchedAt > Self.preparationMax {
        decide(.failed("the sandbox was not ready in time"))
      }
      return
    }
    if cpuSeen >= limits.cpuTime {
      decide(.limit(.cpuTime))
    } else if now - beganAt >= limits.wallTime {
      wallPassed(after: now - beganAt, isReady: isReady())
    }
  }

  /// A program that waits for something is ended. On a machine that is too busy to run it, nothing is known of
  /// the program yet: it continues for a while.
  private mutating func wallPassed(after wall: Duration, isReady: Bool) {
    if cpuSeen >= wall * Self.busyPart { return decide(.limit(.wallTime)) }
    idleLooks = isReady ? max(0, idleLooks - 1) : idleLooks + 1
    let isOver = idleLooks >= Self.idleLooksMax || wall >= limits.wallTime * Self.overtimeMax
    if isOver { decide(.stalled(wasReady: isReady)) }
  }

  private mutating func decide(_ ending: Ending) {
    if self.ending == nil { self.ending = ending }
  }

  /// For how long nothing can happen but what is told at once: until the next limit may be reached, if all
  /// processors work for the job.
  func pause(at now: ContinuousClock.Instant, processorCount: Int) -> Duration {
    guard let beganAt else { return Self.pauseMax }
    let left = limits.wallTime - (now - beganAt)
    let wall = left > .zero ? left : Self.overtimePause
    let cpu = (limits.cpuTime - cpuSeen) / max(1, processorCount)
    return min(max(min(wall, cpu), Self.pauseMin), Self.pauseMax)
  }

  func isTruncated(_ stream: Stream) -> Bool { truncated.contains(stream) }

  func cpuTime(_ usage: GroupUsage) -> Duration { max(.zero, usage.cpuTime - cpuBefore) }

  func wallTime(at now: ContinuousClock.Instant) -> Duration {
    beganAt.map { (endedAt ?? now) - $0 } ?? .zero
  }

  /// How the job ended, once all its processes are dead.
  ///
  /// - Parameters:
  ///   - usage: what it has used in all.
  ///   - trace: what bubblewrap said where the command never ran.
  func outcome(_ usage: GroupUsage, trace: String) throws(SandboxError) -> SandboxOutcome {
    // Memory first: what else went wrong then is a consequence of it.
    if usage.memoryKillCount > 0, ending != .cancelled { return .limitReached(.memory) }
    switch ending {
    case .cancelled: throw .cancelled
    case .failed(let text): throw .failed(text)
    case .limit(let limit): return .limitReached(limit)
    case .stalled(let wasReady): return .stalled(wasReady: wasReady)
    case nil: break
    }
    switch end {
    case nil: throw .failed("the sandbox ended before its command: \(trace)")
    case .refused(let errorNumber): return .notStarted(errorNumber: errorNumber)
    case .signalled(Self.cpuLimitSignal): return .limitReached(.cpuTime)
    case .signalled(Self.fileLimitSignal): return .limitReached(.fileSize)
    // Between the last look and its end.
    case _ where cpuTime(usage) > limits.cpuTime: return .limitReached(.cpuTime)
    case .exited(let code): return .exited(code: code)
    case .signalled(let signal): return .signalled(signal)
    }
  }
}
