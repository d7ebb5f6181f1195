import Domain
import Synchronization

/// Which commands are worth starting ahead: those that the last jobs began with. All slots share them, so that
/// a job finds its command waiting wherever it gets a place.
final class AheadStarts: Sendable {
  private static let seenOnceCountMax = 16

  private let limitsMax: SandboxLimits
  /// How many commands each slot keeps waiting.
  let count: Int
  private let recent = Mutex(Recent())

  private struct Recent {
    var starts: [SandboxJob] = []
    /// When each was used last, in jobs.
    var uses: [Int] = []
    var jobCount = 0
    var seenOnce: [SandboxJob] = []

    /// In the place of the one that was not used for the longest time, where there are `count`.
    mutating func adopt(_ start: SandboxJob, _ count: Int) {
      jobCount += 1
      if starts.count < count {
        starts.append(start)
        uses.append(jobCount)
      } else if let oldest = uses.indices.min(by: { uses[$0] < uses[$1] }) {
        starts[oldest] = start
        uses[oldest] = jobCount
      }
    }
  }

  /// - Parameter limitsMax: of any job: what is counted outside of its processes is bounded when it comes.
  init(count: Int, limitsMax: SandboxLimits) {
    self.count = count
    self.limitsMax = limitsMax
  }

  /// What of a job must be known when its command is started; nil where it must not be started ahead.
  ///
  /// The limits that the kernel holds each process to are part of it, and so are the sizes of its file
  /// systems. Those of control groups, of time and of what is read from it are set when the job comes.
  func start(of job: SandboxJob) -> SandboxJob? {
    guard job.startsAhead, job.folder == nil, count > 0 else { return nil }
    var start = job
    (start.files, start.input, start.collects, start.overflow) = ([], [], [], .end)
    start.limits.cpuTime = limitsMax.cpuTime
    start.limits.wallTime = limitsMax.wallTime
    start.limits.memoryByteCount = limitsMax.memoryByteCount
    start.limits.outputByteCount = limitsMax.outputByteCount
    start.limits.reportByteCount = limitsMax.reportByteCount
    start.limits.collectedByteCount = limitsMax.collectedByteCount
    return start
  }

  /// A job begins with it. What begins one job only is not started ahead: whoever sends jobs with limits that
  /// nobody else has would have all slots start, and throw away, what no job comes for.
  ///
  /// - Returns: whether it is worth starting ahead from now on, and was not before.
  func note(_ start: SandboxJob) -> Bool {
    recent.withLock { recent in
      if let known = recent.starts.firstIndex(of: start) {
        recent.jobCount += 1
        recent.uses[known] = recent.jobCount
        return false
      }
      guard let seen = recent.seenOnce.firstIndex(of: start) else {
        recent.seenOnce.append(start)
        if recent.seenOnce.count > Self.seenOnceCountMax { recent.seenOnce.removeFirst() }
        return false
      }
      recent.seenOnce.remove(at: seen)
      recent.adopt(start, count)
      return true
    }
  }

  /// Has it started ahead from now on.
  func adopt(_ start: SandboxJob) {
    recent.withLock { recent in
      if !recent.starts.contains(start) { recent.adopt(start, count) }
    }
  }

  /// What each slot keeps waiting: `count` commands, some of them twice where there are fewer. The order changes
  /// only when a command takes the place of another.
  var wanted: [SandboxJob] {
    recent.withLock { recent in
      recent.starts.isEmpty ? [] : (0..<count).map { recent.starts[$0 % recent.starts.count] }
    }
  }
}
