internal import CoreMetrics
internal import HTTPClient
internal import JSON
package import Logging
internal import Logs
internal import Tracing

/// Sends spans and metrics to an OpenTelemetry collector, by OTLP over HTTP in JSON.
///
/// Nothing waits for it: spans come from a bounded queue, and a collector that is away, slow or full costs spans,
/// which are counted, and no call anything.
package final class OTLPExporter: Sendable {
  package struct Configuration: Sendable {
    /// `http` or `https`, without `/v1/traces`.
    package var endpoint: String
    package var metricsInterval = Duration.seconds(30)
    package var spansInterval = Duration.seconds(1)
    package var batchMax = 512
    /// How long one request may take.
    package var timeout = Duration.seconds(10)
    package var attemptMax = 5
    /// Before the second attempt; twice as long before each one after it.
    package var backoff = Duration.seconds(1)
    /// What a collector may ask to be waited for.
    package var backoffMax = Duration.seconds(30)

    package init(endpoint: String) { self.endpoint = endpoint }
  }

  private let configuration: Configuration
  private let json: OTLPJSON
  private let queue: SpanQueue
  private let families: @Sendable () async -> [MetricFamily]
  private let client: HTTPClient
  private let outage: OutageLog
  private let startedAt = DefaultTracerClock.now.nanosecondsSinceEpoch

  /// - Parameter families: what to send of metrics now.
  package init(
    _ configuration: Configuration, json: OTLPJSON, queue: SpanQueue, logger: Logger,
    families: @escaping @Sendable () async -> [MetricFamily]
  ) throws {
    self.configuration = configuration
    self.json = json
    self.queue = queue
    self.families = families
    client = try HTTPClient(HTTPClient.Configuration(connectTimeout: .seconds(5)))
    outage = OutageLog(logger, "sending to the collector")
  }

  /// Runs until the task is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while await self.pause(self.configuration.spansInterval) { await self.sendSpans() }
      }
      group.addTask {
        while await self.pause(self.configuration.metricsInterval) { await self.sendMetrics() }
      }
      await group.waitForAll()
    }
  }

  /// Sends what is left, once, within this time.
  package func finish(within limit: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          let spans = self.queue.take(self.configuration.batchMax)
          guard !spans.isEmpty else { break }
          let answer = await self.post("/v1/traces", self.json.traces(spans))
          guard answer == .taken else { return self.queue.drop(spans.count) }
        }
        await self.sendMetrics()
      }
      group.addTask { _ = await self.pause(limit) }
      await group.next()
      group.cancelAll()
    }
    queue.drop(queue.take(SpanQueue.countMax).count)
  }

  private func sendSpans() async {
    while true {
      let spans = queue.take(configuration.batchMax)
      guard !spans.isEmpty else { return }
      switch await send("/v1/traces", json.traces(spans)) {
      case .taken: continue
      case .cancelled: return queue.putBack(spans)
      case .refused, .later: queue.drop(spans.count)
      }
    }
  }

  private func sendMetrics() async {
    let body = json.metrics(
      await families(), start: startedAt, now: DefaultTracerClock.now.nanosecondsSinceEpoch)
    // The next ones say all that these do.
    if await post("/v1/metrics", body) != .taken {
      Counter(label: "hito_otlp_failed_metric_pushes_total").increment()
    }
  }

  // MARK: Requests

  private enum Outcome: Sendable, Hashable {
    case taken
    /// As it is it will never be taken.
    case refused
    /// Perhaps after so long; nil where nobody said.
    case later(Duration?)
    case cancelled
  }

  /// Tries until it is taken, or often enough.
  private func send(_ path: String, _ body: JSONValue) async -> Outcome {
    var backoff = configuration.backoff
    for attempt in 1...configuration.attemptMax {
      let outcome = await post(path, body)
      guard case .later(let asked) = outcome, attempt < configuration.attemptMax else {
        return outcome
      }
      let wait = min(asked ?? backoff * Double.random(in: 0.5...1), configuration.backoffMax)
      guard await pause(wait) else { return .cancelled }
      backoff *= 2
    }
    return .later(nil)
  }

  private func post(_ path: String, _ body: JSONValue) async -> Outcome {
    let base = configuration.endpoint
    let request = HTTPRequest(
      "POST", (base.hasSuffix("/") ? String(base.dropLast()) : base) + path,
      headers: [(name: "Content-Type", value: "application/json")], body: Array(body.text.utf8))
    let outcome = await withTaskGroup(of: Outcome?.self) { group in
      group.addTask { await self.answer(to: request) }
      group.addTask {
        await self.pause(self.configuration.timeout) ? .later(nil) : nil
      }
      var first = await group.next() ?? nil
      // The pause was cancelled, and so is the request.
      if first == nil { first = await group.next() ?? nil }
      group.cancelAll()
      return first ?? .cancelled
    }
    if Task.isCancelled, outcome != .taken { return .cancelled }
    switch outcome {
    case .taken: outage.worked()
    case .later, .refused: outage.failed("\(path) was not taken")
    case .cancelled: break
    }
    return outcome
  }

  private func answer(to request: HTTPRequest) async -> Outcome? {
    do throws(HTTPError) {
      let answer = try await client.send(request)
      switch answer.status {
      case 200..<300: return .taken
      case 429, 502, 503, 504:
        let seconds = answer.header("retry-after").flatMap { Int64($0) }
        return .later(seconds.map { .seconds(min(max($0, 0), 3600)) })
      default: return .refused
      }
    } catch {
      switch error {
      case .cancelled: return nil
      case .invalidRequest: return .refused
      case .unreachable, .untrusted, .broken, .headTooLarge, .exhausted: return .later(nil)
      }
    }
  }

  /// False where the task was cancelled meanwhile.
  private func pause(_ time: Duration) async -> Bool {
    do {
      try await Task.sleep(for: time)
      return true
    } catch {
      return false
    }
  }
}
