/// How long a call's output has waited with none of it going out: for credit, or for a socket that
/// takes no more.
package struct OutputStall: Sendable, Hashable {
  /// Since when it waits; nil where it does not.
  package private(set) var since: Moment?

  package init() {}

  /// Output waits. What waits already waits on.
  package mutating func outputWaits(now: Moment) {
    since = since ?? now
  }

  /// A part of what waits went out.
  package mutating func outputMoved(now: Moment) {
    if since != nil { since = now }
  }

  /// Nothing waits any more.
  package mutating func outputEnded() {
    since = nil
  }

  /// When it will have waited for `limit`.
  package func due(after limit: Duration) -> Moment? { since.map { $0 + limit } }
}
