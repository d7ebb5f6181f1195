import Glibc
import Synchronization
import Testing
import Threads

@Suite(.timeLimit(.minutes(1))) struct WorkerThreadsTests {
  @Test func `jobs of one thread run in order, with its memory`() async {
    final class Notes { var numbers: [Int] = [] }
    let threads = WorkerThreads(count: 1, waitingMax: 1000) { Notes() }
    for number in 0..<100 {
      #expect(threads.run { $0.numbers.append(number) })
    }
    let numbers = await withCheckedContinuation { continuation in
      #expect(threads.run { continuation.resume(returning: $0.numbers) })
    }
    #expect(numbers == Array(0..<100))
  }

  @Test func `jobs beyond the maximum are refused until one was taken`() async {
    let threads = WorkerThreads(count: 1, waitingMax: 2)
    let gate = Gate()
    await withCheckedContinuation { running in
      #expect(
        threads.run {
          running.resume()
          gate.wait()
        })
    }
    #expect(threads.run {})
    #expect(threads.run {})
    #expect(!threads.run {})
    gate.open()
    while !threads.run({}) { await Task.yield() }
  }

  @Test func `what was accepted before a stop still runs, and nothing after`() async {
    let threads = WorkerThreads(count: 2, waitingMax: 100)
    let counter = Counter()
    for _ in 0..<50 { #expect(threads.run { counter.add() }) }
    threads.stop()
    threads.stop()
    #expect(!threads.run {})
    while counter.value < 50 { await Task.yield() }
    #expect(await threads.value { 1 } == nil)
  }

  @Test func `threads end when nobody holds them, after their jobs`() async {
    final class Memory: Sendable {
      let onEnd: @Sendable () -> Void
      init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }
      deinit { onEnd() }
    }
    await withCheckedContinuation { ended in
      let threads = WorkerThreads(count: 1, waitingMax: 10) {
        Memory { ended.resume() }
      }
      #expect(threads.run { _ in })
    }
  }

  @Test func `a thread gets no signals`() async {
    let threads = WorkerThreads(count: 1, waitingMax: 1)
    let isBlocked = await threads.value {
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      return sigismember(&mask, SIGTERM) == 1
    }
    #expect(isBlocked == true)
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }

  func add() { count.withLock { $0 += 1 } }
}

/// Holds a thread until it is opened.
private final class Gate: Sendable {
  private let isOpen = Mutex(false)

  func open() { isOpen.withLock { $0 = true } }

  func wait() {
    while !isOpen.withLock({ $0 }) { usleep(1000) }
  }
}
