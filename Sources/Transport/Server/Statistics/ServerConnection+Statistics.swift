internal import RPC
internal import Wire

// What is counted of calls, see `LoopStatistics`.
extension ServerConnection {
  /// A call that began is over.
  func countFinished(_ call: ServerCall, _ status: StatusCode, microseconds: UInt64) {
    executor.statistics.finished(call.route.index, status, microseconds: microseconds)
    if microseconds >= core.slowCallMicroseconds, call.route.method.kind == .unary {
      noteSlow(call, status, microseconds)
    }
  }

  /// Of a call that ends with an error: whether that refuses it.
  func countRefusal(_ error: RPCError, isStarted: Bool) {
    let reason = RefusalReason(error.code, details: error.details, isStarted: isStarted)
    if let reason { executor.statistics.refused(nil, error.code, reason) }
  }

  /// A call was refused by its head.
  func countRefusal(_ fault: CallFault, _ head: CallHead) {
    executor.statistics.refused(
      routes.route(head.pathBytes, in: core.router)?.index, fault.code,
      RefusalReason(fault.code, details: [], isStarted: false))
  }

  @inline(never) private func noteSlow(
    _ call: ServerCall, _ status: StatusCode, _ microseconds: UInt64
  ) {
    let trace = (call.context?.traceparent ?? call.traceparent).flatMap(TraceParent.init)
    core.slowCalls.add(
      SlowCallRecord(
        method: call.route.method.path, userID: call.principal?.userID ?? "",
        duration: .microseconds(microseconds), status: status, traceID: trace?.traceID ?? "",
        endedAt: core.now().instant))
  }
}
