/// A consumer group: which events of the log it hands out, and how.
///
/// What it wants is read in the order of the log. Of what was read, each event that is not settled has an
/// entry; everything before the first of them is settled or parked.
package struct ConsumerGroup: Sendable, Hashable {
  package var id: EntityID
  /// Unique among all groups.
  package var name: String
  /// Who made it: it is theirs and every admin's.
  package var userID: EntityID
  package var filter: EventFilter
  package var strategy: GroupStrategy
  /// Events that happened before are not wanted; nil: no bound.
  package var from: Timestamp?
  package var limits: GroupLimits
  /// The log was read up to here.
  package var readPosition: Int64
  /// Goes up with each change of the limits.
  package var version: Int64
  package var createdAt: Timestamp

  package init(
    id: EntityID, name: String, userID: EntityID, filter: EventFilter, strategy: GroupStrategy,
    from: Timestamp?, limits: GroupLimits, readPosition: Int64, version: Int64 = 1,
    createdAt: Timestamp
  ) {
    self.id = id
    self.name = name
    self.userID = userID
    self.filter = filter
    self.strategy = strategy
    self.from = from
    self.limits = limits
    self.readPosition = readPosition
    self.version = version
    self.createdAt = createdAt
  }

  /// How many groups there may be.
  package static let countMax = 10_000
  /// How many consumers of one group may be connected.
  package static let consumerMax = 1000

  /// 1 to 100 characters of a-z, 0-9, `-` and `_`.
  package static func isName(_ name: String) -> Bool {
    isText(name) { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }

  /// 1 to 100 characters of a-z, 0-9, `.`, `-` and `_`.
  package static func isConsumerName(_ name: String) -> Bool {
    isText(name) {
      $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
    }
  }

  private static func isText(_ text: String, _ mayHave: (UInt8) -> Bool) -> Bool {
    (1...100).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || mayHave($0)
      }
  }

  /// What the events of one entity have in common, where they are handed out one at a time.
  package func pin(of event: StoredEvent) -> EntityID? {
    strategy == .pinned ? event.entityID : nil
  }
}

/// How a group shares its events out; the raw value is what the store holds.
package enum GroupStrategy: String, Sendable, Hashable, CaseIterable {
  case roundRobin = "round_robin"
  /// The events of one entity one at a time, in order.
  case pinned
}

/// The bounds of a group.
package struct GroupLimits: Sendable, Hashable {
  /// How often an event is tried before it is parked.
  package var attemptMax: Int32 = 10
  /// How long a consumer has to settle an event.
  package var ackTimeout: Duration = .seconds(30)
  /// How long a retried event waits after its first attempt; twice as long after each further one.
  package var retryDelay: Duration = .seconds(1)
  package var retryDelayMax: Duration = .seconds(300)
  /// How many events may be unsettled before the group reads no further.
  package var outstandingMax: Int32 = 1000
  /// How many events may be parked before the group stands still.
  package var parkedMax: Int32 = 10_000

  package init() {}

  package static let attemptRange: ClosedRange<Int32> = 1...1000
  package static let ackTimeoutRange: ClosedRange<Duration> = .milliseconds(100) ... .seconds(3600)
  package static let retryDelayRange: ClosedRange<Duration> = .zero ... .seconds(86_400)
  package static let outstandingRange: ClosedRange<Int32> = 1...10_000
  package static let parkedRange: ClosedRange<Int32> = 1...100_000

  /// How long an event waits that is retried after `attempt` attempts.
  package func delay(afterAttempt attempt: Int32) -> Duration {
    var delay = retryDelay
    for _ in 1..<max(1, min(attempt, 64)) where delay < retryDelayMax { delay = delay * 2 }
    return min(delay, retryDelayMax)
  }
}

/// A group, how far it is and what it holds, all of one moment.
package struct GroupStatus: Sendable, Hashable {
  package var group: ConsumerGroup
  /// The first position that is neither settled nor parked, of those that were read.
  package var firstUnsettled: Int64?
  package var waitingCount: Int64
  package var heldCount: Int64
  package var parkedCount: Int64
  package var consumerCount: Int64

  package init(
    group: ConsumerGroup, firstUnsettled: Int64?, waitingCount: Int64, heldCount: Int64,
    parkedCount: Int64, consumerCount: Int64
  ) {
    self.group = group
    self.firstUnsettled = firstUnsettled
    self.waitingCount = waitingCount
    self.heldCount = heldCount
    self.parkedCount = parkedCount
    self.consumerCount = consumerCount
  }

  /// Everything up to here is settled or parked.
  package var settledPosition: Int64 {
    firstUnsettled.map { min($0 - 1, group.readPosition) } ?? group.readPosition
  }
}
