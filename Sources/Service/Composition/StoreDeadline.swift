internal import Domain
internal import RPC

/// Gives the stores the deadline of the call that asks them.
struct StoreDeadline: ServerInterceptor {
  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard rule.cost != .memory else { return next }
    return { context, call in
      try await CallDeadline.$current.withValue(context.deadline) {
        try await next(context, call)
      }
    }
  }
}
