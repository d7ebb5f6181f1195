package import Tracing

/// Makes a span of each call, below the one that the call's W3C `traceparent` names.
///
/// Without a tracer when the methods are registered there is nothing around a call.
package struct TracingInterceptor: ServerInterceptor {
  private let tracer: any Tracer

  package init(tracer: any Tracer = InstrumentationSystem.tracer) {
    self.tracer = tracer
  }

  package func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard !(tracer is NoOpTracer) else { return next }
    let service = String(method.service)
    let name = String(method.name)
    return { [tracer] context, call in
      try await tracer.withAnySpan(
        method.path, context: Self.parent(of: context, tracer), ofKind: .server
      ) { span in
        span.attributes["rpc.system"] = "hito"
        span.attributes["rpc.service"] = service
        span.attributes["rpc.method"] = name
        Self.propagate(span.context, to: context, tracer)
        do {
          return try await next(context, call)
        } catch {
          span.attributes["rpc.status"] = "\(RPCError(fromHandler: error).code)"
          throw error
        }
      }
    }
  }

  /// What the call writes, events for instance, is below its own span.
  private static func propagate(
    _ span: ServiceContext, to context: CallContext, _ tracer: any Tracer
  ) {
    var traceparent: String?
    tracer.inject(span, into: &traceparent, using: TraceparentInjector())
    if let traceparent { context.continues(traceparent: traceparent) }
  }

  private static func parent(of context: CallContext, _ tracer: any Tracer) -> ServiceContext {
    var parent = ServiceContext.topLevel
    tracer.extract(context, into: &parent, using: CallExtractor())
    return parent
  }
}

/// Reads trace context out of a call: its `traceparent`, and for other names its metadata.
private struct CallExtractor: Extractor {
  func extract(key: String, from context: CallContext) -> String? {
    if key == "traceparent" { return context.clientTraceparent }
    return context.metadata.last { $0.0 == key }?.1
  }
}

/// Takes the `traceparent` of what a tracer says, and nothing else.
private struct TraceparentInjector: Injector {
  func inject(_ value: String, forKey key: String, into carrier: inout String?) {
    if key == "traceparent" { carrier = value }
  }
}
