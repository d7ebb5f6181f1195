import Domain
import Synchronization
import Testing

/// The queue with tasks that wait in it; whose turn it is, is `FairQueueMachineTests`'s.
@Suite struct FairQueueTests {
  private final class Crowd: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var most: Int { state.withLock { $0.most } }
    func enter() { state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }
    func leave() { state.withLock { $0.now -= 1 } }
  }

  @Test func `Never are too many inside at once, and everybody gets in`() async {
    let queue = FairQueue<String>(insideMax: 2, waitingMax: 100)
    let crowd = Crowd()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          #expect(await queue.enter("ana", until: nil) == .entered)
          crowd.enter()
          await Task.yield()
          crowd.leave()
          queue.leave("ana")
        }
      }
    }
    #expect(crowd.most == 2)
  }

  @Test func `More than may wait are refused`() async {
    let queue = FairQueue<String>(insideMax: 1, waitingMax: 1)
    #expect(await queue.enter("ana", until: nil) == .entered)
    async let waiting = queue.enter("ana", until: nil)
    while queue.waitingCount == 0 { await Task.yield() }
    #expect(await queue.enter("ana", until: nil) == .refused(maximum: 1))
    queue.leave("ana")
    #expect(await waiting == .entered)
  }

  @Test func `A cancelled call stops waiting, and its place in the queue is free`() async {
    let queue = FairQueue<String>(insideMax: 1, waitingMax: 1)
    #expect(await queue.enter("ana", until: nil) == .entered)
    let waiting = Task { await queue.enter("ana", until: nil) }
    while queue.waitingCount == 0 { await Task.yield() }
    waiting.cancel()
    #expect(await waiting.value == .cancelled)
    #expect(queue.waitingCount == 0)
    let early = Task {
      while !Task.isCancelled { await Task.yield() }
      return await queue.enter("ana", until: nil)
    }
    early.cancel()
    #expect(await early.value == .cancelled)
    queue.leave("ana")
    #expect(await queue.enter("ana", until: nil) == .entered)
  }
}
