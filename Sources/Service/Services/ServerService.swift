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
    let pipelines = try await inspection.pipelines()
    let head = try await log.head()
    return GetPipelinesResponse(
      pipelines: pipelines.map { pipeline in
        PipelineInfo(
          name: pipeline.name, cursor: cursors.cursor(pipeline.position),
          lagEvents: max(0, head - pipeline.position), lastError: pipeline.lastError)
      })
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

extension ConnectionInfo {
  fileprivate init(_ state: ConnectionState) {
    self.init(
      id: Int64(clamping: state.id), peer: state.peer, agent: state.agent, userId: state.userID,
      streams: Int32(clamping: state.streamCount),
      openedAt: Contract.Timestamp(state.openedAt), bytesIn: state.byteCountIn,
      bytesOut: state.byteCountOut)
  }
}

extension CallInfo {
  fileprivate init(_ state: CallState) {
    let (seconds, attoseconds) = state.age.components
    self.init(
      connectionId: Int64(clamping: state.connectionID), streamId: state.streamID,
      method: state.method, userId: state.userID,
      ageUs: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }
}
