package import Domain

/// How a connection to the broker is, for health and introspection.
package struct BrokerConnectionState: Sendable, Hashable {
  package var condition: PublicationCondition
  package var since: Timestamp
  /// Sent or delivered, and not settled yet.
  package var unsettledCount = 0
  /// What went wrong last; empty once it works again.
  package var lastError = ""

  package init(condition: PublicationCondition, since: Timestamp) {
    self.condition = condition
    self.since = since
  }

  /// The condition since now, unless it was so before.
  mutating func become(_ next: PublicationCondition, at now: Timestamp, error: String = "") {
    if condition != next {
      condition = next
      since = now
    }
    lastError = error
  }
}
