import Glibc
import Synchronization

/// A thread that runs blocking jobs one after the other, so that neither the poll thread nor
/// Swift's cooperative threads ever block.
final class BlockingThread: Sendable {
  typealias Job = @Sendable () -> Void

  private struct State {
    var jobs: [Job] = []
    var isStopped = false
  }

  private let state = Mutex(State())
  private let wake: Semaphore

  init() {
    wake = Semaphore()
    // Out of threads: every job is refused, as after `stop`.
    if !startThread({ [self] in loop() }) { state.withLock { $0.isStopped = true } }
  }

  /// Queues `job`; false after `stop`.
  @discardableResult
  func run(_ job: @escaping Job) -> Bool {
    let isAccepted = state.withLock { state in
      if state.isStopped { return false }
      state.jobs.append(job)
      return true
    }
    if isAccepted { wake.signal() }
    return isAccepted
  }

  /// Runs `body` here and gives what it returns; nil after `stop`.
  func value<T: Sendable>(of body: @escaping @Sendable () -> T) async -> T? {
    await withCheckedContinuation { continuation in
      if !run({ continuation.resume(returning: body()) }) { continuation.resume(returning: nil) }
    }
  }

  /// Ends the thread once the jobs queued so far have run.
  func stop() {
    state.withLock { $0.isStopped = true }
    wake.signal()
  }

  private func loop() {
    while true {
      wake.wait()
      let (jobs, isStopped) = state.withLock { state in
        defer { state.jobs = [] }
        return (state.jobs, state.isStopped)
      }
      for job in jobs { job() }
      if isStopped, state.withLock({ $0.jobs.isEmpty }) { return }
    }
  }
}

/// `@unchecked Sendable`: the semaphore lives at a fixed address from init to deinit, and POSIX
/// allows its operations from any thread.
final class Semaphore: @unchecked Sendable {
  private let pointer = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(pointer, 0, 0) }

  deinit {
    sem_destroy(pointer)
    pointer.deallocate()
  }

  func signal() { sem_post(pointer) }

  func wait() { while sem_wait(pointer) != 0, errno == EINTR {} }
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Starts a detached thread; signals stay with the threads that the process had before. False where
/// the system has no thread left.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  var all = sigset_t()
  var previous = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_BLOCK, &all, &previous)
  defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
  var thread = pthread_t()
  let context = Unmanaged.passRetained(ThreadBody(body))
  let status = pthread_create(
    &thread, nil,
    { context in
      guard let context else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body()
      return nil
    }, context.toOpaque())
  guard status == 0 else {
    context.release()
    return false
  }
  pthread_detach(thread)
  return true
}
