import NIOCore
import NIOEmbedded
import Wire

@testable import Transport

/// One thread with a time of its own: an event loop that runs when it is told to, the clock that it
/// sets, and the executor whose tasks it runs. What is built on it does the same thing every time.
///
/// `@unchecked Sendable`: everything on it is used by the one thread that made it.
final class EmbeddedLoop: @unchecked Sendable {
  let loop = EmbeddedEventLoop()
  let executor: LoopExecutor
  private let origin = Moment.now

  init() { executor = LoopExecutor(loop) }

  var now: Moment { origin + .nanoseconds(Int64(loop.now.uptimeNanoseconds)) }

  /// Runs what is due now.
  func run() { loop.run() }

  func advance(by duration: Duration) { loop.advanceTime(by: TimeAmount(duration)) }

  /// Starts a task that never leaves the loop's thread, as long as all that it waits for is on it.
  @discardableResult
  func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    Task.immediate(executorPreference: executor) { await body() }
  }

  /// Waits, also beyond the cancellation of the task.
  func sleep(_ duration: Duration) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      loop.scheduleTask(in: TimeAmount(duration)) { continuation.resume() }
    }
  }

  /// Waits until the task is cancelled.
  func waitForCancellation() async {
    let waiter = CancellationWaiter()
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter.wait($0) }
    } onCancel: {
      loop.execute { waiter.cancel() }
    }
  }
}

/// `@unchecked Sendable`: used on one loop only.
private final class CancellationWaiter: @unchecked Sendable {
  private var continuation: CheckedContinuation<Void, Never>?
  private var isCancelled = false

  func wait(_ continuation: CheckedContinuation<Void, Never>) {
    if isCancelled || Task.isCancelled { return continuation.resume() }
    self.continuation = continuation
  }

  func cancel() {
    isCancelled = true
    continuation?.resume()
    continuation = nil
  }
}
