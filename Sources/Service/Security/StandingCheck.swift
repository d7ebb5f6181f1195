internal import Domain
internal import RPC
internal import Synchronization

/// Ends the long calls of those who may no longer make them: whose token was revoked or has expired,
/// who was shut out, or who is less than when the call began. Wherever that was decided, the database
/// says it to every server.
///
/// All callers are asked about at a time, once in `interval`: a caller's calls cost one row of one
/// statement, however many there are, and a call costs nothing while its caller stays who they were.
package final class StandingCheck: Sendable {
  package static let interval = Duration.seconds(1)
  private static let batchMax = 1000

  /// What calls began as.
  fileprivate struct Key: Hashable {
    var tokenID: EntityID
    var role: Role
  }

  /// The task of a call that is under way.
  ///
  /// `@unchecked Sendable`: of all that it offers only `cancel` is called from elsewhere, which any
  /// task may; and only inside the lock from which the task itself takes it out before it continues
  /// past `run`, so that it is never called on a task that is gone.
  private struct Call: @unchecked Sendable {
    let task: UnsafeCurrentTask
  }

  private struct State {
    var calls: [Key: [UInt64: Call]] = [:]
    var nextCall: UInt64 = 0

    /// False where it was taken out before.
    mutating func remove(_ id: UInt64, _ key: Key) -> Bool {
      guard calls[key]?.removeValue(forKey: id) != nil else { return false }
      if calls[key]?.isEmpty == true { calls[key] = nil }
      return true
    }
  }

  private let tokens: any TokenStore
  private let clock: any TimeSource
  private let state = Mutex(State())

  init(tokens: any TokenStore, clock: any TimeSource) {
    self.tokens = tokens
    self.clock = clock
  }

  /// Looks again and again, until the task is cancelled.
  package func run() async throws {
    while true {
      try await Task.sleep(for: Self.interval)
      await check()
    }
  }

  /// Asks about everybody once.
  package func check() async {
    let keys = state.withLock { Array($0.calls.keys) }
    for start in stride(from: 0, to: keys.count, by: Self.batchMax) {
      let batch = keys[start..<min(start + Self.batchMax, keys.count)]
      // What the database cannot say now, the next look will.
      guard let roles = try? await tokens.roles(of: batch.map(\.tokenID), at: clock.now()) else {
        continue
      }
      for key in batch where roles[key.tokenID].map({ $0 < key.role }) ?? true { end(key) }
    }
  }

  /// Runs a call, whose task is cancelled once its caller may no longer do what they could; then it
  /// throws that.
  fileprivate func run<Reply>(_ key: Key, _ body: () async throws -> Reply) async throws -> Reply {
    // A task of its own for each call would be dearer than all else that is kept of a subscriber.
    try await withUnsafeCurrentTask { task in
      let id = task.map { begin(key, Call(task: $0)) }
      do {
        let reply = try await body()
        _ = leave(id, key)
        return reply
      } catch {
        throw leave(id, key) ? error : Self.refusal(error)
      }
    }
  }

  /// False where the check has ended it.
  private func leave(_ id: UInt64?, _ key: Key) -> Bool {
    id.map { id in state.withLock { $0.remove(id, key) } } ?? true
  }

  @inline(never) private static func refusal(_ error: any Error) -> RPCError {
    RPCError(
      .unauthenticated, "the token is no longer valid, or its user may do less than before",
      resumeCursor: (error as? RPCError)?.resumeCursor)
  }

  private func begin(_ key: Key, _ call: Call) -> UInt64 {
    state.withLock { state in
      state.nextCall += 1
      state.calls[key, default: [:]][state.nextCall] = call
      return state.nextCall
    }
  }

  private func end(_ key: Key) {
    state.withLock { state in
      for call in (state.calls.removeValue(forKey: key) ?? [:]).values { call.task.cancel() }
    }
  }
}

/// Puts calls that may last under the check.
struct StandingInterceptor: ServerInterceptor {
  let check: StandingCheck

  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard method.kind != .unary, rule.callers != .anybody else { return next }
    return { [check] context, call in
      guard let key = try Self.key(of: context) else { return try await next(context, call) }
      return try await check.run(key) { try await next(context, call) }
    }
  }

  /// Apart from what awaits the call: what it needs would be kept as long as the call lasts.
  @inline(never) private static func key(of context: CallContext) throws -> StandingCheck.Key? {
    let caller = try context.caller
    return caller.tokenID.map { StandingCheck.Key(tokenID: $0, role: caller.role) }
  }
}
