/// Which agent a run is of; the raw value is what `agent_runs.kind` and the events' `agent` hold.
package enum AgentKind: String, Sendable, Hashable, CaseIterable {
  /// Proposes a goal with its tasks, and stores it.
  case goal
  /// Comments on code.
  case feedback
  /// Answers a question about a course.
  case advice
}

/// Where a run stands; the raw value is what `agent_runs.status` holds.
package enum AgentRunStatus: String, Sendable, Hashable, CaseIterable {
  case running
  case awaitingApproval = "awaiting_approval"
  case completed
  case failed
  case cancelled
  case rejected
}

/// One run of an agent. What it found and decided so far is in its events, under `version`.
package struct AgentRun: Sendable, Hashable {
  package var id: EntityID
  /// Whose goal, code or question it is, and who may see the run.
  package var learnerID: EntityID
  /// Who asked, and whose budget pays: the learner, or a service that acts for them.
  package var callerID: EntityID
  package var request: AgentRequest
  package var status: AgentRunStatus
  /// Version of the run's last event: 1 for the first, then without gaps; 0 before it.
  package var version: Int64
  /// The server that drives it, and for how long from the next write nobody else may.
  package var lease: AgentLease
  /// How often a server continued what another one left behind.
  package var takeoverCount: Int32
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, learnerID: EntityID, callerID: EntityID, request: AgentRequest,
    status: AgentRunStatus = .running, version: Int64 = 0, lease: AgentLease,
    takeoverCount: Int32 = 0, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.learnerID = learnerID
    self.callerID = callerID
    self.request = request
    self.status = status
    self.version = version
    self.lease = lease
    self.takeoverCount = takeoverCount
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  package var kind: AgentKind { request.kind }
}
