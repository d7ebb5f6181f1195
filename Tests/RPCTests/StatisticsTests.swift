import RPC
import Testing
import Wire

@Suite struct `Latencies` {
  @Test func `are in the bucket whose bounds they are between`() {
    var before: UInt64?
    for bucket in 0..<LatencyHistogram.bucketCount {
      let upper = LatencyHistogram.upperBound(ofBucket: bucket)
      #expect(LatencyHistogram.bucket(of: upper) == bucket)
      let lower = before.map { $0 + 1 } ?? 0
      #expect(LatencyHistogram.bucket(of: lower) == bucket)
      // No bucket is wider than a quarter of what is in it.
      #expect(upper <= lower + max(0, lower / 4))
      before = upper
    }
    #expect(before == UInt64(UInt32.max))
    #expect(LatencyHistogram.bucket(of: 3_600_000_000) < LatencyHistogram.bucketCount)
    #expect(LatencyHistogram.bucket(of: .max) == LatencyHistogram.bucketCount - 1)
  }

  @Test func `have quantiles that are at most a quarter too large`() {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.99) == 0)
    let times = (1...1000).map { UInt64($0 * 37) }
    for time in times { histogram.record(microseconds: time) }
    for share in [0.01, 0.5, 0.9, 0.99, 1] {
      let exact = times[Int((share * 1000).rounded(.up)) - 1]
      let found = histogram.quantile(share)
      #expect(found >= exact && found <= exact + exact / 4)
    }
    #expect(histogram.quantile(1) == 37_000)
    #expect(histogram.count == 1000)
    var both = histogram
    both.add(histogram)
    #expect(both.count == 2000 && both.totalMicroseconds == 2 * times.reduce(0, +))
  }
}

@Suite struct `Slow calls` {
  @Test func `are remembered newest first, and not more than a hundred of them`() {
    let ring = SlowCalls()
    #expect(ring.all.isEmpty)
    for number in 1...(SlowCalls.countMax + 30) {
      ring.add(
        SlowCallRecord(
          method: "\(number)", userID: "", duration: .seconds(2), status: .ok, traceID: "",
          endedAt: .now))
      if number == 3 { #expect(ring.all.map(\.method) == ["3", "2", "1"]) }
    }
    #expect(ring.all.map(\.method) == (31...130).reversed().map { "\($0)" })
  }
}

@Suite struct `Refusals` {
  @Test func `are told from calls that were served`() {
    func reason(_ code: StatusCode, _ details: [UInt8] = [], isStarted: Bool) -> RefusalReason? {
      RefusalReason(code, details: details, isStarted: isStarted)
    }
    #expect(reason(.resourceExhausted, RPCError.busy, isStarted: false) == .limit)
    #expect(reason(.resourceExhausted, [0x08, 0x0E, 0x18, 1], isStarted: true) == .quota)
    #expect(reason(.unimplemented, isStarted: false) == .unknownMethod)
    #expect(reason(.unimplemented, isStarted: true) == nil)
    #expect(reason(.deadlineExceeded, isStarted: true) == nil)
    #expect(reason(.permissionDenied, isStarted: true) == .permission)
    #expect(reason(.ok, isStarted: true) == nil)
    #expect(Set(RefusalReason.allCases.map(\.index)).count == RefusalReason.allCases.count)
  }
}

@Suite struct `Trace context` {
  private static let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  @Test func `is read and written as W3C has it`() throws {
    let trace = try #require(TraceParent(Self.good))
    #expect(trace.text == Self.good)
    #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c" && trace.isSampled)
    #expect(trace.spanID == 0xb7ad_6b71_6920_3331)
    let later = try #require(
      TraceParent("cc-0af7651916cd43dd8448eb211c80319c-00000000000000a1-02-what the future holds"))
    #expect(later.text == "00-0af7651916cd43dd8448eb211c80319c-00000000000000a1-00")
  }

  @Test(
    arguments: [
      "", "00", "nonsense", "00-abc",
      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
      "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
      "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
      "00-0af7651916cd43dd8448eb211c8031é-b7ad6b7169203331-01",
    ])
  func `is nothing where it is malformed`(_ text: String) {
    #expect(TraceParent(text) == nil)
  }
}
