internal import Contract
internal import Domain
internal import RPC

struct ServerService: ServerServiceHandler {
  private static let listMax = 1000

  let log: any EventLog
  let cursors: CursorCodec
  let clock: any TimeSource
  let info: ServerInfo
  let inspection: ServerInspection
  let quotas: QuotaParts?
  let admission: CallAdmission
  /// Nil where this server keeps no audit.
  let audit: (any AuditStore)?

  /// Open to everybody, also to those without a token.
  func getServerInfo(
    _ request: GetServerInfoRequest, _ context: CallContext
  ) async throws -> GetServerInfoResponse {
    GetServerInfoResponse(
      serverId: info.serverID, version: info.version,
      startedAt: Contract.Timestamp(info.startedAt), protocol: info.protocolName,
      now: Contract.Timestamp(clock.now()))
  }

  func listConnections(
    _ request: ListConnectionsRequest, _ context: CallContext
  ) async throws -> ListConnectionsResponse {
    let all = await inspection.connections()
    let shown = all.sorted { $0.id < $1.id }.prefix(Self.listMax)
    return ListConnectionsResponse(
      connections: shown.map(ConnectionInfo.init), total: Int64(all.count))
  }

  func listCalls(
    _ request: ListCallsRequest, _ context: CallContext
  ) async throws -> ListCallsResponse {
    let all = await inspection.calls()
    let shown = all.sorted { $0.age > $1.age }.prefix(Self.listMax)
    return ListCallsResponse(calls: shown.map(CallInfo.init), total: Int64(all.count))
  }

  func getPipelines(
    _ request: GetPipelinesRequest, _ context: CallContext
  ) async throws -> GetPipelinesResponse {
    let pipelines = try await inspection.pipelines() + inspection.otherPipelines()
    let head = try await log.head()
    var response = GetPipelinesResponse()
    // Several are at one place.
    var ages: [Int64: Int64] = [:]
    for pipeline in pipelines {
      let lag = pipeline.lagCount ?? max(0, head - pipeline.position)
      if lag > 0, ages[pipeline.position] == nil {
        ages[pipeline.position] = try await age(ofEventAfter: pipeline.position)
      }
      response.pipelines.append(
        PipelineInfo(
          name: pipeline.name, cursor: cursors.cursor(pipeline.position), lagEvents: lag,
          lastError: pipeline.lastError,
          condition: PipelineCondition(pipeline.publication?.condition),
          conditionSince: pipeline.publication.map { Contract.Timestamp($0.since) },
          unsettledMessages: pipeline.publication?.unconfirmedCount ?? 0,
          lagUs: lag > 0 ? ages[pipeline.position] ?? 0 : 0,
          waiting: pipeline.waitingCount, detail: pipeline.detail))
    }
    return response
  }

  /// How long ago the first event after a position was made, in microseconds; 0 where that cannot be told.
  private func age(ofEventAfter position: Int64) async throws(StoreError) -> Int64 {
    do throws(StoreError) {
      let next = try await log.page(after: position, limit: 1, byteCountMax: 1).events.first
      guard let next else { return 0 }
      return max(
        0, clock.now().microsecondsSinceEpoch - next.createdAt.microsecondsSinceEpoch)
    } catch {
      // What has left for a lake that is not here is behind all the same.
      if case .archived = error { return 0 }
      throw error
    }
  }

  func flushLake(
    _ request: FlushLakeRequest, _ context: CallContext
  ) async throws -> FlushLakeResponse {
    guard let flush = inspection.flushLake else {
      throw RPCError(.failedPrecondition, "this server writes no lake")
    }
    let (position, rowCount) = try await flush()
    return FlushLakeResponse(cursor: cursors.cursor(position), rows: rowCount)
  }
}

extension PipelineCondition {
  fileprivate init(_ condition: PublicationCondition?) {
    self =
      switch condition {
      case nil: .unspecified
      case .connected: .connected
      case .blocked: .blocked
      case .away: .away
      }
  }
}

extension ConnectionInfo {
  fileprivate init(_ state: ConnectionState) {
    self.init(
      id: Int64(clamping: state.id), peer: state.peer, agent: state.agent, userId: state.userID,
      streams: Int32(clamping: state.streamCount),
      openedAt: Contract.Timestamp(state.openedAt), bytesIn: state.byteCountIn,
      bytesOut: state.byteCountOut, minorVersion: UInt32(state.minorVersion),
      encodings: state.encodings, creditLeft: Int64(state.creditLeft),
      creditOwed: Int64(state.creditOwed), keptBytes: Int64(state.keptByteCount),
      waitingCalls: Int32(clamping: state.waitingCallCount), draining: state.isDraining)
  }
}

extension CallInfo {
  fileprivate init(_ state: CallState) {
    self.init(
      connectionId: Int64(clamping: state.connectionID), streamId: state.streamID,
      method: state.method, userId: state.userID, ageUs: state.age.wholeMicroseconds,
      kind: state.kind.shownName,
      deadlineLeftUs: state.timeLeft.map { max(1, $0.wholeMicroseconds) } ?? 0,
      phase: Contract.CallPhase(state.phase), traceId: state.traceID)
  }
}

extension Contract.CallPhase {
  fileprivate init(_ phase: CallStage) {
    self =
      switch phase {
      case .awaitingCaller: .awaitingCaller
      case .awaitingRequest: .awaitingRequest
      case .awaitingTurn: .awaitingTurn
      case .running: .running
      case .awaitingCredit: .awaitingCredit
      }
  }
}
