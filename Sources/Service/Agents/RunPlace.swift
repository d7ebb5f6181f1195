internal import Domain
internal import RPC

/// A place in what a stream shows of a run: after so many of the messages of an event.
struct RunPlace: Sendable, Hashable {
  let eventID: EntityID
  let messageCount: Int

  /// After all that shows the event.
  init(_ eventID: EntityID) { self.init(eventID, messageCount: .max) }

  init(_ eventID: EntityID, messageCount: Int) {
    self.eventID = eventID
    self.messageCount = messageCount
  }

  init(_ point: LogPoint) throws(RPCError) {
    switch point {
    case .event(let id, _): self.init(id)
    case .step(let id, let count): self.init(id, messageCount: count)
    case .position: throw RPCError.badCursor("is not of a run")
    }
  }
}
