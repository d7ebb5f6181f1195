package import Domain

/// For a server that only follows the log: another one gives the positions.
package struct FollowingSequencer: EventSequencer {
  package init() {}

  package func sequence(limit: Int) async throws(StoreError) -> [StoredEvent]? { nil }
}
