package import Domain
package import RPC

extension MetricFamily {
  /// A server in numbers.
  package static func of(_ statistics: ServerTotals) -> [MetricFamily] {
    ofCalls(statistics) + ofPeers(statistics) + ofProcess(statistics)
  }

  private static func ofCalls(_ statistics: ServerTotals) -> [MetricFamily] {
    let methods = statistics.methods
    func points(_ value: (MethodTotals) -> UInt64) -> [Point] {
      methods.map { Point(.number(Double(value($0))), [Label("method", $0.method.path)]) }
    }
    let ends = methods.flatMap { method in
      method.ends.map { status, count in
        Point(
          .number(Double(count)),
          [Label("method", method.method.path), Label("status", status)])
      }
    }
    let latencies = methods.map {
      Point(.latency($0.latency), [Label("method", $0.method.path)])
    }
    return [
      MetricFamily("hito_rpc_calls_total", "Calls that ended, or were refused.", .counter, ends),
      MetricFamily(
        "hito_rpc_call_duration_seconds", "How long calls took; streams until their end.",
        .histogram, latencies),
      MetricFamily(
        "hito_rpc_calls_started_total", "Calls that began.", .counter, points(\.startedCount)),
      MetricFamily("hito_rpc_calls_open", "Calls under way.", .gauge, points(\.openCount)),
      MetricFamily(
        "hito_rpc_received_bytes_total", "Bytes of messages received.", .counter,
        points(\.byteCountIn)),
      MetricFamily(
        "hito_rpc_sent_bytes_total", "Bytes of messages sent.", .counter, points(\.byteCountOut)),
      MetricFamily(
        "hito_rpc_refused_total", "Calls that were not let in, or not served.", .counter,
        RefusalReason.allCases.map {
          Point(
            .number(Double(statistics.refusals[$0.index])), [Label("reason", $0.rawValue)])
        }),
    ]
  }

  private static func ofPeers(_ statistics: ServerTotals) -> [MetricFamily] {
    func use(_ value: (ServerTotals.MemoryUse) -> Int) -> [Point] {
      statistics.memory.map { Point(.number(Double(value($0))), [Label("peers", $0.name)]) }
    }
    return [
      MetricFamily(
        "hito_connections", "Open connections.", .gauge, Double(statistics.connectionCount)),
      MetricFamily(
        "hito_connections_accepted_total", "Connections that were accepted.", .counter,
        Double(statistics.acceptedConnectionCount)),
      MetricFamily(
        "hito_connections_refused_total", "Connections that found no place.", .counter,
        Double(statistics.refusedConnectionCount)),
      MetricFamily(
        "hito_network_received_bytes_total", "Bytes received, before TLS.", .counter,
        Double(statistics.byteCountIn)),
      MetricFamily(
        "hito_network_sent_bytes_total", "Bytes sent, before TLS.", .counter,
        Double(statistics.byteCountOut)),
      MetricFamily(
        "hito_kept_bytes", "Bytes that peers make the server keep.", .gauge, use(\.byteCount)),
      MetricFamily(
        "hito_kept_bytes_max", "Bytes that peers may make the server keep.", .gauge,
        use(\.byteCountMax)),
    ]
  }

  private static func ofProcess(_ statistics: ServerTotals) -> [MetricFamily] {
    func loops(_ value: (ServerTotals.LoopState) -> Duration) -> [Point] {
      statistics.loops.enumerated().map { index, loop in
        Point(.number(value(loop) / .seconds(1)), [Label("loop", "\(index)")])
      }
    }
    return [
      MetricFamily(
        "hito_event_loop_lag_seconds", "How late an event loop is with what is due.", .gauge,
        loops(\.lag)),
      MetricFamily(
        "hito_event_loop_lag_peak_seconds",
        "The worst lately; forgotten by a tenth each second.", .gauge, loops(\.lagPeak)),
      MetricFamily(
        "process_cpu_seconds_total", "What the process has used of processors.", .counter,
        statistics.processorTime / .seconds(1)),
      MetricFamily(
        "process_resident_memory_bytes", "Resident memory of the process.", .gauge,
        Double(statistics.residentByteCount)),
    ]
  }

  /// How far everything is that follows the log.
  ///
  /// - Parameter head: the end of the log.
  package static func of(_ pipelines: [PipelineState], head: Int64) -> [MetricFamily] {
    func points(_ value: (PipelineState) -> Double) -> [Point] {
      pipelines.map { Point(.number(value($0)), [Label("pipeline", $0.name)]) }
    }
    return [
      MetricFamily(
        "hito_pipeline_lag_events", "Events that a follower of the log has yet to take.", .gauge,
        points { Double($0.lagCount ?? max(0, head - $0.position)) }),
      MetricFamily(
        "hito_pipeline_waiting", "What waits in a follower's memory.", .gauge,
        points { Double($0.waitingCount) }),
      MetricFamily(
        "hito_pipeline_failing", "Whether it last failed.", .gauge,
        points { $0.lastError.isEmpty ? 0 : 1 }),
    ]
  }
}
