import Dispatch
import Foundation
import Synchronization

/// A few threads of their own for calls that block, so that the cooperative pool never does.
///
/// Jobs start in the order in which they came; at most `waitingMax` wait. The threads end when the
/// pool is released and its jobs are done.
final class BlockingPool: Sendable {
  private final class Queue: Sendable {
    let jobs = Mutex<Deque>(Deque())
    let available = DispatchSemaphore(value: 0)

    struct Deque {
      var waiting: [@Sendable () -> Void] = []
      var next = 0
      var isClosed = false

      var count: Int { waiting.count - next }

      mutating func take() -> (@Sendable () -> Void)? {
        guard next < waiting.count else { return nil }
        let job = waiting[next]
        next += 1
        if next == waiting.count {
          waiting.removeAll(keepingCapacity: true)
          next = 0
        }
        return job
      }
    }

    /// Runs jobs until the queue is closed and empty.
    func work() {
      while true {
        available.wait()
        let (job, isClosed) = jobs.withLock { ($0.take(), $0.isClosed) }
        if let job { job() } else if isClosed { return }
      }
    }
  }

  private let queue = Queue()
  private let threadCount: Int
  private let waitingMax: Int

  init(name: String, threadCount: Int, waitingMax: Int) {
    self.threadCount = threadCount
    self.waitingMax = waitingMax
    for _ in 0..<threadCount {
      let thread = Thread { [queue] in queue.work() }
      thread.name = name
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  deinit {
    queue.jobs.withLock { $0.isClosed = true }
    for _ in 0..<threadCount { queue.available.signal() }
  }

  /// Runs `body` on a thread of the pool.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(LakeError) -> Value
  ) async throws(LakeError) -> Value {
    let result: Result<Value, LakeError> = await withCheckedContinuation { continuation in
      let isAccepted = queue.jobs.withLock { jobs in
        guard jobs.count < waitingMax else { return false }
        jobs.waiting.append {
          do throws(LakeError) {
            continuation.resume(returning: .success(try body()))
          } catch {
            continuation.resume(returning: .failure(error))
          }
        }
        return true
      }
      if isAccepted {
        queue.available.signal()
      } else {
        continuation.resume(returning: .failure(.overloaded))
      }
    }
    return try result.get()
  }
}
