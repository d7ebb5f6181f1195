package import Domain

package struct PostgresAgentRunStore: AgentRunStore {
  private static let pageMax = 1000
  /// Places that are looked at together in the archive, and what their events may take.
  private static let placesMax: Int64 = 200
  private static let archivedByteMax = 4 << 20

  private let database: PostgresDatabase
  private let log: PostgresEventLog

  /// - Parameter archive: what has the runs' events that have left the database.
  package init(_ database: PostgresDatabase, archive: (any ArchivedLog)? = nil) {
    self.database = database
    log = PostgresEventLog(database, archive: archive)
  }

  package func run(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> AgentRun? {
    try await database.rows(AgentRunStatements.byID(scope, id), as: Viewer(scope))
      .first(AgentRunRow.read)
  }

  package func events(
    ofRun id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    let rows = try await database.rows(
      AgentRunStatements.events(scope, id, version, Self.bounded(limit)), as: Viewer(scope))
    let isEmpty = try rows.first?.value(1, as: Int64?.self) == nil
    let events = isEmpty ? [] : try rows.map(EventRow.read)
    let floor: Int64 = try rows.first?.value(EventRow.width) ?? 0
    // Versions have no gaps: where the next one is not here, it has left.
    guard floor > 0, events.first?.version != version + 1 else { return events }
    let archived = try await archivedEvents(ofRun: id, after: version, limit: limit, scope: scope)
    return Array((archived + events).prefix(Int(Self.bounded(limit))))
  }

  /// Those of the run's events that have left, among what its learner did while it was under way.
  private func archivedEvents(
    ofRun id: EntityID, after version: Int64, limit: Int, scope: AccessScope
  ) async throws(StoreError) -> [StoredEvent] {
    let times = try await database.rows(
      EventStatements.timesOfRun(scope, id), as: Viewer(scope)
    ).first { (row) throws(StoreError) -> (Timestamp, Timestamp) in try row.values() }
    guard let (began, ended) = times else { return [] }
    // Clocks of several servers, and of the moment before a commit.
    var position = try await log.position(at: began.advanced(by: .seconds(-60)))
    let last = try await log.position(at: ended.advanced(by: .seconds(60)))
    var found: [StoredEvent] = []
    while position < last, found.count < limit {
      let rows = try await database.rows(
        EventStatements.placesOfRun(scope, id, position, last, Self.placesMax),
        as: Viewer(scope))
      guard let first = rows.first else { break }
      let places = try rows.places(from: EventStatements.floorWidth)
      guard !places.isEmpty else { break }
      let events = try await log.archived(
        places, EventStatements.floor(of: first, from: 0), byteCountMax: Self.archivedByteMax,
        for: scope.callerID)
      found += events.filter {
        $0.entityID == id && $0.entityType == EntityType.agentRun.rawValue && $0.version > version
      }
      position = events.last?.position ?? last
    }
    return found
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
