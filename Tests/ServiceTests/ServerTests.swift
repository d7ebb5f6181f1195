import Contract
import Domain
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The server's own services` {
  private let fixture = ServiceFixture(
    inspection: ServerInspection(
      connections: {
        [
          ConnectionState(
            id: 7, peer: "127.0.0.1:5000", agent: "test", userID: "", streamCount: 2,
            openedAt: SteppingTime.start, byteCountIn: 10, byteCountOut: 20)
        ]
      },
      calls: {
        [
          CallState(
            connectionID: 7, streamID: 1, method: "a", userID: "", age: .milliseconds(1)),
          CallState(connectionID: 7, streamID: 3, method: "b", userID: "", age: .seconds(1)),
        ]
      },
      statistics: { Self.statistics },
      pipelines: { [PipelineState(name: "lake", position: 1, lastError: "disk")] },
      flushLake: { (position: 2, rowCount: 5) }))

  private static var statistics: ServerTotals {
    var method = MethodTotals(GoalServiceMethods.createGoal)
    method.startedCount = 4
    method.finishedCount = 3
    method.endedByStatus[0] = 3
    for time in [100, 200, 3_000_000] as [UInt64] { method.latency.record(microseconds: time) }
    var statistics = ServerTotals()
    statistics.methods = [method]
    statistics.refusals[RefusalReason.quota.index] = 2
    statistics.slowCallMin = .seconds(1)
    statistics.slowCalls = [
      SlowCallRecord(
        method: "a", userID: "u", duration: .seconds(3), status: .ok, traceID: "t",
        endedAt: .now - .seconds(60))
    ]
    return statistics
  }

  @Test func `show admins the numbers of the server`() async throws {
    let admin = fixture.user(.admin)
    let numbers: GetStatisticsResponse = try await fixture.call(
      ServerServiceMethods.getStatistics, GetStatisticsRequest(), as: admin)
    let server = try #require(numbers.server)
    #expect(server.serverId == "server" && server.openCalls == 1 && server.slowCallUs == 1_000_000)
    #expect(server.refusals == [RefusalCount(reason: "quota", count: 2)])
    let method = try #require(numbers.methods.first)
    #expect(method.method == GoalServiceMethods.createGoal.path && method.kind == "unary")
    #expect(method.statuses == [StatusCount(status: "OK", count: 3)])
    #expect(method.started == 4 && method.open == 1 && method.maxUs == 3_000_000)
    #expect((200...250).contains(method.p50Us) && method.p99Us == 3_000_000)
    #expect(method.buckets.map(\.count) == [1, 1, 1])
    let slow = try #require(numbers.slowCalls.first)
    #expect(slow.durationUs == 3_000_000 && slow.status == "OK" && slow.traceId == "t")
    let ended = try #require(slow.endedAt)
    let now = try #require(server.now)
    #expect((60...120).contains(now.seconds - ended.seconds))
    let brief: GetStatisticsResponse = try await fixture.call(
      ServerServiceMethods.getStatistics, GetStatisticsRequest(withoutBuckets: true), as: admin)
    #expect(brief.methods.first?.buckets.isEmpty == true)
  }

  /// Every method is called with an empty request: the list of methods says UNIMPLEMENTED of
  /// exactly those that answer it, and there is no method of the contract that is not served.
  @Test func `say honestly which methods there are`() async throws {
    let methods: ListMethodsResponse = try await fixture.call(
      ReflectionServiceMethods.listMethods, ListMethodsRequest(), as: nil)
    #expect(methods.methods.map(\.path) == fixture.router.methods.map(\.path))
    let admin = fixture.user(.admin)
    for method in methods.methods {
      let route = try #require(fixture.router[method.path])
      #expect(route.method.isReadOnly == method.readOnly)
      var code: String?
      let context = fixture.context(route.method, as: admin)
      do {
        switch route.body {
        case .unary(let decode):
          let empty = UnsafeRawBufferPointer(start: nil, count: 0)
          _ = try await decode(empty, DecodeLimits())(context)
        case .streaming(let body):
          // A stream that was cut off at once: what is implemented notices.
          let task = Task { try await body(ProbeStream(WatchRequest(), credit: 0), context) }
          task.cancel()
          try await task.value
        }
      } catch {
        code = "\(RPCError(fromHandler: error).code)"
      }
      #expect((code == "UNIMPLEMENTED") == !method.implemented, "\(method.path): \(code ?? "OK")")
    }
  }

  @Test func `give the contract to everybody`() async throws {
    let response: GetDescriptorSetResponse = try await fixture.call(
      ReflectionServiceMethods.getDescriptorSet, GetDescriptorSetRequest(), as: nil)
    #expect(response.descriptorSet.count > 10_000)
    #expect(response.hash.count == 32)
  }

  @Test func `say who they are to everybody`() async throws {
    let info: GetServerInfoResponse = try await fixture.call(
      ServerServiceMethods.getServerInfo, GetServerInfoRequest(), as: nil)
    #expect(info.serverId == "server")
    #expect(info.version == "1.2.3")
    #expect(info.protocol == "hito/1")
    #expect(info.startedAt == Contract.Timestamp(seconds: 1_767_225_600))
  }

  @Test func `show admins what is running`() async throws {
    let admin = fixture.user(.admin)
    let connections: ListConnectionsResponse = try await fixture.call(
      ServerServiceMethods.listConnections, ListConnectionsRequest(), as: admin)
    #expect(connections.connections.map(\.peer) == ["127.0.0.1:5000"])
    let calls: ListCallsResponse = try await fixture.call(
      ServerServiceMethods.listCalls, ListCallsRequest(), as: admin)
    #expect(calls.calls.map(\.method) == ["b", "a"])
    #expect(calls.calls.map(\.ageUs) == [1_000_000, 1000])
    #expect(calls.calls.map(\.phase) == [.running, .running])
    #expect(calls.calls.map(\.deadlineLeftUs) == [0, 0])
    for title in ["1", "2", "3"] { _ = try await fixture.createGoal(title, as: admin) }
    try await fixture.relay()
    let pipelines: GetPipelinesResponse = try await fixture.call(
      ServerServiceMethods.getPipelines, GetPipelinesRequest(), as: admin)
    #expect(pipelines.pipelines.map(\.lagEvents) == [2])
    #expect(pipelines.pipelines.map(\.lastError) == ["disk"])
    let flushed: FlushLakeResponse = try await fixture.call(
      ServerServiceMethods.flushLake, FlushLakeRequest(), as: admin)
    #expect(flushed.rows == 5)
    #expect(flushed.cursor == ServiceFixture.cursors.cursor(2))
  }

  @Test func `say how the parts are`() async throws {
    func check(_ part: String = "") async throws -> HealthCheckResponse {
      try await fixture.call(
        HealthServiceMethods.check, HealthCheckRequest(part: part), as: nil)
    }
    #expect(try await check().status == .serving)
    #expect(try await check("store").status == .notServing)
    fixture.health.set(.store, .serving)
    fixture.health.set(.relay, .notServing("behind"))
    #expect(try await check("store").status == .serving)
    #expect(try await check() == HealthCheckResponse(status: .notServing, message: "behind"))
    #expect(await failure { try await check("nonsense") }.code == .notFound)
    fixture.health.set(.relay, .serving)
    #expect(try await check().status == .serving)
    fixture.health.drain()
    #expect(try await check("store").status == .draining)
  }

  @Test func `tell each change of how they are, and end when they go away`() async throws {
    let stream = ProbeStream(HealthWatchRequest(), credit: .max)
    guard case .streaming(let body)? = fixture.router[HealthServiceMethods.watch.path]?.body else {
      Issue.record("there is no such stream")
      return
    }
    let context = fixture.context(HealthServiceMethods.watch, as: nil)
    let task = Task {
      defer { stream.end() }
      try await body(stream, context)
    }
    func next() async throws -> HealthStatus? {
      guard let bytes = await stream.nextWritten() else { return nil }
      return try HealthCheckResponse.decode(bytes).status
    }
    #expect(try await next() == .serving)
    fixture.health.set(.lake, .notServing("full"))
    #expect(try await next() == .notServing)
    fixture.health.drain()
    #expect(try await next() == .draining)
    let error = await failure { try await task.value }
    #expect(error.code == .unavailable)
    #expect(error.decodedDetails.reason == .draining)
  }
}
