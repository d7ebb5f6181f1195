/// Consumer groups, and what each holds. Groups themselves are written through `WriteStore`.
///
/// Everything that concerns one group happens in some order, whichever servers do it. Times are of a clock that
/// all servers share.
package protocol ConsumerGroupStore: Sendable {
  func group(named name: String) async throws(StoreError) -> GroupStatus?
  func groupCount() async throws(StoreError) -> Int
  /// At most `limit` groups, by name, those after `name`: of this user, or of everybody.
  func groups(
    after name: String, limit: Int, of userID: EntityID?
  ) async throws(StoreError) -> [GroupStatus]
  /// Those connected, by name.
  func consumers(of groupID: EntityID) async throws(StoreError) -> [GroupConsumerStatus]
  /// At most `limit` entries, by position, those after `position`.
  func parked(
    in groupID: EntityID, after position: Int64, limit: Int
  ) async throws(StoreError) -> [ParkedEntry]
  /// The positions of those parked: of these events, or of all.
  func parkedPositions(
    in groupID: EntityID, events: [EntityID]?
  ) async throws(StoreError) -> [Int64]

  /// Gives a consumer its name, and its connection's place; what its instance held goes to whoever is next.
  func join(_ join: GroupJoin) async throws(StoreError) -> JoinOutcome
  func leave(_ leave: GroupLeave) async throws(StoreError)
  /// Keeps the names of these sessions for another lease.
  ///
  /// - Returns: those that are still there.
  func renew(_ sessionIDs: [EntityID]) async throws(StoreError) -> Set<EntityID>
  /// Settles, takes in what was read, and takes out, in this order. What was held for too long goes first to
  /// those that wait, or is parked after its last attempt.
  ///
  /// - Returns: nil where there is no such group any more.
  func exchange(
    _ exchange: GroupExchange, in groupID: EntityID
  ) async throws(StoreError) -> GroupExchanged?
}
