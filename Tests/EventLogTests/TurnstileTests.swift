import Testing

@testable import EventLog

@Suite(.timeLimit(.minutes(1))) struct `A turnstile` {
  @Test func `lets in as many as it may, in order, and passes over who has gone`() async {
    let turnstile = Turnstile(count: 1)
    #expect(await turnstile.enter())
    var waiters: [Task<Bool, Never>] = []
    for count in 1...3 {
      waiters.append(Task { await turnstile.enter() })
      while turnstile.waiterCount < count { await Task.yield() }
    }
    waiters[0].cancel()
    #expect(await waiters[0].value == false)
    turnstile.leave()
    #expect(await waiters[1].value)
    #expect(turnstile.waiterCount == 1)
    turnstile.leave()
    #expect(await waiters[2].value)
    turnstile.leave()
    #expect(await turnstile.enter())
  }
}
