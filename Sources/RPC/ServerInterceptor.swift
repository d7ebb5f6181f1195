/// Something that happens around every call of a server: one shape for unary calls and streams.
///
/// The chain is built once, when a method is registered, so that a call costs no more than what its
/// interceptors do.
package protocol ServerInterceptor: Sendable {
  /// What runs the calls of `method`: code around `next`, or `next` itself where this method has no
  /// need of it.
  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler
}

/// Runs one call, and returns the reply of a unary one.
///
/// What it throws is what the caller sees. Both arguments are to be handed on.
package typealias CallHandler =
  @Sendable (CallContext, @escaping BoundCall) async throws -> (any WireMessage)?

/// A method's own code, bound to the request or the stream of one call.
package typealias BoundCall = @Sendable (CallContext) async throws -> (any WireMessage)?
