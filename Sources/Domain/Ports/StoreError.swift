/// Why a store could not do what it was asked.
package enum StoreError: Error, Sendable, Hashable {
  /// Not now: no connection, the server is restarting, too many waiting. Nothing was written, or
  /// it is not known whether it was (`maybeCommitted`): a repeat under the same idempotency key
  /// tells.
  case unavailable(String, maybeCommitted: Bool)
  /// The deadline passed first. Nothing was written, or it is not known whether it was.
  case timedOut(maybeCommitted: Bool)
  /// The caller went away first.
  case cancelled
  /// A unique value is taken; the name is that of the constraint.
  case duplicate(constraint: String)
  /// Stored data or the schema is not what this build expects. The text is for the log only.
  case corrupt(String)
}
