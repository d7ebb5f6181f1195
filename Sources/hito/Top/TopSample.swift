import HitoClient

/// What a server said of itself at one moment.
struct TopSample: Sendable {
  var statistics: GetStatisticsResponse
  var connections: ListConnectionsResponse
  var calls: ListCallsResponse
  /// Nil where the server could not say, and why.
  var pipelines: GetPipelinesResponse?
  var pipelinesError = ""
  var at: ContinuousClock.Instant

  /// Asks for all of it. What needs the database may be missing.
  static func take(of server: HitoClient, _ options: CallOptions) async throws -> TopSample {
    async let statistics = server.server.getStatistics(GetStatisticsRequest(), options: options)
    async let connections = server.server.listConnections(
      ListConnectionsRequest(), options: options)
    async let calls = server.server.listCalls(ListCallsRequest(), options: options)
    async let followers = pipelines(of: server, options)
    let (found, error) = await followers
    return TopSample(
      statistics: try await statistics, connections: try await connections,
      calls: try await calls, pipelines: found, pipelinesError: error, at: .now)
  }

  private static func pipelines(
    of server: HitoClient, _ options: CallOptions
  ) async -> (GetPipelinesResponse?, String) {
    do throws(RPCError) {
      return (try await server.server.getPipelines(GetPipelinesRequest(), options: options), "")
    } catch {
      return (nil, "\(error)")
    }
  }
}

/// How a list of methods is ordered, the most first.
enum TopOrder: String, CaseIterable, Sendable {
  case rate, time, p99, errors, open, name

  /// Of the key that chooses it.
  init?(key: Character) {
    switch key {
    case "r": self = .rate
    case "t": self = .time
    case "p": self = .p99
    case "e": self = .errors
    case "o": self = .open
    case "n": self = .name
    default: return nil
    }
  }
}

/// What a method does now: between two samples, or since the server started where there is only one.
struct TopMethod: Sendable, Hashable {
  var name: String
  /// A second.
  var rate = 0.0
  /// Seconds of calls that ended, in a second: how many of them ran at a time.
  var time = 0.0
  /// Of a second.
  var errors = 0.0
  var open: Int64 = 0
  var p50: Int64 = 0
  var p90: Int64 = 0
  var p99: Int64 = 0
  var maximum: Int64 = 0

  /// - Parameter seconds: between `before` and `now`, or since the start.
  init(_ now: MethodStatistics, before: MethodStatistics?, seconds: Double) {
    name = Self.short(now.method)
    let seconds = max(seconds, 0.001)
    func errors(_ method: MethodStatistics) -> Int64 {
      method.statuses.reduce(0) { $0 + ($1.status == "OK" ? 0 : $1.count) }
    }
    func ends(_ method: MethodStatistics) -> Int64 {
      method.statuses.reduce(0) { $0 + $1.count }
    }
    rate = Double(ends(now) - (before.map(ends) ?? 0)) / seconds
    time = Double(now.totalUs - (before?.totalUs ?? 0)) / 1_000_000 / seconds
    self.errors = Double(errors(now) - (before.map(errors) ?? 0)) / seconds
    open = now.open
    maximum = now.maxUs
    let buckets = Self.difference(now, before)
    // Where nothing ended meanwhile, what there is since the start says more than nothing.
    let isStill = buckets.isEmpty
    p50 = isStill ? now.p50Us : min(Self.quantile(buckets, 0.5), maximum)
    p90 = isStill ? now.p90Us : min(Self.quantile(buckets, 0.9), maximum)
    p99 = isStill ? now.p99Us : min(Self.quantile(buckets, 0.99), maximum)
  }

  /// Without the package, which is the same for all.
  static func short(_ method: String) -> String {
    guard let slash = method.firstIndex(of: "/") else { return method }
    let service = method[..<slash]
    guard let dot = service.lastIndex(of: ".") else { return method }
    return String(method[service.index(after: dot)...])
  }

  private static func difference(
    _ now: MethodStatistics, _ before: MethodStatistics?
  ) -> [LatencyBucket] {
    let old = Dictionary(
      before?.buckets.map { ($0.upperUs, $0.count) } ?? [], uniquingKeysWith: { first, _ in first })
    return now.buckets.compactMap { bucket in
      let count = bucket.count - (old[bucket.upperUs] ?? 0)
      return count > 0 ? LatencyBucket(upperUs: bucket.upperUs, count: count) : nil
    }
  }

  private static func quantile(_ buckets: [LatencyBucket], _ share: Double) -> Int64 {
    let rank = Int64((share * Double(buckets.reduce(0) { $0 + $1.count })).rounded(.up))
    var seen: Int64 = 0
    for bucket in buckets {
      seen += bucket.count
      if seen >= rank { return bucket.upperUs }
    }
    return buckets.last?.upperUs ?? 0
  }
}

/// What changed between two samples.
struct TopChange: Sendable {
  var now: TopSample
  var methods: [TopMethod]
  var rate: Double
  var bytesIn: Double
  var bytesOut: Double
  /// Of one processor.
  var processorShare: Double

  /// - Parameter before: nil for what there is since the server started; so too where it was started again
  ///   meanwhile.
  init(_ now: TopSample, before: TopSample?, order: TopOrder) {
    let server = now.statistics.server ?? ServerStatistics()
    let isSame = before?.statistics.server?.serverId == server.serverId
    let before = isSame ? before : nil
    let old = before?.statistics.server
    let seconds = max(
      before.map { $0.at.duration(to: now.at) / .seconds(1) }
        ?? Double(Self.microseconds(server.now) - Self.microseconds(server.startedAt)) / 1_000_000,
      0.001)
    self.now = now
    let methodsBefore = Dictionary(
      before?.statistics.methods.map { ($0.method, $0) } ?? [],
      uniquingKeysWith: { first, _ in first })
    methods = now.statistics.methods.map {
      TopMethod($0, before: methodsBefore[$0.method], seconds: seconds)
    }
    rate = methods.reduce(0) { $0 + $1.rate }
    bytesIn = Double(server.bytesIn - (old?.bytesIn ?? 0)) / seconds
    bytesOut = Double(server.bytesOut - (old?.bytesOut ?? 0)) / seconds
    processorShare = Double(server.cpuUs - (old?.cpuUs ?? 0)) / 1_000_000 / seconds
    methods.sort { Self.precedes($0, $1, order) }
  }

  static func microseconds(_ time: Timestamp?) -> Int64 {
    guard let time else { return 0 }
    return time.seconds * 1_000_000 + Int64(time.nanos) / 1000
  }

  private static func precedes(_ a: TopMethod, _ b: TopMethod, _ order: TopOrder) -> Bool {
    switch order {
    case .rate where a.rate != b.rate: a.rate > b.rate
    case .time where a.time != b.time: a.time > b.time
    case .p99 where a.p99 != b.p99: a.p99 > b.p99
    case .errors where a.errors != b.errors: a.errors > b.errors
    case .open where a.open != b.open: a.open > b.open
    default: a.name < b.name
    }
  }
}
