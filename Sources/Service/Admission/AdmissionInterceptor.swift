internal import Domain
package import RPC

/// Keeps callers within their limits, and lets expensive calls in by turns of their callers, off the
/// event loops: what they compute must not hold up the connections of others.
///
/// Methods that are open to everybody have no caller to count for.
package struct AdmissionInterceptor: ServerInterceptor {
  private let admission: CallAdmission

  package init(admission: CallAdmission) { self.admission = admission }

  package func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard rule.callers != .anybody else { return next }
    let isStream = method.kind != .unary
    let body =
      if isExpensive(rule) {
        expensive(method, rule, next)
      } else if rule.cost == .rows, !isStream {
        turns(rule, next)
      } else {
        next
      }
    return { [admission] context, call in
      let caller = try Self.begin(context, admission, isStream: isStream)
      defer { if isStream { Self.streamEnded(context, admission) } }
      guard rule.cost != .memory, let caller else {
        return try await body(context, call)
      }
      return try await CallOrigin.$caller.withValue(caller) { try await body(context, call) }
    }
  }

  // Apart from what awaits the call: what they need would be kept as long as the call lasts.

  @inline(never) private static func begin(
    _ context: CallContext, _ admission: CallAdmission, isStream: Bool
  ) throws -> EntityID? {
    let principal = try context.requirePrincipal()
    try admission.begin(principal, isStream: isStream)
    return EntityID(principal.userID)
  }

  @inline(never) private static func streamEnded(
    _ context: CallContext, _ admission: CallAdmission
  ) {
    if let principal = context.principal { admission.streamEnded(principal) }
  }

  private func isExpensive(_ rule: MethodRule) -> Bool {
    switch rule.cost {
    case .scan, .search, .model, .bulk: rule.isImplemented
    case .memory, .rows, .subscription: false
    }
  }

  private func expensive(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    let offLoop: CallHandler = { context, call in
      try await withTaskExecutorPreference(globalConcurrentExecutor) {
        try await next(context, call)
      }
    }
    // A client that sends slowly would keep a place for nothing: such a method takes its turns itself,
    // for each piece of work.
    return method.kind.hasSingleRequest ? turns(rule, offLoop) : offLoop
  }

  private func turns(_ rule: MethodRule, _ next: @escaping CallHandler) -> CallHandler {
    { [admission] context, call in
      try await admission.turn(rule.cost, context) { try await next(context, call) }
    }
  }
}
