/// How long calls took: counts by time, in buckets that are a quarter of a power of two wide, so that what is read
/// from them is at most a quarter too large.
///
/// From 1 µs to `bucketLimit`; what took longer is in the last bucket.
package struct LatencyHistogram: Sendable, Hashable {
  /// Below 2^32 µs, which is more than an hour.
  package static let bucketCount = 124

  package private(set) var counts: [UInt64]
  package private(set) var totalMicroseconds: UInt64
  package private(set) var maximumMicroseconds: UInt64

  package init() {
    self.init(
      counts: [UInt64](repeating: 0, count: Self.bucketCount), totalMicroseconds: 0,
      maximumMicroseconds: 0)
  }

  /// - Parameter counts: as many as there are buckets.
  package init(counts: [UInt64], totalMicroseconds: UInt64, maximumMicroseconds: UInt64) {
    assert(counts.count == Self.bucketCount)
    self.counts = counts
    self.totalMicroseconds = totalMicroseconds
    self.maximumMicroseconds = maximumMicroseconds
  }

  /// The bucket of a time.
  package static func bucket(of microseconds: UInt64) -> Int {
    let value = min(microseconds, 0xFFFF_FFFF)
    guard value >= 4 else { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    return (exponent - 1) * 4 + Int((value >> UInt64(exponent - 2)) & 3)
  }

  /// The longest time of a bucket, in microseconds; that of the last one is what bounds it.
  package static func upperBound(ofBucket bucket: Int) -> UInt64 {
    guard bucket >= 4 else { return UInt64(max(0, bucket)) }
    let exponent = bucket / 4 + 1
    let quarter = UInt64(bucket % 4)
    return ((4 + quarter + 1) << UInt64(exponent - 2)) - 1
  }

  package var count: UInt64 { counts.reduce(0, +) }

  package mutating func record(microseconds: UInt64) {
    counts[Self.bucket(of: microseconds)] += 1
    totalMicroseconds += microseconds
    maximumMicroseconds = max(maximumMicroseconds, microseconds)
  }

  package mutating func add(_ other: LatencyHistogram) {
    for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
    totalMicroseconds += other.totalMicroseconds
    maximumMicroseconds = max(maximumMicroseconds, other.maximumMicroseconds)
  }

  /// The time within which this share of the calls ended: of its bucket the longest, and no longer than any call
  /// took. 0 where there was no call.
  package func quantile(_ share: Double) -> UInt64 {
    let count = count
    guard count > 0 else { return 0 }
    let rank = UInt64((share * Double(count)).rounded(.up))
    var seen: UInt64 = 0
    for (bucket, inside) in counts.enumerated() where inside > 0 {
      seen += inside
      if seen >= rank { return min(Self.upperBound(ofBucket: bucket), maximumMicroseconds) }
    }
    return maximumMicroseconds
  }
}
