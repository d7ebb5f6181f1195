import Contract
import Testing

@testable import hito

@Suite struct `hito top` {
  private func method(
    _ name: String, ok: Int64, failed: Int64 = 0, total: Int64 = 0, p99: Int64 = 0,
    buckets: [LatencyBucket] = []
  ) -> MethodStatistics {
    MethodStatistics(
      method: "hito.v1.\(name)", kind: "unary",
      statuses: [
        StatusCount(status: "OK", count: ok), StatusCount(status: "NOT_FOUND", count: failed),
      ], started: ok + failed, totalUs: total, p99Us: p99, maxUs: 9_000_000, buckets: buckets)
  }

  private func sample(
    _ methods: [MethodStatistics], id: String = "1", at: ContinuousClock.Instant = .now
  ) -> TopSample {
    let text = String(repeating: "words 漢字 ", count: 30)
    let server = ServerStatistics(
      serverId: id, startedAt: Timestamp(seconds: 100), now: Timestamp(seconds: 200),
      connections: 2, memory: [MemoryUse(name: "callers", bytes: 5000, bytesMax: 9_000_000)],
      refusals: [RefusalCount(reason: "quota", count: 12)],
      eventLoops: [EventLoopInfo(lagUs: 100, lagPeakUs: 22_000)], cpuUs: 50_000_000,
      residentBytes: 1 << 28)
    return TopSample(
      statistics: GetStatisticsResponse(
        server: server, methods: methods,
        slowCalls: [
          SlowCall(method: "hito.v1.A/\(text)", durationUs: 2_500_000, status: "OK")
        ]),
      connections: ListConnectionsResponse(
        connections: [
          ConnectionInfo(
            id: 1, peer: "127.0.0.1:50000", agent: text + "\u{1b}[2J", userId: text, streams: 2,
            bytesIn: 5_000_000_000, encodings: ["deflate"], waitingCalls: 1)
        ], total: 1),
      calls: ListCallsResponse(
        calls: [CallInfo(method: "hito.v1.B/C", ageUs: 12, phase: .awaitingTurn)], total: 1),
      pipelines: GetPipelinesResponse(
        pipelines: [PipelineInfo(name: "lake", lagEvents: 3, lastError: text)]),
      at: at)
  }

  private func text(
    _ now: TopSample, before: TopSample? = nil, order: TopOrder = .rate, width: Int?,
    height: Int? = nil
  ) -> [String] {
    TopText(
      change: TopChange(now, before: before, order: order), order: order,
      address: "127.0.0.1:7443", width: width, height: height, style: .none
    ).lines
  }

  @Test func `fits terminals of 40 to 200 columns, and of any height`() {
    let methods = (0..<60).map { number in
      method("ServiceWithALongName/MethodWithALongName\(number)", ok: 1000 * Int64(number))
    }
    for width in 40...200 {
      let lines = text(sample(methods), width: width)
      #expect(lines.allSatisfy { TerminalWidth.of($0) <= width })
      #expect(!lines.joined().contains("\u{1b}"))
    }
    for height in 1...70 {
      let lines = text(sample(methods), width: 80, height: height)
      #expect(lines.count <= height)
      if height > 40 {
        for title in ["METHODS", "CALLS", "CONNECTIONS", "PIPELINES", "SLOW CALLS"] {
          #expect(lines.contains { $0.hasPrefix(title) })
        }
      }
    }
  }

  @Test func `shows what happens between two looks`() throws {
    let start = ContinuousClock.now
    let before = sample([method("A/B", ok: 10, failed: 1, total: 1_000_000)], at: start)
    let now = sample(
      [
        method(
          "A/B", ok: 30, failed: 3, total: 5_000_000,
          buckets: [LatencyBucket(upperUs: 5000, count: 22)])
      ], at: start + .seconds(2))
    let change = TopChange(now, before: before, order: .rate)
    let shown = try #require(change.methods.first)
    #expect(shown.name == "A/B" && shown.rate == 11 && shown.errors == 1 && shown.time == 2)
    #expect(shown.p99 == 5000)
    // A server that was started again has counted from nothing.
    let other = TopChange(sample([], id: "2"), before: before, order: .rate)
    #expect(other.bytesIn == 0 && other.processorShare == 0.5)
  }

  @Test func `orders methods by what was asked for`() {
    let methods = [
      method("A/Slow", ok: 1, total: 9_000_000, p99: 10),
      method("A/Many", ok: 100, p99: 20),
      method("A/Bad", ok: 1, failed: 50, p99: 30),
    ]
    func names(_ order: TopOrder) -> [String] {
      TopChange(sample(methods), before: nil, order: order).methods.map(\.name)
    }
    #expect(names(.rate) == ["A/Many", "A/Bad", "A/Slow"])
    #expect(names(.time).first == "A/Slow")
    #expect(names(.p99) == ["A/Bad", "A/Many", "A/Slow"])
    #expect(names(.errors).first == "A/Bad")
    #expect(names(.name) == ["A/Bad", "A/Many", "A/Slow"])
  }

  @Test func `writes numbers briefly`() {
    #expect(TopText.bytes(0) == "0 B" && TopText.bytes(1536) == "1.5 KiB")
    #expect(TopText.bytes(3 * 1024 * 1024 * 1024) == "3.0 GiB")
    #expect(TopText.time(999) == "999 µs" && TopText.time(1500) == "1.5 ms")
    #expect(TopText.time(250_000) == "250 ms" && TopText.time(2_500_000) == "2.5 s")
    #expect(TopText.number(0) == "0" && TopText.number(0.5) == "0.50")
    #expect(TopText.number(12.34) == "12.3" && TopText.number(1234.5) == "1235")
  }
}
