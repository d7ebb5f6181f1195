/// Runs of agents. They are written through `WriteStore`, in the same commit as their events; only
/// the leases, which are nobody's history, are written here. Leases begin and end by the store's clock.
package protocol AgentRunStore: Sendable {
  /// A run as the caller may see it: the learner's own, and every one for those who see everybody.
  func run(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> AgentRun?
  /// At most `limit` events of a run after `version`, in order, sequenced or not; none where the
  /// caller may not see the run.
  func events(
    ofRun id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent]

  /// Keeps a running run that `lease.owner` has.
  ///
  /// - Returns: false where it has not: another server took it over, or it has ended.
  func renew(_ lease: AgentLease, ofRun id: EntityID) async throws(StoreError) -> Bool
  /// Lets a run go before its lease is over, so that others need not wait.
  func release(ofRun id: EntityID, owner: String) async throws(StoreError)
  /// Takes over a running run whose lease is over; with `isAlone`, where no other server
  /// can exist, also one that another owner has.
  ///
  /// - Returns: the run under the new lease; nil where another server has it, or it has ended.
  func takeOver(
    _ id: EntityID, _ lease: AgentLease, isAlone: Bool
  ) async throws(StoreError) -> AgentRun?
  /// At most `limit` runs that could be taken over so, those left first, first.
  func abandoned(
    by owner: String, isAlone: Bool, limit: Int
  ) async throws(StoreError) -> [AbandonedRun]
}

/// A run whose server went away, as much of it as tells what to do: one that cannot be read must not
/// keep the others from being taken over.
package struct AbandonedRun: Sendable, Hashable {
  package var id: EntityID
  /// Nil: of a kind that this build does not know.
  package var kind: AgentKind?
  /// How long its lease has been over; zero where it is not.
  package var overFor: Duration

  package init(id: EntityID, kind: AgentKind?, overFor: Duration) {
    self.id = id
    self.kind = kind
    self.overFor = overFor
  }
}
