package import CoreMetrics
internal import RPC
internal import Synchronization

/// A backend of swift-metrics: what this process and its libraries count through that seam is exported beside what
/// the server knows of itself.
///
/// Series are bounded: what comes after the first `seriesMax` is not kept.
package final class MetricsRegistry: MetricsFactory {
  package static let seriesMax = 1000

  private struct Key: Hashable {
    var name: String
    var labels: [MetricFamily.Label]
  }

  private let series = Mutex<[Key: Series]>([:])

  package init() {}

  /// What there is, by name.
  package var families: [MetricFamily] {
    let series = series.withLock { $0 }
    return Dictionary(grouping: series) { $0.key.name }.sorted { $0.key < $1.key }.map {
      name, members in
      let points = members.map { MetricFamily.Point($0.value.value, $0.key.labels) }
      return MetricFamily(
        name, "Counted through swift-metrics.", members.first?.value.kind ?? .gauge,
        points.sorted { $0.labels.map(\.value).lexicographicallyPrecedes($1.labels.map(\.value)) })
    }
  }

  private func series(
    _ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind
  ) -> Series {
    let key = Key(
      name: Self.name(label), labels: dimensions.map { MetricFamily.Label(Self.name($0), $1) })
    return series.withLock { series in
      // Of another kind, or too many: it counts, and nobody sees it.
      if let known = series[key] { return known.kind == kind ? known : Series(kind) }
      let made = Series(kind)
      if series.count < Self.seriesMax { series[key] = made }
      return made
    }
  }

  /// As Prometheus takes it.
  private static func name(_ label: String) -> String {
    let name = String(
      label.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" })
    return name.first?.isNumber == true ? "_\(name)" : name
  }

  // MARK: MetricsFactory

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, .counter)
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(label, dimensions, .counter)
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions, .gauge)
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    // The last value: what values of any unit are spread over is not known here.
    series(label, dimensions, .gauge)
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions, .histogram)
  }

  // What was counted stays counted.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}
}

/// One series.
private final class Series: CounterHandler, FloatingPointCounterHandler, MeterHandler,
  RecorderHandler, TimerHandler
{
  let kind: MetricFamily.Kind
  private let state = Mutex((number: 0.0, latency: LatencyHistogram()))

  init(_ kind: MetricFamily.Kind) { self.kind = kind }

  var value: MetricFamily.Value {
    state.withLock { kind == .histogram ? .latency($0.latency) : .number($0.number) }
  }

  private func change(_ body: (inout Double) -> Void) {
    state.withLock { body(&$0.number) }
  }

  func increment(by amount: Int64) { change { $0 += Double(amount) } }
  func increment(by amount: Double) { change { $0 += amount } }
  func decrement(by amount: Double) { change { $0 -= amount } }
  func reset() { change { $0 = 0 } }
  func set(_ value: Int64) { change { $0 = Double(value) } }
  func set(_ value: Double) { change { $0 = value } }
  func record(_ value: Int64) { change { $0 = Double(value) } }
  func record(_ value: Double) { change { $0 = value } }

  func recordNanoseconds(_ duration: Int64) {
    state.withLock { $0.latency.record(microseconds: UInt64(max(0, duration)) / 1000) }
  }
}
