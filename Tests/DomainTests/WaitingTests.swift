import Domain
import Testing

@Suite("Waiting", .timeLimit(.minutes(1)))
struct WaitingTests {
  private let clock = ContinuousClock()

  @Test("a bell that was rung before lets one waiter go, once")
  func kept() async {
    let bell = WakeSignal()
    bell.ring()
    bell.ring()
    await bell.wait(upTo: .seconds(50), clock: clock)
    let start = clock.now
    await bell.wait(upTo: .milliseconds(20), clock: clock)
    #expect(clock.now - start >= .milliseconds(20))
  }

  @Test("a ring wakes who waits")
  func wakes() async {
    let bell = WakeSignal()
    async let waited: Void = bell.wait(upTo: .seconds(50), clock: clock)
    bell.ring()
    await waited
  }

  @Test("a cancelled task waits no longer, and takes no ring from others")
  func cancelled() async {
    let bell = WakeSignal()
    let clock = clock
    let task = Task { await bell.wait(upTo: .seconds(50), clock: clock) }
    task.cancel()
    await task.value
    bell.ring()
    await bell.wait(upTo: .seconds(50), clock: clock)
  }

  @Test("a race ends with the first of the two")
  func race() async {
    let start = clock.now
    await Domain.race(upTo: .milliseconds(10), clock: clock) {
      try? await Task.sleep(for: .seconds(50))
    }
    await Domain.race(upTo: .seconds(50), clock: clock) {}
    #expect(clock.now - start < .seconds(40))
  }
}
