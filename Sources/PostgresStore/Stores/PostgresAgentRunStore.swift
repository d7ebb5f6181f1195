package import Domain
import JSON

package struct PostgresAgentRunStore: AgentRunStore {
  private static let pageMaximum = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func run(_ id: UUIDv7, scope: AccessScope) async throws(StoreError) -> AgentRun? {
    try await database.rows(
      AgentRunStatements.byID { parameters in
        parameters.append(scope.role.seesEverybody)
        parameters.append(scope.callerID)
        parameters.append(id)
      }
    ).first(Self.run)
  }

  package func events(
    ofRun id: UUIDv7, after version: Int64, limit: Int
  ) async throws(StoreError) -> [StoredEvent] {
    try await database.rows(
      AgentRunStatements.events { parameters in
        parameters.append(id)
        parameters.append(version)
        parameters.append(Int64(max(0, min(limit, Self.pageMaximum))))
      }
    ).map(StoredEvent.init)
  }

  package func renew(
    _ lease: AgentLease, ofRun id: UUIDv7
  ) async throws(StoreError) -> Bool {
    let call = AgentRunStatements.renew { parameters in
      parameters.append(id)
      parameters.append(lease.owner)
      parameters.append(lease.until)
    }
    return try await database.run(StatementUnit([call], isWrite: true)).first?.first != nil
  }

  package func release(
    ofRun id: UUIDv7, owner: String, at now: Timestamp
  ) async throws(StoreError) {
    let call = AgentRunStatements.release { parameters in
      parameters.append(id)
      parameters.append(owner)
      parameters.append(now)
    }
    _ = try await database.run(StatementUnit([call], isWrite: true))
  }

  package func takeOver(
    _ id: UUIDv7, _ lease: AgentLease, isAlone: Bool, at now: Timestamp
  ) async throws(StoreError) -> AgentRun? {
    let call = AgentRunStatements.takeOver { parameters in
      parameters.append(lease.owner)
      parameters.append(isAlone)
      parameters.append(now)
      parameters.append(id)
      parameters.append(lease.until)
    }
    return try await database.run(StatementUnit([call], isWrite: true)).first?.first(Self.run)
  }

  package func abandoned(
    by owner: String, isAlone: Bool, at now: Timestamp, limit: Int
  ) async throws(StoreError) -> [AbandonedRun] {
    try await database.rows(
      AgentRunStatements.abandoned { parameters in
        parameters.append(owner)
        parameters.append(isAlone)
        parameters.append(now)
        parameters.append(Int64(max(0, min(limit, Self.pageMaximum))))
      }
    ).map { (row) throws(StoreError) in
      AbandonedRun(
        id: try row.uuid(0), kind: AgentKind(rawValue: try row.text(1)),
        leaseUntil: try row.timestamp(2))
    }
  }

  private static func run(_ row: Row) throws(StoreError) -> AgentRun {
    guard let json = JSONValue(parsing: try row.json(4)),
      let request = AgentRequest(try row.value(1), json: json)
    else { throw .corrupt("the request of a run cannot be read") }
    return AgentRun(
      id: try row.uuid(0), learnerID: try row.uuid(2), callerID: try row.uuid(3),
      request: request, status: try row.value(5), version: try row.int64(6),
      lease: AgentLease(owner: try row.text(7), until: try row.timestamp(8)),
      takeoverCount: try row.int32(9), createdAt: try row.timestamp(10),
      updatedAt: try row.timestamp(11))
  }
}

/// Counts by the hour: what is asked since a moment includes all of that moment's hour, so that a
/// budget is met early rather than late.
package struct PostgresModelUsageStore: ModelUsageStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func usage(
    of callerID: UUIDv7, since: Timestamp
  ) async throws(StoreError) -> ModelUsage {
    try await database.rows(
      AgentRunStatements.usage { parameters in
        parameters.append(callerID)
        parameters.append(since)
      }
    ).first { (row) throws(StoreError) in
      ModelUsage(
        promptTokenCount: try row.int64(0), replyTokenCount: try row.int64(1),
        costMicros: try row.int64(2))
    } ?? ModelUsage()
  }

  package func record(
    _ usage: ModelUsage, of callerID: UUIDv7, at now: Timestamp
  ) async throws(StoreError) {
    let call = AgentRunStatements.recordUsage { parameters in
      parameters.append(callerID)
      parameters.append(now)
      parameters.append(usage.promptTokenCount)
      parameters.append(usage.replyTokenCount)
      parameters.append(usage.costMicros)
    }
    _ = try await database.run(StatementUnit([call], isWrite: true))
  }
}
