/// A part of the log, and what of it is wanted.
package struct EventWindow: Sendable, Hashable {
  package var after: Int64
  /// The last position that is looked at. The log reached it when it was asked for.
  package var through: Int64
  package var filter: EventFilter

  package init(after: Int64, through: Int64, filter: EventFilter = EventFilter()) {
    self.after = after
    self.through = through
    self.filter = filter
  }
}

/// What one read of a window may take.
package struct WindowLimits: Sendable, Hashable {
  /// How many events are returned.
  package var eventCount: Int
  /// What they take together, as the log counts it; the last one may exceed it.
  package var byteCount: Int
  /// How many events are looked at, wanted or not, where their leading property (`EventInterest`)
  /// has one value; with several it is shared out among them, and each has eight at least.
  package var lookedCount: Int

  package init(eventCount: Int, byteCount: Int = .max, lookedCount: Int) {
    self.eventCount = max(1, eventCount)
    self.byteCount = max(1, byteCount)
    self.lookedCount = max(1, lookedCount)
  }
}

/// What was found of a window.
package struct WindowPage: Sendable, Hashable {
  package var events: [StoredEvent]
  /// Up to here there is no further wanted event; after the window's `after`, unless the window is
  /// empty.
  package var completeTo: Int64
  /// How many events were looked at.
  package var lookedCount: Int
  /// The log's epoch in the same snapshot; nil where nothing was read.
  package var epoch: UInt32?

  package init(
    events: [StoredEvent], completeTo: Int64, lookedCount: Int, epoch: UInt32? = nil
  ) {
    self.events = events
    self.completeTo = completeTo
    self.lookedCount = lookedCount
    self.epoch = epoch
  }
}

/// A part of the log that was read at once.
package struct LogPage: Sendable, Hashable {
  package var events: [StoredEvent]
  /// Whether the log ended there when it was read.
  package var isEnd: Bool
  /// The log's current epoch in the moment of the read (`LogEpoch.id`): what was read is of a history
  /// that has it. Nil where nothing was read.
  package var epoch: UInt32?

  package init(events: [StoredEvent], isEnd: Bool, epoch: UInt32?) {
    self.events = events
    self.isEnd = isEnd
    self.epoch = epoch
  }
}

/// The log as readers see it: sequenced events by position, densely from 1.
package protocol EventLog: Sendable {
  /// The first wanted events of the window, in order: a learner's own alone, and of others' to an
  /// instructor those of the instructor's courses. Which of these the instructor may see is not
  /// decided here.
  ///
  /// The work is bounded by the limits and not by the window: where they end it, `completeTo` says
  /// where to continue.
  func events(
    in window: EventWindow, limits: WindowLimits, scope: AccessScope
  ) async throws(StoreError) -> WindowPage
  /// The events after `position`, in order, unfiltered: at most `limit`, and no further one once they
  /// take about `byteCountMax` together, so that the last one may exceed it.
  func page(
    after position: Int64, limit: Int, byteCountMax: Int
  ) async throws(StoreError) -> LogPage
  /// The events at these positions, which are in order: at most those that come before they take about
  /// `byteCountMax` together, but one at least.
  func events(
    at positions: [Int64], byteCountMax: Int
  ) async throws(StoreError) -> [StoredEvent]
  /// Up to where events have left the store. Other reads find them all the same, where the archive can
  /// be read.
  func floor() async throws(StoreError) -> LogFloor
  /// The end of the log as it is now; nil where more than `unsequencedMax` events have no position
  /// yet.
  func end(unsequencedMax: Int) async throws(StoreError) -> LogEnd?
  /// The last sequenced position; 0 where there is none.
  func head() async throws(StoreError) -> Int64
  /// Which log it is, and its epochs. A position that is read is of this history, or of one that a later
  /// call returns: an epoch is written before any position of it.
  func history() async throws(StoreError) -> LogHistory
  /// Begins an epoch where the log has lost what `loss` says, and returns its history. Does nothing where
  /// it has not: also where another one declared it first.
  func declare(_ loss: LogLoss) async throws(StoreError) -> LogHistory
  /// Whether the event is in the log, with a position or without.
  func contains(_ eventID: EntityID) async throws(StoreError) -> Bool
  /// The position of an event: nil while it is not sequenced, or where there is no such event.
  func position(of eventID: EntityID) async throws(StoreError) -> Int64?
  /// The newest event that is committed and has no position yet; nil where every event has one.
  func newestUnsequenced() async throws(StoreError) -> EntityID?
  /// The position before the first event made after `time` (by created_at): what a reader who wants
  /// everything since `time` starts from. Commits may overtake each other by 10,000 events at most.
  func position(at time: Timestamp) async throws(StoreError) -> Int64
  /// A user's events made at or after `from` and before `to` that are not in the lake yet: those
  /// after `position`, in order, then those without a position (given as 0), all of one snapshot.
  /// Visible to the user and to those who see everybody. What has left the store is not part of it: where
  /// that may be asked for, this fails.
  func tail(
    user: EntityID, from: Timestamp, to: Timestamp, after position: Int64, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent]
}

extension EventLog {
  /// One after the other.
  package func events(
    at positions: [Int64], byteCountMax: Int
  ) async throws(StoreError) -> [StoredEvent] {
    var events: [StoredEvent] = []
    var byteCount = 0
    for position in positions where byteCount < max(1, byteCountMax) {
      let page = try await page(after: position - 1, limit: 1, byteCountMax: 1)
      guard let event = page.events.first, event.position == position else {
        throw .corrupt("there is no event at the position \(position)")
      }
      events.append(event)
      byteCount += event.payload.byteCount + event.metadata.byteCount
    }
    return events
  }

  /// Whether the log has this event at this position. False only where it shows another one there:
  /// what is not there to compare is no evidence of a loss, nor is what has left the store.
  package func agrees(
    on eventID: EntityID, at position: Int64
  ) async throws(StoreError) -> Bool {
    let floor = try await floor()
    if position < floor.position { return true }
    if position == floor.position, position > 0 { return eventID == floor.eventID }
    do throws(StoreError) {
      if try await self.position(of: eventID) == position { return true }
    } catch .archived {
      // Not above the floor, where it should be.
    }
    let there = try await page(after: position - 1, limit: 1, byteCountMax: 1).events.first
    return there.map { $0.position != position || $0.id == eventID } ?? true
  }
}

/// The live end of the log in this process, for those that wait for what is committed next.
package protocol LiveLog: Sendable {
  /// The last position that was seen here; nil before the first.
  var head: Int64? { get }
  /// Whether this server goes away: whoever waits is to end and let another one continue.
  var isDraining: Bool { get }
  /// At most `limit` events after `position`, as far as they are still held here.
  func events(after position: Int64, limit: Int) -> LiveEvents
  /// Returns when there may be something after `position`, when the server drains, or when the task
  /// is cancelled.
  func wait(after position: Int64) async
}

/// What the live end has after a position.
package enum LiveEvents: Sendable, Hashable {
  case events([StoredEvent])
  /// Nothing yet.
  case empty
  /// It does not go back that far: the log itself does.
  case gone
}

/// The one writer of positions in a deployment. Its methods run on the connection that holds the
/// lock, so that losing one is losing the other.
package protocol EventSequencer: Sendable {
  /// Gives the next positions to at most `limit` committed events, in the order of insertion, and
  /// returns them; nil while another server holds the lock (ask again: it is taken over when that
  /// server ends).
  func sequence(limit: Int) async throws(StoreError) -> [StoredEvent]?
}
