package import RPC
internal import Synchronization
package import Tracing

/// Where a span is in its trace.
package struct SpanContext: Sendable, Hashable {
  package var trace: TraceParent
  /// The vendors' part, passed on as it came.
  package var state: String?
}

private enum SpanContextKey: ServiceContextKey {
  typealias Value = SpanContext
}

extension ServiceContext {
  package var hitoSpan: SpanContext? {
    get { self[SpanContextKey.self] }
    set { self[SpanContextKey.self] = newValue }
  }
}

/// A tracer of swift-distributed-tracing whose spans go to a queue, for an `OTLPExporter` to send; with W3C trace
/// context.
///
/// What begins a trace here is sampled by its ratio; what continues one is as that was decided.
package final class OTLPTracer: Tracer {
  package typealias Span = OTLPSpan

  private static let traceStateLengthMax = 512

  private let queue: SpanQueue
  /// Of 2^63 the traces that are kept.
  private let threshold: UInt64

  /// - Parameter ratio: what share of the traces that begin here is kept, 0 to 1.
  package init(queue: SpanQueue, ratio: Double) {
    self.queue = queue
    let most = Double(UInt64(1) << 63)
    threshold = ratio >= 1 ? 1 << 63 : UInt64(max(0, ratio) * most)
  }

  package func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> OTLPSpan {
    var context = context()
    let parent = context.hitoSpan
    var trace = parent?.trace ?? beginning()
    trace.spanID = UInt64.random(in: 1 ... .max)
    let own = SpanContext(trace: trace, state: parent?.state)
    context.hitoSpan = own
    return OTLPSpan(
      operationName, context, own, parentSpanID: parent?.trace.spanID, kind: kind,
      start: instant().nanosecondsSinceEpoch, queue: queue)
  }

  private func beginning() -> TraceParent {
    let low = UInt64.random(in: 1 ... .max)
    return TraceParent(
      traceIDHigh: .random(in: 0 ... .max), traceIDLow: low, spanID: 0,
      isSampled: (low >> 1) < threshold)
  }

  package func forceFlush() {}

  package func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let text = extractor.extract(key: "traceparent", from: carrier),
      let trace = TraceParent(text)
    else { return }
    let state = extractor.extract(key: "tracestate", from: carrier)
    context.hitoSpan = SpanContext(
      trace: trace, state: state.flatMap { $0.utf8.count <= Self.traceStateLengthMax ? $0 : nil })
  }

  package func inject<Carrier, Inject: Injector>(
    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let span = context.hitoSpan else { return }
    injector.inject(span.trace.text, forKey: "traceparent", into: &carrier)
    if let state = span.state { injector.inject(state, forKey: "tracestate", into: &carrier) }
  }
}

/// A span while it lasts. One that is not sampled keeps its place in the trace, and nothing else.
package final class OTLPSpan: Tracing.Span {
  private static let attributeCountMax = 64
  private static let eventCountMax = 32

  private struct State {
    var name: String
    var attributes = SpanAttributes()
    var events: [EndedSpan.Event] = []
    var isError = false
    var hasEnded = false
  }

  package let context: ServiceContext
  private let own: SpanContext
  private let parentSpanID: UInt64?
  private let kind: SpanKind
  private let start: UInt64
  private let queue: SpanQueue
  private let state: Mutex<State>

  fileprivate init(
    _ name: String, _ context: ServiceContext, _ own: SpanContext, parentSpanID: UInt64?,
    kind: SpanKind, start: UInt64, queue: SpanQueue
  ) {
    self.context = context
    self.own = own
    self.parentSpanID = parentSpanID
    self.kind = kind
    self.start = start
    self.queue = queue
    state = Mutex(State(name: name))
  }

  package var isRecording: Bool { own.trace.isSampled && !state.withLock { $0.hasEnded } }

  package var operationName: String {
    get { state.withLock { $0.name } }
    set { state.withLock { $0.name = newValue } }
  }

  package var attributes: SpanAttributes {
    get { state.withLock { $0.attributes } }
    set { if own.trace.isSampled { state.withLock { $0.attributes = newValue } } }
  }

  package func setStatus(_ status: SpanStatus) {
    state.withLock { $0.isError = status.code == .error }
  }

  /// By its name: what it says else is not known to be anybody's to read.
  package func addEvent(_ event: SpanEvent) {
    guard own.trace.isSampled else { return }
    state.withLock { state in
      guard state.events.count < Self.eventCountMax else { return }
      state.events.append(
        EndedSpan.Event(name: event.name, nanoseconds: event.nanosecondsSinceEpoch))
    }
  }

  /// Marks the span where the fault is the server's; what errors say may quote what nobody else should read.
  package func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    let isFault =
      switch RPCError(fromHandler: error).code {
      case .unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss: true
      default: false
      }
    if isFault { state.withLock { $0.isError = true } }
  }

  package func addLink(_ link: SpanLink) {}

  package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    guard own.trace.isSampled else { return }
    let ended = state.withLock { state -> State? in
      guard !state.hasEnded else { return nil }
      state.hasEnded = true
      return state
    }
    guard let ended else { return }
    var attributes: [(name: String, value: AttributeValue)] = []
    // No sequence: it has this function alone.
    func keep(_ name: String, _ value: SpanAttribute) {
      guard attributes.count < Self.attributeCountMax else { return }
      attributes.append((name, AttributeValue(value)))
    }
    ended.attributes.forEach(keep)
    queue.add(
      EndedSpan(
        context: own, parentSpanID: parentSpanID, name: ended.name, kind: kind.otlpNumber,
        startNanoseconds: start, endNanoseconds: max(start, instant().nanosecondsSinceEpoch),
        attributes: attributes, events: ended.events, isError: ended.isError))
  }
}

/// What a span says of itself, as OTLP has it.
enum AttributeValue: Sendable, Hashable {
  case text(String)
  case integer(Int64)
  case number(Double)
  case truth(Bool)

  private static let lengthMax = 256

  init(_ attribute: SpanAttribute) {
    self =
      switch attribute {
      case .int32(let value): .integer(Int64(value))
      case .int64(let value): .integer(value)
      case .double(let value): .number(value)
      case .bool(let value): .truth(value)
      case .string(let value): .text(String(value.prefix(Self.lengthMax)))
      default: .text("")
      }
  }
}

extension SpanKind {
  fileprivate var otlpNumber: Int64 {
    switch self {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }
}
