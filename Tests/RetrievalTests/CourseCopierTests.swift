import Domain
import Logging
import Retrieval
import Synchronization
import Testing

struct CourseCopierTests {
  /// Courses with so many learners left, some of which take too long or cannot be copied.
  private final class Store: CourseCopyStore {
    let left = Mutex<[Int64: Int]>([:])
    let portions = Mutex<[Int]>([])
    /// More than this many at once take too long.
    let affordable: Int
    let broken: Int64?

    init(_ left: [Int64: Int], affordable: Int = .max, broken: Int64? = nil) {
      self.affordable = affordable
      self.broken = broken
      self.left.withLock { $0 = left }
    }

    func courseToCopy(after course: EntityID?) async throws(StoreError) -> EntityID? {
      let after = course.map { Int64(bitPattern: $0.low) } ?? 0
      let next = left.withLock { $0.keys.filter { $0 > after }.min() }
      return next.map { EntityID(high: 0, low: UInt64($0)) }
    }

    func copyCourse(_ course: EntityID, limit: Int) async throws(StoreError) -> Bool {
      let key = Int64(bitPattern: course.low)
      if key == broken { throw .corrupt("no such row") }
      guard limit <= affordable else { throw .timedOut(maybeCommitted: true) }
      portions.withLock { $0.append(limit) }
      return left.withLock { left in
        let rest = (left[key] ?? 0) - limit
        left[key] = rest >= 0 ? rest : nil
        return rest >= 0
      }
    }
  }

  private func copier(_ store: Store) -> CourseCopier {
    CourseCopier(store: store, logger: Logger(label: "test"))
  }

  @Test func `courses take turns, a portion each, until none is left`() async throws {
    let store = Store([1: 1200, 2: 100])
    var portion = CourseCopier.portionMax
    var turnCount = 0
    while await copier(store).turn(&portion).copiedCount > 0 { turnCount += 1 }
    #expect(turnCount == 3)
    #expect(store.portions.withLock { $0 } == [500, 500, 500, 500])
  }

  @Test func `a portion that takes too long is made smaller, and larger again`() async throws {
    let store = Store([1: 300], affordable: 130)
    var portion = CourseCopier.portionMax
    while !store.left.withLock({ $0.isEmpty }) {
      #expect(await copier(store).turn(&portion).failure == nil)
    }
    let portions = store.portions.withLock { $0 }
    #expect(portions.allSatisfy { $0 <= 130 } && portions.reduce(0, +) > 300)
    #expect(portions.first == 125)
  }

  @Test func `one that cannot be copied does not hold up the others, and is an error`() async throws
  {
    let store = Store([1: 10, 2: 700, 3: 10], broken: 1)
    var portion = CourseCopier.portionMax
    for copiedCount in [2, 1] {
      let done = await copier(store).turn(&portion)
      #expect(done.copiedCount == copiedCount && done.failure == .corrupt("no such row"))
    }
    #expect(store.left.withLock { $0.keys.sorted() } == [1])
    let slow = Store([1: 10], affordable: 0)
    var failure: StoreError?
    while failure == nil { failure = await copier(slow).turn(&portion).failure }
    #expect(failure == .timedOut(maybeCommitted: true))
    #expect(portion == CourseCopier.portionMin)
  }

  /// Otherwise a course of thousands would get a portion at each of the pauses of the broken one.
  @Test func `one that cannot be copied makes no pause for the others`() async throws {
    let store = Store([1: 10, 2: 20_000], broken: 1)
    let clock = CountingClock { store.left.withLock { $0[2] != nil } }
    let copier = CourseCopier(store: store, clock: clock, logger: Logger(label: "test"))
    let running = Task { try await copier.run() }
    while store.left.withLock({ $0[2] != nil }), clock.sleepCount.withLock({ $0 }) == 0 {
      await Task.yield()
    }
    #expect(clock.sleepCount.withLock { $0 } == 0)
    running.cancel()
    _ = await running.result
  }

  /// A clock that counts who sleeps by it while that counts; a sleep ends with the task.
  private final class CountingClock: Clock {
    let sleepCount = Mutex(0)
    private let counts: @Sendable () -> Bool

    init(counts: @escaping @Sendable () -> Bool) { self.counts = counts }

    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
      if counts() { sleepCount.withLock { $0 += 1 } }
      try await Task.sleep(for: .seconds(3600))
    }
  }
}
