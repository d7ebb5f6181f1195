package import Domain

package struct PostgresAgentRunStore: AgentRunStore {
  private static let pageMax = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func run(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> AgentRun? {
    try await database.rows(AgentRunStatements.byID(scope, id), as: Viewer(scope))
      .first(AgentRunRow.read)
  }

  package func events(
    ofRun id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    try await database.rows(
      AgentRunStatements.events(scope, id, version, Self.bounded(limit)), as: Viewer(scope)
    ).map(EventRow.read)
  }

  package func renew(
    _ lease: AgentLease, ofRun id: EntityID
  ) async throws(StoreError) -> Bool {
    try await database.write(
      AgentRunStatements.renew(id, lease.owner, lease.microseconds), for: .agents
    ).count > 0
  }

  package func release(ofRun id: EntityID, owner: String) async throws(StoreError) {
    _ = try await database.write(AgentRunStatements.release(id, owner), for: .agents)
  }

  package func takeOver(
    _ id: EntityID, _ lease: AgentLease, isAlone: Bool
  ) async throws(StoreError) -> AgentRun? {
    try await database.write(
      AgentRunStatements.takeOver(Parameters(lease.owner, isAlone), id, lease.microseconds),
      for: .agents
    ).first(AgentRunRow.read)
  }

  package func abandoned(
    by owner: String, isAlone: Bool, limit: Int
  ) async throws(StoreError) -> [AbandonedRun] {
    try await database.rows(
      AgentRunStatements.abandoned(Parameters(owner, isAlone), Self.bounded(limit)),
      as: .system(.agents)
    ).map { (row) throws(StoreError) in
      let (id, kind, microseconds): (EntityID, String, Int64) = try row.values()
      return AbandonedRun(
        id: id, kind: AgentKind(rawValue: kind), overFor: .microseconds(microseconds))
    }
  }

  private static func bounded(_ limit: Int) -> Int64 { Int64(max(0, min(limit, pageMax))) }
}

/// Counts by the hour: what is asked since a moment includes all of that moment's hour, so that a
/// budget is met early rather than late.
package struct PostgresModelUsageStore: ModelUsageStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func usage(
    of callerID: EntityID, since: Timestamp
  ) async throws(StoreError) -> ModelUsage {
    try await database.rows(
      AgentRunStatements.usage(callerID, since), as: .own(callerID)
    ).first { (row) throws(StoreError) in
      let (prompt, reply, cost): (Int64, Int64, Int64) = try row.values()
      return ModelUsage(promptTokenCount: prompt, replyTokenCount: reply, costMicros: cost)
    } ?? ModelUsage()
  }

  package func record(
    _ usage: ModelUsage, of callerID: EntityID, at now: Timestamp
  ) async throws(StoreError) {
    _ = try await database.write(
      AgentRunStatements.recordUsage(
        callerID, now, usage.promptTokenCount, usage.replyTokenCount, usage.costMicros),
      for: .usage)
  }
}
