import HitoClient

/// What the server tells of itself, and to whom.
struct TelemetrySettings: SettingGroup {
  static let title = "Telemetry"

  let slowCall = Setting<Duration>(
    "slow-call", .seconds(0...3600), default: .seconds(1),
    help: "From when on a unary call is remembered as slow (`hito top`); 0: none is.")

  let metricsListen = Setting<HitoAddress?>(
    "metrics-listen", .metricsAddress, shown: "nothing listens",
    help:
      "Where Prometheus reads metrics (GET /metrics over HTTP), from whoever asks; a port alone is of 127.0.0.1."
  )

  let otlpEndpoint = Setting<String?>(
    "otlp-endpoint", .collectorURL, shown: "nothing is sent",
    help:
      "An OpenTelemetry collector that traces and metrics are sent to: URL/v1/traces and URL/v1/metrics."
  )

  let otlpInterval = Setting<Duration>(
    "otlp-interval", .seconds(0.1...3600), default: .seconds(30),
    help: "How often metrics are sent to the collector.", needs: ["otlp-endpoint"])

  let otlpSample = Setting<Double>(
    "otlp-sample", .number(0...1), default: 1,
    help:
      "Share of the traces that begin here and are sent; what a caller's trace decided holds for its calls.",
    needs: ["otlp-endpoint"])
}
