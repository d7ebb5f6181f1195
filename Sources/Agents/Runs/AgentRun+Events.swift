package import Domain
package import JSON

extension AgentRun {
  /// The next event of this run: moves the run on to it.
  package mutating func record(
    _ event: AgentRunEvent, id eventID: EntityID, at now: Timestamp, metadata: JSONValue
  ) -> NewEvent {
    version += 1
    status = event.status ?? status
    updatedAt = max(now, updatedAt)
    return NewEvent(
      id: eventID, type: event.type, entityType: .agentRun, entityID: id, version: version,
      userID: learnerID, payload: event.payload(of: self), metadata: metadata, createdAt: now)
  }

  /// An event that was recorded elsewhere, after those known here.
  package mutating func observe(_ event: AgentRunEvent, version: Int64, at time: Timestamp) {
    self.version = version
    status = event.status ?? status
    updatedAt = max(time, updatedAt)
  }
}
