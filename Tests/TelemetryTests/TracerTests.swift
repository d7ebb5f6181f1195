import JSON
import RPC
import Testing
import Tracing

@testable import Telemetry

private struct Fields: Extractor, Injector {
  func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
  func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
    carrier[key] = value
  }
}

@Suite struct `The tracer` {
  private static let sent = [
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "a=1",
  ]

  private func context(_ fields: [String: String], _ tracer: OTLPTracer) -> ServiceContext {
    var context = ServiceContext.topLevel
    tracer.extract(fields, into: &context, using: Fields())
    return context
  }

  @Test func `continues a trace and hands it on`() throws {
    let queue = SpanQueue()
    let tracer = OTLPTracer(queue: queue, ratio: 0)
    let span = tracer.startSpan("a", context: context(Self.sent, tracer), ofKind: .server)
    span.attributes["rpc.method"] = "C"
    span.end()
    span.end()
    var handed: [String: String] = [:]
    tracer.inject(span.context, into: &handed, using: Fields())
    let ended = try #require(queue.take(9).first)
    #expect(ended.context.trace.traceID == "0af7651916cd43dd8448eb211c80319c")
    #expect(ended.parentSpanID == 0xb7ad_6b71_6920_3331)
    #expect(handed["traceparent"] == ended.context.trace.text && handed["tracestate"] == "a=1")
    #expect(ended.context.trace.spanID != ended.parentSpanID && queue.count == 0)
    #expect(ended.endNanoseconds >= ended.startNanoseconds)
  }

  @Test func `samples what begins here by its ratio, and keeps to what callers decided`() {
    for (ratio, range) in [(0.0, 0...0), (0.25, 150...350), (1.0, 1000...1000)] {
      let queue = SpanQueue()
      let tracer = OTLPTracer(queue: queue, ratio: ratio)
      for _ in 0..<1000 { tracer.startSpan("a", context: .topLevel).end() }
      #expect(range.contains(queue.count))
    }
    let queue = SpanQueue()
    let tracer = OTLPTracer(queue: queue, ratio: 1)
    let quiet = ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"]
    let span = tracer.startSpan("a", context: context(quiet, tracer))
    #expect(!span.isRecording)
    span.end()
    #expect(queue.count == 0)
  }

  @Test func `begins a trace where what was sent is none`() {
    let tracer = OTLPTracer(queue: SpanQueue(), ratio: 1)
    #expect(context(["traceparent": "00-abc"], tracer).hitoSpan == nil)
  }

  @Test func `marks the faults of the server and not those of callers`() throws {
    let queue = SpanQueue()
    let tracer = OTLPTracer(queue: queue, ratio: 1)
    for error in [RPCError(.notFound, "secret"), RPCError(.internal, "secret")] {
      let span = tracer.startSpan("a", context: .topLevel)
      span.recordError(error)
      span.end()
    }
    let spans = queue.take(9)
    #expect(spans.map(\.isError) == [false, true])
    let text = OTLPJSON(resource: [], version: "1").traces(spans).text
    #expect(!text.contains("secret"))
  }

  @Test func `drops and counts spans that nobody takes`() {
    let queue = SpanQueue()
    let tracer = OTLPTracer(queue: queue, ratio: 1)
    for _ in 0..<SpanQueue.countMax + 5 { tracer.startSpan("a", context: .topLevel).end() }
    #expect(queue.count == SpanQueue.countMax && queue.droppedCount == 5)
    let taken = queue.take(100)
    for _ in 0..<40 { tracer.startSpan("b", context: .topLevel).end() }
    queue.putBack(taken)
    #expect(queue.count == SpanQueue.countMax && queue.droppedCount == 45)
    #expect(queue.take(1).first?.name == "a")
  }

  @Test func `bounds what a span says`() {
    let queue = SpanQueue()
    let span = OTLPTracer(queue: queue, ratio: 1).startSpan("a", context: .topLevel)
    for number in 0..<500 {
      span.attributes["k\(number)"] = SpanAttribute.string(String(repeating: "x", count: 9999))
      span.addEvent(SpanEvent(name: "e"))
    }
    span.end()
    let ended = queue.take(1).first
    #expect(ended?.attributes.count == 64 && ended?.events.count == 32)
    #expect(ended?.attributes.first?.value == .text(String(repeating: "x", count: 256)))
  }

  @Test func `is written as OTLP has it`() throws {
    let queue = SpanQueue()
    let tracer = OTLPTracer(queue: queue, ratio: 1)
    let span = tracer.startSpan("a.B/C", context: context(Self.sent, tracer), ofKind: .server)
    span.attributes["n"] = 3
    span.end()
    let json = OTLPJSON(resource: [("service.name", "hito")], version: "1").traces(queue.take(1))
    let resource = try #require(json["resourceSpans"]?.arrayValue?.first)
    #expect(resource["resource"]?.text.contains("service.name") == true)
    let written = try #require(
      resource["scopeSpans"]?.arrayValue?.first?["spans"]?.arrayValue?.first)
    #expect(written["traceId"]?.stringValue == "0af7651916cd43dd8448eb211c80319c")
    #expect(written["parentSpanId"]?.stringValue == "b7ad6b7169203331")
    #expect(written["spanId"]?.stringValue?.utf8.count == 16)
    #expect(written["kind"]?.integerValue == 2)
    #expect(written["startTimeUnixNano"]?.stringValue.flatMap { UInt64($0) } != nil)
    #expect(written["attributes"]?.text == #"[{"key":"n","value":{"intValue":"3"}}]"#)
  }
}
