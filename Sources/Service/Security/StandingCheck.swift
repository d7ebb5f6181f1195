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
  private struct Key: Hashable {
    var tokenID: EntityID
    var role: Role
  }

  private struct State {
    var waiters: [Key: [UInt64: CheckedContinuation<Bool, Never>]] = [:]
    var nextWaiter: UInt64 = 0
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
    let keys = state.withLock { Array($0.waiters.keys) }
    for start in stride(from: 0, to: keys.count, by: Self.batchMax) {
      let batch = keys[start..<min(start + Self.batchMax, keys.count)]
      // What the database cannot say now, the next look will.
      guard let roles = try? await tokens.roles(of: batch.map(\.tokenID), at: clock.now()) else {
        continue
      }
      for key in batch where roles[key.tokenID].map({ $0 < key.role }) ?? true { end(key) }
    }
  }

  /// Waits until the caller may no longer do what they could; false where the task was cancelled.
  func hasEnded(_ tokenID: EntityID, _ role: Role) async -> Bool {
    let key = Key(tokenID: tokenID, role: role)
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isCancelled = state.withLock { state in
          // Asked inside the lock: the handler below runs either before, and is seen here, or after,
          // and finds the waiter.
          if Task.isCancelled { return true }
          state.waiters[key, default: [:]][id] = continuation
          return false
        }
        if isCancelled { continuation.resume(returning: false) }
      }
    } onCancel: {
      state.withLock { state in
        let waiter = state.waiters[key]?.removeValue(forKey: id)
        if state.waiters[key]?.isEmpty == true { state.waiters[key] = nil }
        return waiter
      }?.resume(returning: false)
    }
  }

  private func end(_ key: Key) {
    let waiters = state.withLock { $0.waiters.removeValue(forKey: key) } ?? [:]
    for waiter in waiters.values { waiter.resume(returning: true) }
  }
}

/// Puts calls that may last under the check.
struct StandingInterceptor: ServerInterceptor {
  let check: StandingCheck

  private enum Outcome: Sendable {
    case returned((any WireMessage)?)
    case standingEnded
    case cancelled
  }

  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard method.kind != .unary, rule.callers != .anybody else { return next }
    return { context, call in
      let caller = try context.caller
      guard let tokenID = caller.tokenID else { return try await next(context, call) }
      return try await withThrowingTaskGroup(of: Outcome.self) { group in
        group.addTask { .returned(try await next(context, call)) }
        group.addTask {
          await check.hasEnded(tokenID, caller.role) ? .standingEnded : .cancelled
        }
        var hasEnded = false
        do {
          while let outcome = try await group.next() {
            switch outcome {
            case .returned(let reply):
              group.cancelAll()
              return reply
            case .standingEnded:
              hasEnded = true
              group.cancelAll()
            case .cancelled: break
            }
          }
        } catch {
          guard hasEnded else { throw error }
          var refusal = RPCError(
            .unauthenticated, "the token is no longer valid, or its user may do less than before")
          refusal.resumeCursor = (error as? RPCError)?.resumeCursor
          throw refusal
        }
        throw CancellationError()
      }
    }
  }
}
