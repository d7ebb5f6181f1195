import CoreMetrics
import Domain
import RPC
import Testing

@testable import Telemetry

@Suite struct `Metrics` {
  private func statistics() -> ServerTotals {
    var method = MethodTotals(MethodDescriptor(path: "a.B/C", kind: .unary, isReadOnly: true))
    method.startedCount = 3
    method.finishedCount = 2
    method.endedByStatus[0] = 2
    method.latency.record(microseconds: 100)
    method.latency.record(microseconds: 5_000_000)
    var statistics = ServerTotals()
    statistics.methods = [method]
    statistics.refusals[RefusalReason.quota.index] = 7
    return statistics
  }

  @Test func `are text that Prometheus reads`() {
    let text = PrometheusText.of(MetricFamily.of(statistics()))
    for line in [
      "# TYPE hito_rpc_calls_total counter",
      "hito_rpc_calls_total{method=\"a.B/C\",status=\"OK\"} 2",
      "hito_rpc_calls_open{method=\"a.B/C\"} 1",
      "hito_rpc_refused_total{reason=\"quota\"} 7",
      "hito_rpc_call_duration_seconds_bucket{method=\"a.B/C\",le=\"0.000128\"} 1",
      "hito_rpc_call_duration_seconds_bucket{method=\"a.B/C\",le=\"4.194304\"} 1",
      "hito_rpc_call_duration_seconds_bucket{method=\"a.B/C\",le=\"8.388608\"} 2",
      "hito_rpc_call_duration_seconds_bucket{method=\"a.B/C\",le=\"+Inf\"} 2",
      "hito_rpc_call_duration_seconds_count{method=\"a.B/C\"} 2",
      "hito_rpc_call_duration_seconds_sum{method=\"a.B/C\"} 5.0001",
    ] { #expect(text.contains(line + "\n"), "\(line)") }
  }

  @Test func `escape what would end a label`() {
    let family = MetricFamily(
      "x", "a\nb\\", .gauge, [.init(.number(.infinity), [.init("l", "\"\\\n")])])
    #expect(
      PrometheusText.of([family])
        == "# HELP x a\\nb\\\\\n# TYPE x gauge\nx{l=\"\\\"\\\\\\n\"} +Inf\n")
  }

  @Test func `know how far pipelines are`() {
    let states = [
      PipelineState(name: "lake", position: 4, lastError: "disk"),
      PipelineState(name: "hub", position: 9),
    ]
    let text = PrometheusText.of(MetricFamily.of(states, head: 9))
    #expect(text.contains("hito_pipeline_lag_events{pipeline=\"lake\"} 5\n"))
    #expect(text.contains("hito_pipeline_failing{pipeline=\"lake\"} 1\n"))
    #expect(text.contains("hito_pipeline_failing{pipeline=\"hub\"} 0\n"))
  }

  @Test func `come through swift-metrics as well, a bounded number of series`() {
    let registry = MetricsRegistry()
    Counter(label: "a.b-c", factory: registry).increment(by: 2)
    Counter(label: "a.b-c", factory: registry).increment()
    Gauge(label: "g", dimensions: [("d", "1")], factory: registry).record(4)
    Timer(label: "t", factory: registry).recordNanoseconds(2_000_000)
    let text = PrometheusText.of(registry.families)
    #expect(text.contains("a_b_c 3\n") && text.contains("g{d=\"1\"} 4\n"))
    #expect(text.contains("t_count 1\n"))
    for number in 0..<2 * MetricsRegistry.seriesMax {
      Counter(label: "many", dimensions: [("n", "\(number)")], factory: registry).increment()
    }
    #expect(registry.families.reduce(0) { $0 + $1.points.count } == MetricsRegistry.seriesMax)
  }
}
