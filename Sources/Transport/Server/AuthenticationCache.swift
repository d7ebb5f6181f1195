internal import OpenSSL
internal import RPC
internal import Synchronization
internal import Wire

/// Remembers for a short time what tokens stand for, so that a call does not cost a look-up.
///
/// - One look-up at a time for a token: calls that come meanwhile wait for its answer.
/// - Refusals have a table of their own, so that invented tokens evict no good one.
/// - Keyed by the token's SHA-256: a memory dump shows no tokens, and look-up time tells nothing.
final class AuthenticationCache: Sendable {
  struct Answer: Sendable {
    let principal: Principal
    let validUntil: Moment
  }

  enum Outcome: Sendable {
    case principal(Answer)
    /// The token stands for nobody. `wasLookedUp`: this call paid for finding out.
    case refused(RPCError, wasLookedUp: Bool)
    /// Nobody can tell now.
    case failed(RPCError)
  }

  private struct State {
    var answers = ExpiringTable<Answer>(countMax: answerCountMax)
    var refusals = ExpiringTable<RPCError>(countMax: refusalCountMax)
    /// Who waits for the look-up of a token; the key is there as long as it runs.
    var waiters: [[UInt8]: [CheckedContinuation<Turn, Never>]] = [:]
  }

  /// What a call does next.
  private enum Turn: Sendable {
    case take(Outcome)
    case lookUp
    /// Whoever looked it up was cancelled.
    case askAgain
  }

  static let answerCountMax = 10_000
  static let refusalCountMax = 4096
  /// Refusals are remembered shortly: a token may have just been made.
  private static let refusalTTL = Duration.seconds(1)

  private let authenticator: any Authenticator
  private let ttl: Duration
  private let now: @Sendable () -> Moment
  private let state = Mutex(State())

  init(
    _ authenticator: any Authenticator, ttl: Duration,
    now: @escaping @Sendable () -> Moment
  ) {
    self.authenticator = authenticator
    self.ttl = ttl
    self.now = now
  }

  /// Whom `token` stands for, where that can be said at once.
  func known(token: String) -> Outcome? {
    let key = SHA256.hash(token)
    return state.withLock { known(key, in: &$0) }
  }

  /// Whom `token` stands for, from the cache or from the authenticator.
  func authenticate(token: String) async -> Outcome {
    let key = SHA256.hash(token)
    while true {
      switch await turn(key) {
      case .take(let outcome): return outcome
      case .askAgain: continue
      case .lookUp: return await lookUp(token, key)
      }
    }
  }

  private func known(_ key: [UInt8], in state: inout State) -> Outcome? {
    let time = now()
    if let answer = state.answers.value(of: key, at: time) { return .principal(answer) }
    if let error = state.refusals.value(of: key, at: time) {
      return .refused(error, wasLookedUp: false)
    }
    return nil
  }

  private func turn(_ key: [UInt8]) async -> Turn {
    await withCheckedContinuation { continuation in
      let turn: Turn? = state.withLock { state in
        if let known = known(key, in: &state) { return .take(known) }
        guard state.waiters[key] == nil else {
          state.waiters[key]?.append(continuation)
          return nil
        }
        state.waiters[key] = []
        return .lookUp
      }
      if let turn { continuation.resume(returning: turn) }
    }
  }

  private func lookUp(_ token: String, _ key: [UInt8]) async -> Outcome {
    let outcome: Outcome
    var forOthers: Turn
    do throws(RPCError) {
      let principal = try await authenticator.authenticate(token: token)
      outcome = .principal(Answer(principal: principal, validUntil: now() + ttl))
      forOthers = .take(outcome)
    } catch {
      // Only a definite no is remembered.
      let isRefused = error.code == .unauthenticated
      outcome = isRefused ? .refused(error, wasLookedUp: true) : .failed(error)
      forOthers = .take(isRefused ? .refused(error, wasLookedUp: false) : outcome)
      // What ended this call alone is not an answer to the others.
      if !isRefused, Task.isCancelled { forOthers = .askAgain }
    }
    let waiters = state.withLock { state in
      store(outcome, key, in: &state)
      return state.waiters.removeValue(forKey: key) ?? []
    }
    for waiter in waiters { waiter.resume(returning: forOthers) }
    return outcome
  }

  private func store(_ outcome: Outcome, _ key: [UInt8], in state: inout State) {
    let time = now()
    switch outcome {
    case .principal(let answer):
      state.answers.store(answer, for: key, until: answer.validUntil, at: time)
    case .refused(let error, _):
      let until = time + min(ttl, Self.refusalTTL)
      state.refusals.store(error, for: key, until: until, at: time)
    case .failed: break
    }
  }
}

/// A bounded table whose entries hold for a time.
private struct ExpiringTable<Value: Sendable>: Sendable {
  private let countMax: Int
  private var entries: [[UInt8]: (value: Value, until: Moment)] = [:]

  init(countMax: Int) { self.countMax = countMax }

  func value(of key: [UInt8], at time: Moment) -> Value? {
    guard let entry = entries[key], entry.until > time else { return nil }
    return entry.value
  }

  mutating func store(
    _ value: Value, for key: [UInt8], until: Moment,
    at time: Moment
  ) {
    if entries.count >= countMax { makeRoom(at: time) }
    entries[key] = (value, until)
  }

  /// A part at once, so that a full table does not cost a pass for each entry.
  private mutating func makeRoom(at time: Moment) {
    entries = entries.filter { $0.value.until > time }
    let tooMany = entries.count - countMax * 3 / 4
    guard tooMany > 0 else { return }
    for key in Array(entries.keys.prefix(tooMany)) { entries[key] = nil }
  }
}
