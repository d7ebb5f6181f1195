/// Ends a connection on which no call has run for long (W10.5): soon where the peer never authenticated,
/// late where it did.
///
///     quiet --a call began or runs--> quiet, from now
///       |
///       +--the limit has passed--> over
///
/// It looks at the counts of calls a few times per limit, so that a call costs nothing for it. A
/// connection therefore ends between one limit and one look more after its last call.
package struct IdleMachine: Sendable, Hashable {
  package struct Limits: Sendable, Hashable {
    /// For a peer that never authenticated; nil = never.
    package var anonymous: Duration?
    /// For one that did; nil = never.
    package var authenticated: Duration?

    package init(
      anonymous: Duration? = WireLimit.idleAnonymousDefault,
      authenticated: Duration? = WireLimit.idleDefault
    ) {
      self.anonymous = anonymous
      self.authenticated = authenticated
    }
  }

  private static let lookCount = 4

  private let limits: Limits
  private var quietSince: Moment
  private var lookedAt: Moment
  private var lastStream: UInt32 = 0
  package private(set) var isAuthenticated = false

  package init(limits: Limits, now: Moment) {
    self.limits = limits
    quietSince = now
    lookedAt = now
  }

  /// Time counts from here: the connection is ready.
  package mutating func started(now: Moment) {
    quietSince = now
    lookedAt = now
  }

  package mutating func authenticated() {
    isAuthenticated = true
  }

  /// When `look` wants to be called next; nil where a connection may be idle for ever.
  package var due: Moment? {
    limit.map { lookedAt + $0 / Self.lookCount }
  }

  private var limit: Duration? { isAuthenticated ? limits.authenticated : limits.anonymous }

  /// Time passed; may be called at any time. Whether the connection has been idle for too long.
  ///
  /// - Parameter highestStream: of all calls so far; it tells whether one began since the last look.
  package mutating func look(
    now: Moment, highestStream: UInt32, openCallCount: Int
  ) -> Bool {
    guard let due, due <= now, let limit else { return false }
    lookedAt = now
    if openCallCount > 0 || highestStream != lastStream { quietSince = now }
    lastStream = highestStream
    return quietSince + limit <= now
  }
}
