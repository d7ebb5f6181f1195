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
  /// The events have left the store, and the archive that has them did not give them: why.
  case archived(ArchiveObstacle)
}

/// Why events that have left the store cannot be had.
package enum ArchiveObstacle: Sendable, Hashable {
  /// There is no archive here, or it is not the one that has them.
  case notHere
  /// A file that has some of them is damaged, and nothing else has them.
  case damaged
  /// Not now.
  case busy
}
