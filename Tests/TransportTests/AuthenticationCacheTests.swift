import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct `The cache of tokens` {
  /// Holds back its first look-up, until it is opened or that look-up's task is cancelled.
  private final class GatedAuthenticator: Authenticator {
    private struct State {
      var askedCount = 0
      var isOpen = false
      var held: CheckedContinuation<Void, Never>?
      var observer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var askedCount: Int { state.withLock { $0.askedCount } }

    func authenticate(token: String) async throws(RPCError) -> Principal {
      let (isFirst, observer) = state.withLock { state in
        state.askedCount += 1
        defer { state.observer = nil }
        return (state.askedCount == 1, state.observer)
      }
      observer?.resume()
      if isFirst { await hold() }
      if Task.isCancelled { throw RPCError(.cancelled, "the call was cancelled") }
      guard token.hasPrefix("good") else { throw RPCError(.unauthenticated, "unknown") }
      return Principal(userID: token, role: .learner, tokenID: "t")
    }

    func open() {
      state.withLock { state in
        state.isOpen = true
        defer { state.held = nil }
        return state.held
      }?.resume()
    }

    func waitUntilAsked() async {
      await withCheckedContinuation { continuation in
        let isAsked = state.withLock { state in
          if state.askedCount > 0 { return true }
          state.observer = continuation
          return false
        }
        if isAsked { continuation.resume() }
      }
    }

    private func hold() async {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let goesOn = state.withLock { state in
            if state.isOpen || Task.isCancelled { return true }
            state.held = continuation
            return false
          }
          if goesOn { continuation.resume() }
        }
      } onCancel: {
        open()
      }
    }
  }

  private let authenticator = GatedAuthenticator()
  private let start = Moment.now

  private func cache() -> AuthenticationCache {
    AuthenticationCache(authenticator, ttl: .seconds(10), now: { [start] in start })
  }

  private func user(_ outcome: AuthenticationCache.Outcome) -> String? {
    if case .principal(let answer) = outcome { answer.principal.userID } else { nil }
  }

  @Test(arguments: ["good", "bad"])
  func `asks once for a hundred first calls with one token`(_ token: String) async {
    let cache = cache()
    let lookUpCount = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<100 {
        group.addTask {
          switch await cache.authenticate(token: token) {
          case .principal: false
          case .refused(_, let wasLookedUp): wasLookedUp
          case .failed: true
          }
        }
      }
      await authenticator.waitUntilAsked()
      authenticator.open()
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(authenticator.askedCount == 1)
    // One call alone is to blame for a token that is refused.
    #expect(lookUpCount == (token == "good" ? 0 : 1))
  }

  @Test func `asks again for others where the call that asked was cancelled`() async {
    let cache = cache()
    let leader = Task { await cache.authenticate(token: "good") }
    await authenticator.waitUntilAsked()
    let follower = Task { await cache.authenticate(token: "good") }
    leader.cancel()
    #expect(user(await leader.value) == nil)
    #expect(user(await follower.value) == "good")
    #expect(authenticator.askedCount == 2)
  }

  @Test func `keeps a good token however many invented ones come by`() async {
    authenticator.open()
    let cache = cache()
    #expect(user(await cache.authenticate(token: "good")) == "good")
    let inventedCount = AuthenticationCache.answerCountMax + AuthenticationCache.refusalCountMax
    for number in 0..<inventedCount { _ = await cache.authenticate(token: "bad-\(number)") }
    #expect(user(await cache.authenticate(token: "good")) == "good")
    #expect(authenticator.askedCount == inventedCount + 1)
  }
}
