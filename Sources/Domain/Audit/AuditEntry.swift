/// Something that happened and is no change of state, so that no event records it: once, or several times
/// within a minute.
package struct AuditEntry: Sendable, Hashable {
  /// What an entry is about; the raw value is what `audit_entries.kind` holds.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A call was refused.
    case refusal
    /// Data of another user was read.
    case read
    /// A token was used from an address, for the first time of a day with a server.
    case signIn = "sign_in"
    /// Data was taken out.
    case export
    /// Of the audit itself: what was left out.
    case notice
  }

  /// The method of the notice that entries were removed because they were old; its count is the number of the
  /// last one.
  package static let removalMethod = "retention"

  /// The reason of a read of code that its author shares as an example. Who read it is told the author, and
  /// not the other way round.
  package static let exampleReason = "shared code"

  /// The entry tells its actor what it is not theirs to know: who the author is.
  package func hidesSubject(from callerID: EntityID) -> Bool {
    reason == Self.exampleReason && subjectID != callerID
  }

  /// Place in the chain of entries, from 1 without gaps; 0 before it is stored.
  package var number: Int64
  package var id: EntityID
  package var kind: Kind
  /// Who; nil where nobody is known, or several.
  package var actorID: EntityID?
  package var tokenID: EntityID?
  /// Whose data; nil where it is nobody's in particular.
  package var subjectID: EntityID?
  /// Path of the method, or the command.
  package var method: String
  /// Status code of the answer; 0 where it went well.
  package var status: Int32
  /// For people.
  package var reason: String
  /// Address of the peer, without its port; empty where there is none.
  package var peer: String
  package var count: Int64
  package var firstAt: Timestamp
  package var lastAt: Timestamp

  package init(
    number: Int64 = 0, id: EntityID, kind: Kind, actorID: EntityID? = nil,
    tokenID: EntityID? = nil, subjectID: EntityID? = nil, method: String, status: Int32 = 0,
    reason: String = "", peer: String = "", count: Int64 = 1, firstAt: Timestamp,
    lastAt: Timestamp
  ) {
    self.number = number
    self.id = id
    self.kind = kind
    self.actorID = actorID
    self.tokenID = tokenID
    self.subjectID = subjectID
    self.method = method
    self.status = status
    self.reason = reason
    self.peer = peer
    self.count = count
    self.firstAt = firstAt
    self.lastAt = lastAt
  }
}

/// Which entries a reader wants; what is nil or empty bounds nothing.
package struct AuditQuery: Sendable, Hashable {
  package var actorID: EntityID?
  package var subjectID: EntityID?
  package var kinds: [AuditEntry.Kind] = []
  /// Entries whose last time is not before it.
  package var from: Timestamp?
  /// Entries whose first time is before it.
  package var until: Timestamp?

  package init() {}
}
