/// Tells the time of day; tests give one of their own.
package protocol TimeSource: Sendable {
  func now() -> Timestamp
}

/// Makes new ids; those made later sort later within one process.
package protocol IDGenerator: Sendable {
  func next(at now: Timestamp) -> EntityID
}
