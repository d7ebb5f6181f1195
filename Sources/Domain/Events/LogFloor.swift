/// Up to where events have left the store: they are in the archive alone, and only their positions
/// are still here.
package struct LogFloor: Sendable, Hashable {
  /// The last position whose event was removed; 0 where none was.
  package var position: Int64
  /// The event that had it: an archive that has the same one has the same events before it.
  package var eventID: EntityID?
  /// No removed event was made after this.
  package var createdUntil: Timestamp?
  /// The highest id of those that were removed; no event is written with one that is not higher.
  package var highestID: EntityID?
  /// The archive that has them. Its server is the only one that removes more; nil: whichever is first.
  package var archiveID: EntityID?

  package init(
    position: Int64, eventID: EntityID? = nil, createdUntil: Timestamp? = nil,
    highestID: EntityID? = nil, archiveID: EntityID? = nil
  ) {
    self.position = position
    self.eventID = eventID
    self.createdUntil = createdUntil
    self.highestID = highestID
    self.archiveID = archiveID
  }

  /// Everything is in the store.
  package static let none = LogFloor(position: 0)

  /// Whether the event that the store does not have may be one of those that were removed.
  package func mayHave(_ eventID: EntityID) -> Bool {
    position > 0 && highestID.map { eventID <= $0 } ?? false
  }
}

/// Where an event is, as the store knows it when the event itself has left.
package struct EventPlace: Sendable, Hashable {
  package var position: Int64
  /// See `StoredEvent.seq`: the archive does not have it.
  package var seq: Int64
  package var type: String
  package var userID: EntityID?
  package var createdAt: Timestamp

  package init(
    position: Int64, seq: Int64, type: String, userID: EntityID?, createdAt: Timestamp
  ) {
    self.position = position
    self.seq = seq
    self.type = type
    self.userID = userID
    self.createdAt = createdAt
  }
}
