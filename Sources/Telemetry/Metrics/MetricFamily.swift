package import RPC

/// A thing that is measured, with a value for each set of labels: what is exported, in whatever format.
package struct MetricFamily: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// Grows until the process ends.
    case counter
    case gauge
    case histogram
  }

  package enum Value: Sendable, Hashable {
    case number(Double)
    case latency(LatencyHistogram)
  }

  package struct Label: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package struct Point: Sendable, Hashable {
    package var labels: [Label]
    package var value: Value

    package init(_ value: Value, _ labels: [Label] = []) {
      self.value = value
      self.labels = labels
    }
  }

  /// With Prometheus' endings: `_total` of counters, the unit of what has one.
  package var name: String
  package var help: String
  package var kind: Kind
  package var points: [Point]

  package init(_ name: String, _ help: String, _ kind: Kind, _ points: [Point]) {
    self.name = name
    self.help = help
    self.kind = kind
    self.points = points
  }

  /// Of one number.
  package init(_ name: String, _ help: String, _ kind: Kind, _ value: Double) {
    self.init(name, help, kind, [Point(.number(value))])
  }
}

/// A latency as it is exported: in fewer buckets than it is kept, a power of two each, so that a method is two
/// dozen lines and not a hundred.
struct ExportedLatency {
  /// From 128 µs to a minute and a bit.
  private static let exponents = 7...26

  /// What bounds the buckets, in seconds; the last bucket has none.
  static let bounds = exponents.map { Double(1 << $0) / 1_000_000 }

  /// One more than there are bounds.
  let counts: [UInt64]
  let count: UInt64
  let sum: Double

  init(_ latency: LatencyHistogram) {
    var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    for (bucket, inside) in latency.counts.enumerated() where inside > 0 {
      let upper = LatencyHistogram.upperBound(ofBucket: bucket)
      // Buckets end where powers of two do.
      let exponent = 64 - upper.leadingZeroBitCount
      counts[min(max(exponent - Self.exponents.lowerBound, 0), counts.count - 1)] += inside
    }
    self.counts = counts
    count = latency.count
    sum = Double(latency.totalMicroseconds) / 1_000_000
  }
}
