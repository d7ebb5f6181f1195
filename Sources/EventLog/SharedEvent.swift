package import Domain
internal import Synchronization

/// An event on its way to any number of subscribers: what it concerns is read once, and its message
/// is encoded once.
package final class SharedEvent: Sendable {
  /// An event as it is sent.
  package struct Rendering: Sendable {
    package let cursor: String
    /// The encoded message.
    package let bytes: [UInt8]

    package init(cursor: String, bytes: [UInt8]) {
      self.cursor = cursor
      self.bytes = bytes
    }
  }

  package let event: StoredEvent
  package let facts: EventFacts
  /// What watchers see of the metadata. Read here with the facts, and not on an event loop.
  package let shownMetadata: String
  private let rendering = Mutex<Rendering?>(nil)

  package convenience init(_ event: StoredEvent) {
    self.init(event, shownMetadata: event.shownMetadata)
  }

  private init(_ event: StoredEvent, shownMetadata: String) {
    self.event = event
    facts = EventFacts(of: event)
    self.shownMetadata = shownMetadata
  }

  /// The events of one write have one metadata: what is shown of it is made once for those that follow
  /// each other, but where something in it is each event's own.
  static func all(_ events: [StoredEvent]) -> [SharedEvent] {
    var shared: [SharedEvent] = []
    shared.reserveCapacity(events.count)
    for event in events {
      if let last = shared.last, last.event.metadata == event.metadata,
        event.metadata.isReadAlikeInEveryEvent
      {
        shared.append(SharedEvent(event, shownMetadata: last.shownMetadata))
      } else {
        shared.append(SharedEvent(event))
      }
    }
    return shared
  }

  /// About what it takes in memory, once its message is made too.
  var byteCount: Int { 2 * (event.payload.byteCount + event.metadata.byteCount) + 512 }

  /// What `render` made of the event the first time that it was asked for: the same for everybody.
  package func rendered(by render: (StoredEvent) -> Rendering) -> Rendering {
    if let known = rendering.withLock({ $0 }) { return known }
    // Rendering outside the lock: two may do it at a time, with the same result.
    let made = render(event)
    rendering.withLock { $0 = made }
    return made
  }
}
