import CoreMetrics
import Domain
import Logging
import RPC
import Service
import ServiceLifecycle
import Telemetry
import Tracing
import Transport

/// Where traces and metrics are sent.
struct CollectorConfiguration: Sendable {
  var endpoint: String
  var interval: Duration
  /// The share of traces that are sent.
  var ratio: Double

  /// Nil where none is named.
  ///
  /// - Parameter settings: checked ones, with the group of telemetry.
  init?(_ settings: Settings) {
    let group = TelemetrySettings()
    guard let endpoint = settings[group.otlpEndpoint] else { return nil }
    self.endpoint = endpoint
    interval = settings[group.otlpInterval]
    ratio = settings[group.otlpSample]
  }
}

/// What the process tells of itself to Prometheus and to a collector: installed before the methods are registered,
/// since a method without a tracer has no code for one.
struct TelemetryParts {
  /// How long the collector may take for what is left at the end.
  private static let finishMax = Duration.seconds(5)

  private let configuration: ServeConfiguration
  private let registry = MetricsRegistry()
  private let spans = SpanQueue()
  private let logger = Logger(label: "hito.telemetry")

  /// Once in a process.
  init(_ configuration: ServeConfiguration) {
    self.configuration = configuration
    if configuration.collector != nil || configuration.metricsAddress != nil {
      MetricsSystem.bootstrap(registry)
    }
    if let collector = configuration.collector {
      InstrumentationSystem.bootstrap(OTLPTracer(queue: spans, ratio: collector.ratio))
    }
  }

  /// What sends and serves, to be started first and to end last.
  func services(
    _ parts: ServerComponents, serverID: String
  ) throws -> [any ServiceLifecycle.Service] {
    let families: @Sendable () async -> [MetricFamily] = { [registry] in
      await parts.metricFamilies() + registry.families
    }
    var services: [any ServiceLifecycle.Service] = []
    if let collector = configuration.collector {
      var exporting = OTLPExporter.Configuration(endpoint: collector.endpoint)
      exporting.metricsInterval = collector.interval
      let json = OTLPJSON(
        resource: [
          ("service.name", "hito"), ("service.version", HitoVersion.current),
          ("service.instance.id", serverID), ("host.name", ReportingProcess.hostName),
        ], version: HitoVersion.current)
      let exporter = try OTLPExporter(
        exporting, json: json, queue: spans, logger: logger, families: families)
      services.append(CollectorService(exporter: exporter, finishMax: Self.finishMax))
    }
    if let address = configuration.metricsAddress {
      let listener = MetricsListener(
        MetricsListener.Configuration(
          host: address.host, port: address.port, contentType: PrometheusText.contentType),
        logger: logger
      ) { PrometheusText.of(await families()) }
      services.append(
        LoopService { [logger] in
          try await listener.run { port in
            logger.notice("metrics", metadata: ["address": "\(address.host):\(port)"])
          }
        })
    }
    return services
  }
}

/// Sends to the collector, and what is left of it at the end.
private struct CollectorService: ServiceLifecycle.Service {
  let exporter: OTLPExporter
  let finishMax: Duration

  func run() async throws {
    await cancelWhenGracefulShutdown { await exporter.run() }
    await exporter.finish(within: finishMax)
  }
}

extension ServerComponents {
  /// How long the database may take to say how far the log is.
  private static let storeTimeMax = Duration.seconds(2)

  /// The server in metrics. Without what the database would have to say where that is away.
  func metricFamilies() async -> [MetricFamily] {
    var families = MetricFamily.of(await statistics())
    families.append(
      MetricFamily(
        "hito_store_connections", "Connections to the database for short statements.", .gauge,
        Double(database.connectionCount)))
    families.append(
      MetricFamily(
        "hito_store_waiting_statements", "Statements that wait for one.", .gauge,
        Double(database.pendingCount)))
    let known = try? await CallDeadline.$current.withValue(.now + Self.storeTimeMax) {
      (try await pipelines(), try await log.head())
    }
    if let (pipelines, head) = known {
      families += MetricFamily.of(pipelines, head: head)
    }
    families.append(
      MetricFamily(
        "hito_store_up", "Whether the database answers.", .gauge, known == nil ? 0 : 1))
    return families
  }
}
