internal import Domain
internal import RPC

/// Gives the stores the deadline of the call that asks them, and calls to other servers what they take over from
/// it. Of a unary write it is noted when it begins to write (`CallWrites`).
struct StoreDeadline: ServerInterceptor {
  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard rule.cost != .memory else { return next }
    let within: CallHandler = { context, call in
      try await CallScope.$current.withValue(CallScope(of: context)) {
        try await CallDeadline.$current.withValue(context.deadline) {
          try await next(context, call)
        }
      }
    }
    // A stream writes more than once, and what it began may continue without it.
    guard method.kind == .unary, !method.isReadOnly else { return within }
    return { context, call in
      try await CallWrites.$current.withValue(CallWrites { context.beginWrite() }) {
        try await within(context, call)
      }
    }
  }
}
