/// Which events a reader wants; an empty list means no bound on that property.
package struct EventFilter: Sendable, Hashable {
  package var userIDs: [EntityID] = []
  package var goalIDs: [EntityID] = []
  package var taskIDs: [EntityID] = []
  package var courseIDs: [EntityID] = []
  /// Exact types (`goal.created`) or whole kinds (`goal.*`).
  package var types: [String] = []

  package init() {}
}
