/// The part of the log that has left the store, as its readers need it: whole events.
///
/// Every call fails with `StoreError.archived` where this archive does not have what the floor says
/// was removed: nothing is ever left out in silence.
package protocol ArchivedLog: Sendable {
  /// The events at `places`, in order: as many as take `byteCountMax` together, of which the last one
  /// may exceed it.
  ///
  /// - Parameters:
  ///   - places: in the order of positions, each once, none above the floor.
  ///   - caller: on whose behalf; callers wait for each other by turns.
  func events(
    at places: [EventPlace], below floor: LogFloor, byteCountMax: Int, for caller: EntityID?
  ) async throws(StoreError) -> [StoredEvent]
  /// The position of an event up to the floor; nil where there is no such event.
  func position(of eventID: EntityID, below floor: LogFloor) async throws(StoreError) -> Int64?
}

/// Takes events out of the store once the archive has them.
package protocol EventRemoval: Sendable {
  /// Up to where they have left.
  func floor() async throws(StoreError) -> LogFloor
  /// Removes the first events after the floor, and moves it, in one commit.
  ///
  /// The store itself compares: it removes nothing where `batch` is not what comes next in it, where
  /// another archive removes, or where the log has another epoch; and nothing of the last day.
  ///
  /// - Returns: how many were removed, the first ones of the batch; 0 where none is old enough, or the
  ///   floor is elsewhere by now.
  func remove(_ batch: RemovalBatch) async throws(StoreError) -> Int
}

/// Events that an archive was seen to have.
package struct RemovalBatch: Sendable, Hashable {
  package var archiveID: EntityID
  /// The current epoch of the history that the archive continues.
  package var epoch: UInt32
  package var firstPosition: Int64
  /// Of the events from there on, as the archive has them: at most 10,000.
  package var eventIDs: [EntityID]
  /// Only what was made before this goes.
  package var before: Timestamp

  package init(
    archiveID: EntityID, epoch: UInt32, firstPosition: Int64, eventIDs: [EntityID],
    before: Timestamp
  ) {
    self.archiveID = archiveID
    self.epoch = epoch
    self.firstPosition = firstPosition
    self.eventIDs = eventIDs
    self.before = before
  }
}
