package import Domain

/// What was decided on what was read: what to write, and what to answer once it is written.
package struct Decision<Response> {
  package var changes: [Change]
  package var events: [NewEvent]
  package var response: Response
  /// Whether a repeat of the request under its key is to get this reply: where it changed something.
  package var isRemembered: Bool

  /// - Parameter isRemembered: nil where all that the request changes is here.
  package init(
    changes: [Change], events: [NewEvent], response: Response, isRemembered: Bool? = nil
  ) {
    self.changes = changes
    self.events = events
    self.response = response
    self.isRemembered = isRemembered ?? !(changes.isEmpty && events.isEmpty)
  }

  /// The reply of a request that changes nothing.
  package static func unchanged(_ response: Response) -> Decision {
    Decision(changes: [], events: [], response: response)
  }
}

/// What became of a request to write.
package enum Written<Response> {
  case committed(Response)
  /// It was committed before; here is what it was answered with.
  case repeated([UInt8])
}

extension Written: Sendable where Response: Sendable {}

/// Why nothing was written, besides what a decision or the store says.
package enum WriteError: Error, Sendable, Hashable {
  /// The key was used for another request.
  case keyConflict
  /// Others were first, again and again.
  case contention
}
