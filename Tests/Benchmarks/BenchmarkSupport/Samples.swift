/// Measured values, to be asked for their distribution.
package struct Samples: Sendable {
  private var sorted: [Double]

  package init(_ values: [Double]) { sorted = values.sorted() }

  package var count: Int { sorted.count }
  package var median: Double { percentile(50) }
  package var maximum: Double { sorted.last ?? .nan }

  /// By nearest rank; not a number where there are no values.
  package func percentile(_ percent: Double) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let rank = (percent / 100 * Double(sorted.count)).rounded(.up)
    return sorted[min(max(Int(rank) - 1, 0), sorted.count - 1)]
  }
}

extension Duration {
  package var inSeconds: Double { self / .seconds(1) }
  package var inMicroseconds: Double { self / .microseconds(1) }
  package var inMilliseconds: Double { self / .milliseconds(1) }
}
