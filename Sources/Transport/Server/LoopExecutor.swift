internal import NIOCore
internal import Synchronization

/// A connection that has output to flush at the end of the tick.
protocol TickFlushable: AnyObject {
  func flushOutput()
}

/// Runs handler tasks on an event loop, and flushes every connection once per tick.
///
/// `@unchecked Sendable`: everything but `foreign` (a mutex) is touched on the event loop only;
/// `enqueue` is the one entry from other threads and goes through `foreign`.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  private struct Foreign {
    var jobs: [UnownedJob] = []
    var isScheduled = false
  }

  /// So many jobs at once, then the sockets get their turn.
  private static let jobCountMax = 1024
  /// A stream whose client reads as fast as it writes must not keep the loop for itself.
  private static let flushRoundCountMax = 8

  let loop: any EventLoop
  let scratch = LoopScratch()
  let statistics = LoopStatistics()
  private var jobs: [UnownedJob] = []
  private var jobHead = 0
  private var dirty: [any TickFlushable] = []
  private var isScheduled = false
  private var isRunning = false
  private var isReading = false
  private let foreign = Mutex(Foreign())

  init(_ loop: any EventLoop) {
    self.loop = loop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    guard !loop.inEventLoop else {
      jobs.append(unowned)
      schedule()
      return
    }
    let mustSchedule = foreign.withLock { foreign in
      foreign.jobs.append(unowned)
      defer { foreign.isScheduled = true }
      return !foreign.isScheduled
    }
    if mustSchedule { loop.execute { self.tick() } }
  }

  /// Has `connection` flushed at the end of this tick. On the loop; once per flush.
  func markDirty(_ connection: any TickFlushable) {
    dirty.append(connection)
    schedule()
  }

  /// A connection began to read: its `channelReadComplete`, or its end, will call `tick`.
  func readBegan() {
    isReading = true
  }

  /// Runs what is runnable, then flushes. On the loop.
  func tick() {
    isReading = false
    guard !isRunning else { return }
    isRunning = true
    takeForeign()
    runJobs()
    var roundsLeft = Self.flushRoundCountMax
    while !dirty.isEmpty, roundsLeft > 0 {
      roundsLeft -= 1
      let connections = dirty
      dirty.removeAll(keepingCapacity: true)
      for connection in connections { connection.flushOutput() }
      // A flush wakes writers that waited for room.
      runJobs()
      if jobHead < jobs.count { break }
    }
    isRunning = false
    if jobHead < jobs.count || !dirty.isEmpty { schedule() }
  }

  private func takeForeign() {
    foreign.withLock { foreign in
      foreign.isScheduled = false
      guard !foreign.jobs.isEmpty else { return }
      jobs.append(contentsOf: foreign.jobs)
      foreign.jobs.removeAll(keepingCapacity: true)
    }
  }

  private func runJobs() {
    guard jobHead < jobs.count else { return }
    let executor = asUnownedTaskExecutor()
    var left = Self.jobCountMax
    while jobHead < jobs.count, left > 0 {
      let job = jobs[jobHead]
      jobHead += 1
      left -= 1
      job.runSynchronously(on: executor)
    }
    if jobHead == jobs.count {
      jobs.removeAll(keepingCapacity: jobs.count <= 4096)
      jobHead = 0
    } else if jobHead > 4096, jobHead > jobs.count / 2 {
      // A queue that is never empty must not keep what has run.
      jobs.removeFirst(jobHead)
      jobHead = 0
    }
  }

  /// The safety net for work that begins outside a read: a tick of its own.
  private func schedule() {
    guard !isScheduled, !isRunning, !isReading else { return }
    isScheduled = true
    loop.execute {
      self.isScheduled = false
      self.tick()
    }
  }
}
