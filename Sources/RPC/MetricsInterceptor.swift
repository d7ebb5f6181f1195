package import CoreMetrics

/// Counts the calls of each method by their status, and measures how long they take:
///
/// - `hito_rpc_calls_total`, by `method` and `status`
/// - `hito_rpc_call_duration_seconds`, by `method`; of streams, until they end
///
/// Without a metrics backend when the methods are registered there is nothing around a call.
package struct MetricsInterceptor: ServerInterceptor {
  private let factory: any MetricsFactory

  package init(factory: any MetricsFactory = MetricsSystem.factory) {
    self.factory = factory
  }

  package func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard !(factory is NOOPMetricsHandler) else { return next }
    let counters = CallCounters(method: method.path, factory: factory)
    let duration = Timer(
      label: "hito_rpc_call_duration_seconds", dimensions: [("method", method.path)],
      factory: factory)
    return { context, call in
      let start = ContinuousClock.now
      defer { duration.recordNanoseconds((ContinuousClock.now - start).nanoseconds) }
      do {
        let reply = try await next(context, call)
        counters.succeeded.increment()
        return reply
      } catch {
        counters.failed(RPCError(fromHandler: error)).increment()
        throw error
      }
    }
  }
}

/// The counters of one method.
private struct CallCounters: Sendable {
  let method: String
  let factory: any MetricsFactory
  let succeeded: Counter

  init(method: String, factory: any MetricsFactory) {
    self.method = method
    self.factory = factory
    succeeded = CallCounters.counter(method, "OK", factory)
  }

  /// Asked for when it is needed: few methods fail in all sixteen ways.
  func failed(_ error: RPCError) -> Counter {
    CallCounters.counter(method, "\(error.code)", factory)
  }

  private static func counter(
    _ method: String, _ status: String, _ factory: any MetricsFactory
  ) -> Counter {
    Counter(
      label: "hito_rpc_calls_total", dimensions: [("method", method), ("status", status)],
      factory: factory)
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
