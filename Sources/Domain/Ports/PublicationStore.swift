/// How a publication of the log is doing, for admins of every server.
package struct PublicationStatus: Sendable, Hashable {
  package var condition: PublicationCondition
  package var since: Timestamp
  /// Sent, and not confirmed yet.
  package var unconfirmedCount: Int64
  /// What went wrong last; empty once something went well again.
  package var lastError: String

  package init(
    condition: PublicationCondition, since: Timestamp, unconfirmedCount: Int64 = 0,
    lastError: String = ""
  ) {
    self.condition = condition
    self.since = since
    self.unconfirmedCount = unconfirmedCount
    self.lastError = lastError
  }
}

/// Whether a broker takes and gives messages.
package enum PublicationCondition: String, Sendable, Hashable, CaseIterable {
  case connected
  /// It takes nothing now: its memory or its disk is full.
  case blocked
  /// It cannot be reached, or does not let us in.
  case away
}

/// A publication as the store has it.
package struct Publication: Sendable, Hashable {
  /// Everything up to here was confirmed.
  package var position: Int64
  /// Nil before the first status was written.
  package var status: PublicationStatus?

  package init(position: Int64, status: PublicationStatus?) {
    self.position = position
    self.status = status
  }
}

/// The right to publish, for a while.
package struct PublicationLease: Sendable, Hashable {
  package var name: String
  package var owner: EntityID
  /// One more with each lease: what was done under an earlier one is refused.
  package var generation: Int64
  /// The log's epoch (`LogEpoch.id`) when it was given.
  package var epoch: UInt32
  /// Everything up to here was confirmed before.
  package var position: Int64

  package init(
    name: String, owner: EntityID, generation: Int64, epoch: UInt32, position: Int64
  ) {
    self.name = name
    self.owner = owner
    self.generation = generation
    self.epoch = epoch
    self.position = position
  }
}

/// Who publishes the log, and how far that is. One at a time: the clock is the store's own.
package protocol PublicationStore: Sendable {
  /// Takes the lease where nobody has it; nil where another one does. Whoever has it gets another one.
  func acquire(
    _ name: String, owner: EntityID, for lifetime: Duration
  ) async throws(StoreError) -> PublicationLease?
  /// Keeps the lease for another while, with everything up to `position` confirmed.
  ///
  /// - Returns: false where it is another's now, or where the log is of another epoch than the lease:
  ///   nothing was written then, and what follows must begin with a new lease.
  func advance(
    _ lease: PublicationLease, to position: Int64, status: PublicationStatus,
    for lifetime: Duration
  ) async throws(StoreError) -> Bool
  /// Lets another one have it at once. Nothing happens where it is another's already.
  func release(_ lease: PublicationLease) async throws(StoreError)
  /// Nil where nobody has published yet.
  func publication(_ name: String) async throws(StoreError) -> Publication?
}
