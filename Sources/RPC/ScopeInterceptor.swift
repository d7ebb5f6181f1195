internal import Wire

/// Keeps calls within the call on whose behalf they are made (`CallScope`): they end with it at the latest, and are
/// part of its trace.
public struct ScopeInterceptor: ClientInterceptor {
  public init() {}

  public func intercept<Result: Sendable>(
    _ method: MethodDescriptor, _ options: CallOptions,
    _ next: (CallOptions) async throws(RPCError) -> Result
  ) async throws(RPCError) -> Result {
    guard let scope = CallScope.current else { return try await next(options) }
    return try await next(try options.within(scope, method, now: .now))
  }
}

extension CallOptions {
  /// The same options, as far as `scope` allows. DEADLINE_EXCEEDED where its time is up.
  func within(
    _ scope: CallScope, _ method: MethodDescriptor, now: ContinuousClock.Instant
  ) throws(RPCError) -> CallOptions {
    var options = self
    options.traceparent = traceparent ?? scope.traceparent
    guard let deadline = scope.deadline else { return options }
    let left = now.duration(to: deadline)
    guard left > .zero else {
      var error = RPCError(.deadlineExceeded, "the deadline of the outer call has passed")
      error.isNotStarted = true
      throw error
    }
    // A unary call that names no time has one anyway (W12.2).
    let own = timeout ?? (method.kind == .unary ? WireLimit.unaryTimeoutDefault : left)
    options.timeout = min(own, left)
    return options
  }
}
