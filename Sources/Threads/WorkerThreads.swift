import Synchronization

/// Threads of their own for work that blocks or computes for long, so that neither an event loop nor
/// Swift's cooperative threads ever wait for it. Each thread has memory of its own, which its jobs
/// use one after the other.
///
/// Jobs start in the order in which they came. The threads end when `stop` was called, or this is
/// released, and the jobs that were accepted have run.
package final class WorkerThreads<Memory>: Sendable {
  package typealias Job = @Sendable (Memory) -> Void

  private let queue: JobQueue<Memory>
  /// How many threads there are: fewer than wanted where the system has none left, which is slower
  /// and no more; with none at all every job is refused.
  package let count: Int

  /// - Parameters:
  ///   - waitingMax: how many jobs may wait for a thread.
  ///   - makeMemory: called once on each thread, before its first job.
  package init(
    count: Int, waitingMax: Int, makeMemory: @escaping @Sendable () -> Memory
  ) {
    let queue = JobQueue<Memory>(waitingMax: waitingMax)
    var started = 0
    while started < count, startThread({ queue.work(with: makeMemory()) }) { started += 1 }
    self.queue = queue
    self.count = started
    if started == 0 { stop() }
  }

  deinit { stop() }

  /// Queues `job`; false after `stop`, and where too many wait.
  package func run(_ job: @escaping Job) -> Bool {
    queue.add(job)
  }

  /// Ends the threads once the jobs queued so far have run.
  package func stop() {
    queue.close(threadCount: count)
  }
}

extension WorkerThreads<Void> {
  package convenience init(count: Int, waitingMax: Int) {
    self.init(count: count, waitingMax: waitingMax) {}
  }

  /// Runs `body` on a thread and answers with what it returns; nil where the job is refused.
  package func value<Value: Sendable>(
    of body: @escaping @Sendable () -> Value
  ) async -> Value? {
    await withCheckedContinuation { continuation in
      let isAccepted = run { _ in continuation.resume(returning: body()) }
      if !isAccepted { continuation.resume(returning: nil) }
    }
  }
}

/// What waits. The threads share it and not their owner, whose end would otherwise never come.
private final class JobQueue<Memory>: Sendable {
  typealias Job = WorkerThreads<Memory>.Job

  private struct State {
    var waiting: [Job] = []
    var next = 0
    var isClosed = false

    mutating func take() -> Job? {
      guard next < waiting.count else { return nil }
      defer {
        next += 1
        // Taken ones are let go in steps, so that taking stays cheap.
        if next * 2 > waiting.count {
          waiting.removeFirst(next)
          next = 0
        }
      }
      return waiting[next]
    }
  }

  private let state = Mutex(State())
  private let available = Semaphore()
  private let waitingMax: Int

  init(waitingMax: Int) {
    self.waitingMax = waitingMax
  }

  func add(_ job: @escaping Job) -> Bool {
    let isAccepted = state.withLock { state in
      guard !state.isClosed, state.waiting.count - state.next < waitingMax else { return false }
      state.waiting.append(job)
      return true
    }
    if isAccepted { available.signal() }
    return isAccepted
  }

  func close(threadCount: Int) {
    let wasOpen = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard wasOpen else { return }
    for _ in 0..<threadCount { available.signal() }
  }

  /// Runs jobs until the queue is closed and empty.
  func work(with memory: Memory) {
    while true {
      available.wait()
      let (job, isClosed) = state.withLock { ($0.take(), $0.isClosed) }
      if let job { job(memory) } else if isClosed { return }
    }
  }
}
