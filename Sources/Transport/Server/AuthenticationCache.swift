internal import OpenSSL
internal import RPC
internal import Synchronization

/// Remembers for a short time what tokens stand for, so that a call does not cost a look-up.
///
/// Keyed by the token's SHA-256: a memory dump shows no tokens, and look-up time tells nothing.
final class AuthenticationCache: Sendable {
  struct Answer: Sendable {
    let principal: Principal
    let validUntil: ContinuousClock.Instant
  }

  private struct Entry {
    let result: Result<Principal, RPCError>
    let validUntil: ContinuousClock.Instant
  }

  /// Refusals are remembered too, but shortly: a token may have just been made.
  private static let refusalTTL = Duration.seconds(1)
  private static let entryCountMax = 10_000

  private let authenticator: any Authenticator
  private let ttl: Duration
  private let now: @Sendable () -> ContinuousClock.Instant
  private let entries = Mutex<[[UInt8]: Entry]>([:])

  init(
    _ authenticator: any Authenticator, ttl: Duration,
    now: @escaping @Sendable () -> ContinuousClock.Instant
  ) {
    self.authenticator = authenticator
    self.ttl = ttl
    self.now = now
  }

  /// The principal of `token`, from the cache or from the authenticator.
  func authenticate(token: String) async throws(RPCError) -> Answer {
    let key = SHA256.hash(token)
    if let entry = entries.withLock({ $0[key] }), entry.validUntil > now() {
      return Answer(principal: try entry.result.get(), validUntil: entry.validUntil)
    }
    let result: Result<Principal, RPCError>
    do throws(RPCError) {
      result = .success(try await authenticator.authenticate(token: token))
    } catch {
      // Only a definite no is remembered.
      guard error.code == .unauthenticated else { throw error }
      result = .failure(error)
    }
    let isRefusal = if case .failure = result { true } else { false }
    let validUntil = now() + (isRefusal ? min(ttl, Self.refusalTTL) : ttl)
    store(Entry(result: result, validUntil: validUntil), for: key)
    return Answer(principal: try result.get(), validUntil: validUntil)
  }

  private func store(_ entry: Entry, for key: [UInt8]) {
    let time = now()
    entries.withLock { entries in
      if entries.count >= Self.entryCountMax {
        entries = entries.filter { $0.value.validUntil > time }
        // Still full: all of them are a few seconds old, start again.
        if entries.count >= Self.entryCountMax { entries.removeAll() }
      }
      entries[key] = entry
    }
  }
}
