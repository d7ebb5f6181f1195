internal import JSON

/// Spans and metrics as OTLP/HTTP has them in JSON: ids in hexadecimal, 64-bit integers as text.
///
/// (opentelemetry-proto 1.3: `ExportTraceServiceRequest` and `ExportMetricsServiceRequest`.)
package struct OTLPJSON: Sendable {
  /// Who sends: `service.name` and the like.
  private let resource: JSONValue
  private let scope: JSONValue

  package init(resource: [(String, String)], version: String) {
    self.resource = .object([
      ("attributes", .array(resource.map { Self.attribute($0, .text($1)) }))
    ])
    scope = .object([("name", .string("hito")), ("version", .string(version))])
  }

  // MARK: Traces

  func traces(_ spans: [EndedSpan]) -> JSONValue {
    request("resourceSpans", "scopeSpans", "spans", spans.map(Self.span))
  }

  private static func span(_ span: EndedSpan) -> JSONValue {
    let trace = span.context.trace
    var members: [(key: String, value: JSONValue)] = [
      ("traceId", .string(trace.traceID)), ("spanId", .string(hex(trace.spanID))),
    ]
    if let parent = span.parentSpanID { members.append(("parentSpanId", .string(hex(parent)))) }
    if let state = span.context.state { members.append(("traceState", .string(state))) }
    members += [
      ("flags", .integer(trace.isSampled ? 1 : 0)), ("name", .string(span.name)),
      ("kind", .integer(span.kind)),
      ("startTimeUnixNano", .string("\(span.startNanoseconds)")),
      ("endTimeUnixNano", .string("\(span.endNanoseconds)")),
      (
        "attributes",
        .array(span.attributes.sorted { $0.name < $1.name }.map { attribute($0.name, $0.value) })
      ),
    ]
    if !span.events.isEmpty {
      members.append(
        (
          "events",
          .array(
            span.events.map {
              .object([
                ("timeUnixNano", .string("\($0.nanoseconds)")), ("name", .string($0.name)),
              ])
            })
        ))
    }
    // 0 unset, 2 error.
    members.append(("status", .object(span.isError ? [("code", .integer(2))] : [])))
    return .object(members)
  }

  // MARK: Metrics

  func metrics(_ families: [MetricFamily], start: UInt64, now: UInt64) -> JSONValue {
    request(
      "resourceMetrics", "scopeMetrics", "metrics",
      families.filter { !$0.points.isEmpty }.map { Self.metric($0, start: start, now: now) })
  }

  private static func metric(_ family: MetricFamily, start: UInt64, now: UInt64) -> JSONValue {
    let points = JSONValue.array(family.points.map { point($0, start: start, now: now) })
    // 2: sums since the start.
    let cumulative: (key: String, value: JSONValue) = ("aggregationTemporality", .integer(2))
    let data: (key: String, value: JSONValue) =
      switch family.kind {
      case .counter:
        ("sum", .object([("dataPoints", points), cumulative, ("isMonotonic", .bool(true))]))
      case .gauge: ("gauge", .object([("dataPoints", points)]))
      case .histogram: ("histogram", .object([("dataPoints", points), cumulative]))
      }
    let unit = ["seconds": "s", "bytes": "By"].first { family.name.contains("_\($0.key)") }
    return .object([
      ("name", .string(family.name)), ("description", .string(family.help)),
      ("unit", .string(unit?.value ?? "1")), data,
    ])
  }

  private static func point(
    _ point: MetricFamily.Point, start: UInt64, now: UInt64
  ) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      ("attributes", .array(point.labels.map { attribute($0.name, .text($0.value)) })),
      ("startTimeUnixNano", .string("\(start)")), ("timeUnixNano", .string("\(now)")),
    ]
    switch point.value {
    case .number(let value): members.append(("asDouble", .number(value)))
    case .latency(let latency):
      let exported = ExportedLatency(latency)
      members += [
        ("count", .string("\(exported.count)")), ("sum", .number(exported.sum)),
        ("bucketCounts", .array(exported.counts.map { .string("\($0)") })),
        ("explicitBounds", .array(ExportedLatency.bounds.map { .number($0) })),
      ]
    }
    return .object(members)
  }

  // MARK: Around them

  private func request(
    _ resources: String, _ scopes: String, _ name: String, _ values: [JSONValue]
  ) -> JSONValue {
    let inScope = JSONValue.object([("scope", scope), (name, .array(values))])
    return .object([
      (resources, .array([.object([("resource", resource), (scopes, .array([inScope]))])]))
    ])
  }

  private static func attribute(_ name: String, _ value: AttributeValue) -> JSONValue {
    let tagged: (key: String, value: JSONValue) =
      switch value {
      case .text(let text): ("stringValue", .string(text))
      case .integer(let number): ("intValue", .string("\(number)"))
      case .number(let number): ("doubleValue", .number(number))
      case .truth(let truth): ("boolValue", .bool(truth))
      }
    return .object([("key", .string(name)), ("value", .object([tagged]))])
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
