internal import Contract
internal import Domain
internal import RPC

extension ServerService {
  func getStatistics(
    _ request: GetStatisticsRequest, _ context: CallContext
  ) async throws -> GetStatisticsResponse {
    let statistics = await inspection.statistics()
    let (now, instant) = (clock.now(), ContinuousClock.now)
    var server = Contract.ServerStatistics(statistics)
    server.serverId = info.serverID
    server.startedAt = Contract.Timestamp(info.startedAt)
    server.now = Contract.Timestamp(now)
    return GetStatisticsResponse(
      server: server,
      methods: statistics.methods.map {
        Contract.MethodStatistics($0, hasBuckets: !request.withoutBuckets)
      },
      slowCalls: statistics.slowCalls.map { call in
        Contract.SlowCall(
          call, endedAt: now.advanced(by: .zero - call.endedAt.duration(to: instant)))
      },
      classes: admission.loads.map(CallClassInfo.init))
  }
}

extension CallClassInfo {
  fileprivate init(_ load: AdmissionLoad) {
    self.init(
      cost: load.cost.rawValue, running: Int32(clamping: load.insideCount),
      runningMax: Int32(clamping: load.insideMax), waiting: Int32(clamping: load.waitingCount),
      waitingUsers: Int32(clamping: load.waitingCallerCount), shedding: load.isShedding,
      slowdown: load.slowdown, meanUs: load.meanTime.wholeMicroseconds,
      refusedForDeadline: Int64(load.refusals.deadlineCount),
      refusedForOverload: Int64(load.refusals.overloadCount),
      overdue: Int64(load.refusals.overdueCount))
  }
}

extension MethodKind {
  /// As the contract says it: `MethodInfo.kind` and others.
  var shownName: String {
    switch self {
    case .unary: "unary"
    case .serverStreaming: "server_stream"
    case .clientStreaming: "client_stream"
    case .bidirectional: "bidi"
    }
  }
}

extension Contract.ServerStatistics {
  fileprivate init(_ statistics: ServerTotals) {
    self.init(
      connections: Int64(statistics.connectionCount),
      acceptedConnections: Int64(statistics.acceptedConnectionCount),
      refusedConnections: Int64(statistics.refusedConnectionCount),
      openCalls: Int64(clamping: statistics.openCallCount),
      bytesIn: Int64(clamping: statistics.byteCountIn),
      bytesOut: Int64(clamping: statistics.byteCountOut),
      memory: statistics.memory.map {
        MemoryUse(name: $0.name, bytes: Int64($0.byteCount), bytesMax: Int64($0.byteCountMax))
      },
      refusals: RefusalReason.allCases.compactMap { reason in
        let count = statistics.refusals[reason.index]
        return count > 0
          ? RefusalCount(reason: reason.rawValue, count: Int64(clamping: count)) : nil
      },
      eventLoops: statistics.loops.map {
        EventLoopInfo(lagUs: $0.lag.wholeMicroseconds, lagPeakUs: $0.lagPeak.wholeMicroseconds)
      },
      cpuUs: statistics.processorTime.wholeMicroseconds,
      residentBytes: Int64(clamping: statistics.residentByteCount),
      slowCallUs: statistics.slowCallMin?.wholeMicroseconds ?? 0)
  }
}

extension Contract.MethodStatistics {
  fileprivate init(_ statistics: MethodTotals, hasBuckets: Bool) {
    let latency = statistics.latency
    self.init(
      method: statistics.method.path, kind: statistics.method.kind.shownName,
      statuses: statistics.ends.map { status, count in
        StatusCount(status: status, count: Int64(clamping: count))
      },
      started: Int64(clamping: statistics.startedCount),
      open: Int64(clamping: statistics.openCount),
      bytesIn: Int64(clamping: statistics.byteCountIn),
      bytesOut: Int64(clamping: statistics.byteCountOut),
      totalUs: Int64(clamping: latency.totalMicroseconds),
      p50Us: Int64(clamping: latency.quantile(0.5)),
      p90Us: Int64(clamping: latency.quantile(0.9)),
      p99Us: Int64(clamping: latency.quantile(0.99)),
      maxUs: Int64(clamping: latency.maximumMicroseconds),
      buckets: hasBuckets ? Self.buckets(latency) : [])
  }

  private static func buckets(_ latency: LatencyHistogram) -> [LatencyBucket] {
    latency.counts.enumerated().filter { $0.element > 0 }.map { bucket, count in
      LatencyBucket(
        upperUs: Int64(clamping: LatencyHistogram.upperBound(ofBucket: bucket)),
        count: Int64(clamping: count))
    }
  }
}

extension Contract.SlowCall {
  fileprivate init(_ call: SlowCallRecord, endedAt: Domain.Timestamp) {
    self.init(
      method: call.method, userId: call.userID, durationUs: call.duration.wholeMicroseconds,
      status: "\(call.status)", traceId: call.traceID, endedAt: Contract.Timestamp(endedAt))
  }
}
