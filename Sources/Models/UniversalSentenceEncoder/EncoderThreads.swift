import Dispatch
import Glibc
import Synchronization

/// The threads that compute vectors, each with memory of its own: a pass takes milliseconds, too
/// long for the cooperative pool.
///
/// Jobs start in the order in which they came; at most `waitingMax` wait. The threads end when this
/// is released and all jobs are done.
final class EncoderThreads: Sendable {
  typealias Job = @Sendable (EncoderPass) -> Void

  private static let stackByteCount = 1 << 20

  private let queue = JobQueue()
  private let threadCount: Int
  private let waitingMax: Int

  init(
    count: Int, waitingMax: Int, makePass: @escaping @Sendable () -> EncoderPass
  ) throws(ModelFileError) {
    self.waitingMax = waitingMax
    var started = 0
    while started < count {
      guard Self.start({ [queue] in queue.work(with: makePass()) }) else { break }
      started += 1
    }
    threadCount = started
    // Fewer than wanted are slower, and that is all.
    guard started > 0 else { throw .noThread }
  }

  deinit {
    queue.jobs.withLock { $0.isClosed = true }
    for _ in 0..<threadCount { queue.available.signal() }
  }

  /// Queues `job`; false where too many wait.
  func run(_ job: @escaping Job) -> Bool {
    let isAccepted = queue.jobs.withLock { jobs in
      guard jobs.count < waitingMax else { return false }
      jobs.waiting.append(job)
      return true
    }
    if isAccepted { queue.available.signal() }
    return isAccepted
  }

  /// Starts a detached thread; signals stay with the threads that the process had before.
  private static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return false }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackByteCount)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ThreadBody(body))
    let status = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, context.toOpaque())
    if status != 0 { context.release() }
    return status == 0
  }
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// What waits. The threads share it and not the pool, whose end would otherwise never come.
private final class JobQueue: Sendable {
  struct Jobs {
    var waiting: [EncoderThreads.Job] = []
    var next = 0
    var isClosed = false

    var count: Int { waiting.count - next }

    mutating func take() -> EncoderThreads.Job? {
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

  let jobs = Mutex(Jobs())
  let available = DispatchSemaphore(value: 0)

  /// Runs jobs until the queue is closed and empty.
  func work(with pass: EncoderPass) {
    while true {
      available.wait()
      let (job, isClosed) = jobs.withLock { ($0.take(), $0.isClosed) }
      if let job { job(pass) } else if isClosed { return }
    }
  }
}
