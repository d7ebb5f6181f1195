/// An event that a group has read and not settled.
package struct GroupEntry: Sendable, Hashable {
  package var position: Int64
  package var eventID: EntityID
  /// Entries with the same one are handed out one at a time, in order; nil: nothing of the kind.
  package var pin: EntityID?

  package init(position: Int64, eventID: EntityID, pin: EntityID?) {
    self.position = position
    self.eventID = eventID
    self.pin = pin
  }
}

/// A part of the log that was looked at for a group: what it wants of it.
package struct GroupReading: Sendable, Hashable {
  /// Where the group stood; where it stands elsewhere by now, another server has read, and this counts for
  /// nothing.
  package var after: Int64
  package var through: Int64
  package var entries: [GroupEntry]
  /// The log's epoch when it was read: in another one, or where the log does not reach so far, it counts for
  /// nothing either.
  package var epoch: UInt32

  package init(after: Int64, through: Int64, entries: [GroupEntry], epoch: UInt32) {
    self.after = after
    self.through = through
    self.entries = entries
    self.epoch = epoch
  }
}

/// An event in the hands of a consumer, until a time.
package struct GroupDelivery: Sendable, Hashable {
  package var position: Int64
  package var eventID: EntityID
  /// From 1.
  package var attempt: Int32
  /// To which connection of a consumer it was given.
  package var sessionID: EntityID
  /// When it goes to another one, by the store's clock.
  package var until: Timestamp

  package init(
    position: Int64, eventID: EntityID, attempt: Int32, sessionID: EntityID, until: Timestamp
  ) {
    self.position = position
    self.eventID = eventID
    self.attempt = attempt
    self.sessionID = sessionID
    self.until = until
  }
}

/// What a consumer says of an event that it has.
package enum SettleAction: Sendable, Hashable {
  /// Done; also what is not wanted.
  case done
  /// Again, later: nil means as the group's limits say.
  case retry(after: Duration?)
  /// Put aside.
  case park
  /// Its time begins anew.
  case extend
}

/// One settlement of one delivery. It holds only where the session still has it, from this attempt.
package struct Settlement: Sendable, Hashable {
  package var position: Int64
  package var sessionID: EntityID
  package var attempt: Int32
  package var action: SettleAction
  package var reason: String

  package init(
    position: Int64, sessionID: EntityID, attempt: Int32, action: SettleAction, reason: String = ""
  ) {
    self.position = position
    self.sessionID = sessionID
    self.attempt = attempt
    self.action = action
    self.reason = reason
  }

  package static let reasonMax = 1000
  package static let delayMax = Duration.seconds(86_400)
}

/// What one server tells and asks of one group, in one transaction: settlements, then what it has read, then
/// events for its consumers.
package struct GroupExchange: Sendable, Hashable {
  package var settlements: [Settlement] = []
  package var reading: GroupReading?
  /// The sessions that have room, each as often as it has room for an event, in the order in which they get
  /// them.
  package var rooms: [EntityID] = []

  package init() {}

  package static let roomMax = 1000
  package static let readingMax = 500
}

/// What came of an exchange.
package struct GroupExchanged: Sendable, Hashable {
  /// The group with its limits of now, as far as it is read.
  package var group: ConsumerGroup
  /// Of each settlement, whether it was held.
  package var settled: [Bool]
  package var deliveries: [GroupDelivery]
  /// How many events wait or are held, all in all.
  package var outstandingCount: Int
  package var parkedCount: Int
  /// When the next entry is due: one that waits for its retry, or is held for too long; nil: none.
  package var nextDue: Duration?

  package init(
    group: ConsumerGroup, settled: [Bool], deliveries: [GroupDelivery], outstandingCount: Int,
    parkedCount: Int, nextDue: Duration?
  ) {
    self.group = group
    self.settled = settled
    self.deliveries = deliveries
    self.outstandingCount = outstandingCount
    self.parkedCount = parkedCount
    self.nextDue = nextDue
  }
}

/// An event that a group has put aside.
package struct ParkedEntry: Sendable, Hashable {
  package var position: Int64
  package var eventID: EntityID
  package var attempt: Int32
  package var reason: String
  package var parkedAt: Timestamp

  package init(
    position: Int64, eventID: EntityID, attempt: Int32, reason: String, parkedAt: Timestamp
  ) {
    self.position = position
    self.eventID = eventID
    self.attempt = attempt
    self.reason = reason
    self.parkedAt = parkedAt
  }
}

/// A consumer that joins a group.
package struct GroupJoin: Sendable, Hashable {
  package var groupID: EntityID
  package var name: String
  /// Tells its process from others of its name: one that comes again takes its own place. Empty: never.
  package var instance: String
  package var userID: EntityID
  package var serverID: String
  /// Of the new connection.
  package var sessionID: EntityID

  package init(
    groupID: EntityID, name: String, instance: String, userID: EntityID, serverID: String,
    sessionID: EntityID
  ) {
    self.groupID = groupID
    self.name = name
    self.instance = instance
    self.userID = userID
    self.serverID = serverID
    self.sessionID = sessionID
  }

  /// For how long a name is kept for a server that says nothing.
  package static let lease = Duration.seconds(15)
}

package enum JoinOutcome: Sendable, Hashable {
  case joined
  /// Another consumer has the name.
  case nameTaken
  case tooManyConsumers
  /// The group is gone.
  case noGroup
}

/// A consumer that leaves, or whose connection broke.
package struct GroupLeave: Sendable, Hashable {
  package var groupID: EntityID
  package var sessionID: EntityID
  /// Positions of deliveries that were never sent to it: others get them at once, and the attempt does not count.
  package var unsent: [Int64]
  /// Whether the consumer said that it works on nothing any more. Where it did not, it may: what is pinned stays
  /// its own until its time is up.
  package var isOrderly: Bool

  package init(groupID: EntityID, sessionID: EntityID, unsent: [Int64], isOrderly: Bool) {
    self.groupID = groupID
    self.sessionID = sessionID
    self.unsent = unsent
    self.isOrderly = isOrderly
  }
}

/// A consumer that is connected.
package struct GroupConsumerStatus: Sendable, Hashable {
  package var name: String
  package var serverID: String
  package var connectedAt: Timestamp
  package var heldCount: Int64

  package init(name: String, serverID: String, connectedAt: Timestamp, heldCount: Int64) {
    self.name = name
    self.serverID = serverID
    self.connectedAt = connectedAt
    self.heldCount = heldCount
  }
}
