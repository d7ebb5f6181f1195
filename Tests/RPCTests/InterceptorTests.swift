import InMemoryTracing
import Logging
import RPC
import Synchronization
import Testing
import Tracing

/// What interceptors saw, in order.
private final class Notes: Sendable {
  private let notes = Mutex<[String]>([])
  func add(_ note: String) { notes.withLock { $0.append(note) } }
  var all: [String] { notes.withLock { $0 } }
}

private struct Noting: ServerInterceptor {
  let name: String
  let notes: Notes

  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    notes.add("\(name) intercepts \(method.name)")
    return { [name, notes] context, call in
      notes.add("\(name) begins for \(context.principal?.userID ?? "nobody")")
      defer { notes.add("\(name) ends") }
      return try await next(context, call)
    }
  }
}

/// Admits by caller and cost class: where quotas hang.
private struct Quota: ServerInterceptor {
  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard rule.cost == .model else { return next }
    return { context, call in
      guard context.principal?.role == .admin else {
        throw RPCError(.resourceExhausted, "no models today")
      }
      return try await next(context, call)
    }
  }
}

private struct Foreign: Error {}

@Suite struct `Interceptors of a server` {
  private let method = MethodDescriptor.test("a.B/C")

  private func router(
    outer: [any ServerInterceptor] = [], inner: [any ServerInterceptor] = [],
    _ method: MethodDescriptor? = nil, error: (any Error)? = nil
  ) throws -> Router {
    var router = Router(outer: outer, inner: inner)
    try router.unary(method ?? self.method) { (request: Echo, _) in
      if let error { throw error }
      return request
    }
    return router
  }

  @Test func `stand around each call in their order, the rule between outer and inner`()
    async throws
  {
    let notes = Notes()
    let router = try router(
      outer: [Noting(name: "1", notes: notes), Noting(name: "2", notes: notes)],
      inner: [Noting(name: "3", notes: notes)])
    #expect(notes.all == ["3 intercepts C", "2 intercepts C", "1 intercepts C"])
    _ = try await router.call(method, as: .test(.learner))
    #expect(
      notes.all.dropFirst(3) == [
        "1 begins for ada", "2 begins for ada", "3 begins for ada", "3 ends", "2 ends", "1 ends",
      ])
    await #expect(throws: RPCError.self) { try await router.call(method) }
    #expect(
      notes.all.dropFirst(9) == ["1 begins for nobody", "2 begins for nobody", "2 ends", "1 ends"])
  }

  @Test func `stand around streams as around unary calls`() async throws {
    let notes = Notes()
    var router = Router(outer: [Noting(name: "1", notes: notes)])
    let stream = MethodDescriptor.test("a.B/D", kind: .serverStreaming)
    try router.serverStreaming(stream) {
      (_: Echo, _: CallContext, _: ResponseWriter<Echo>) in notes.add("body")
    }
    guard case .streaming(let body)? = router["a.B/D"]?.body else {
      Issue.record("not a stream")
      return
    }
    // No request message: the body is not reached, and the interceptor sees the end.
    await #expect(throws: RPCError.self) {
      try await body(NoStream(), CallContext(method: stream, principal: .test(.learner)))
    }
    #expect(notes.all == ["1 intercepts D", "1 begins for ada", "1 ends"])
  }

  @Test func `admit by caller and cost class`() async throws {
    let model = MethodDescriptor.test("a.B/C", cost: .model)
    let router = try router(inner: [Quota()], model)
    #expect(try await router.call(model, [1], as: .test(.admin)) == [1])
    let error = await #expect(throws: RPCError.self) {
      try await router.call(model, as: .test(.learner))
    }
    #expect(error?.code == .resourceExhausted)
  }

  @Test func `translate what is thrown and log the cause alone`() async throws {
    let notes = Notes()
    let logger = Logger(label: "test") { _ in NotingLog(notes: notes) }
    let foreign = try router(outer: [FailureInterceptor(logger: logger)], error: Foreign())
    let error = await #expect(throws: RPCError.self) {
      try await foreign.call(method, as: .test(.learner))
    }
    #expect(error?.message == "internal error")
    #expect(notes.all == ["handler failed a.B/C 3 5 Foreign()"])
    let own = try router(
      outer: [FailureInterceptor(logger: logger) { _ in RPCError(.aborted, "again") }],
      error: Foreign())
    let translated = await #expect(throws: RPCError.self) {
      try await own.call(method, as: .test(.learner))
    }
    #expect(translated?.code == .aborted)
    #expect(notes.all.count == 1)
  }

  @Test(
    arguments: [
      RPCError(.cancelled, "").caused(by: Foreign()), RPCError(.cancelled, ""),
      RPCError(.deadlineExceeded, "").caused(by: Foreign()),
      RPCError(.alreadyExists, "").caused(by: Foreign()),
      RPCError(.invalidArgument, ""), RPCError(.unavailable, "a model is away"),
      RPCError(.resourceExhausted, ""), RPCError(.unauthenticated, ""),
    ])
  func `log nothing of what is not the server's fault`(_ error: RPCError) async throws {
    let notes = Notes()
    let logger = Logger(label: "test") { _ in NotingLog(notes: notes) }
    let router = try router(outer: [FailureInterceptor(logger: logger)], error: error)
    await #expect(throws: RPCError.self) { try await router.call(method, as: .test(.learner)) }
    #expect(notes.all.isEmpty)
  }

  @Test func `log nothing of what broke in a call that was given up`() async throws {
    let notes = Notes()
    let logger = Logger(label: "test") { _ in NotingLog(notes: notes) }
    let router = try router(outer: [FailureInterceptor(logger: logger)], error: Foreign())
    let call = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await router.call(method, as: .test(.learner))
    }
    await #expect(throws: RPCError.self) { try await call.value }
    #expect(notes.all.isEmpty)
  }

  @Test(
    arguments: [
      RPCError(.internal, ""), RPCError(.dataLoss, ""), RPCError(.unknown, ""),
      RPCError(.unavailable, "").caused(by: Foreign()),
    ])
  func `log what is the server's fault, a bounded number of times`(_ error: RPCError) async throws {
    let notes = Notes()
    let logger = Logger(label: "test") { _ in NotingLog(notes: notes) }
    let router = try router(outer: [FailureInterceptor(logger: logger)], error: error)
    let start = ContinuousClock.now
    for _ in 0..<200 {
      await #expect(throws: RPCError.self) { try await router.call(method, as: .test(.learner)) }
    }
    let seconds = Int(start.duration(to: .now) / .seconds(1))
    #expect((20...21 + seconds).contains(notes.all.count))
  }

  @Test func `make a span below the one that traceparent names`() async throws {
    let tracer = W3CTracer()
    let router = try router(outer: [TracingInterceptor(tracer: tracer)])
    _ = try await router.call(
      method, as: .test(.learner),
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    await #expect(throws: RPCError.self) { try await router.call(method) }
    let spans = tracer.base.finishedSpans
    #expect(spans.map(\.operationName) == ["a.B/C", "a.B/C"])
    #expect(spans.first?.kind == .server)
    #expect(spans.first?.spanContext.traceID == "0af7651916cd43dd8448eb211c80319c")
    #expect(spans.first?.spanContext.parentSpanID == "b7ad6b7169203331")
    #expect(spans.first?.attributes.get("rpc.method") == .string("C"))
    #expect(spans.first?.errors.isEmpty == true)
    #expect(spans.last?.spanContext.parentSpanID == nil)
    #expect(spans.last?.attributes.get("rpc.status") == .string("UNAUTHENTICATED"))
    #expect(spans.last?.errors.count == 1)
  }

  @Test func `have what a call writes be part of its own span`() async throws {
    let tracer = W3CTracer()
    let seen = Notes()
    var router = Router(outer: [TracingInterceptor(tracer: tracer)])
    try router.unary(method) { (request: Echo, context: CallContext) in
      seen.add(context.traceparent ?? "none")
      seen.add(context.clientTraceparent ?? "none")
      return request
    }
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    _ = try await router.call(method, as: .test(.learner), traceparent: sent)
    let span = try #require(tracer.base.finishedSpans.first)
    #expect(seen.all == ["of \(span.spanContext.spanID)", sent])
  }

  @Test func `leave calls as they are where there is no backend for traces`() async throws {
    let router = try router(outer: [TracingInterceptor()])
    #expect(try await router.call(method, [1], as: .test(.learner)) == [1])
    let error = await #expect(throws: RPCError.self) { try await router.call(method) }
    #expect(error?.code == .unauthenticated)
  }
}

private struct NotingLog: LogHandler {
  let notes: Notes
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let values = ["method", "connection", "stream", "error"].map { "\(event.metadata?[$0] ?? "")" }
    notes.add("\(event.message) \(values.joined(separator: " "))")
  }
}

/// A tracer that reads W3C trace context, as real ones do.
private struct W3CTracer: Tracer {
  let base = InMemoryTracer()

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> InMemorySpan {
    base.startSpan(
      operationName, context: context(), ofKind: kind, at: instant(), function: function,
      file: fileID, line: line)
  }

  func forceFlush() {}

  func inject<Carrier, Inject: Injector>(
    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let span = context.inMemorySpanContext else { return }
    injector.inject("of \(span.spanID)", forKey: "traceparent", into: &carrier)
    injector.inject("state", forKey: "tracestate", into: &carrier)
  }

  func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    let parts = extractor.extract(key: "traceparent", from: carrier)?.split(separator: "-") ?? []
    guard parts.count == 4 else { return }
    context.inMemorySpanContext = InMemorySpanContext(
      traceID: String(parts[1]), spanID: String(parts[2]), parentSpanID: nil)
  }
}
