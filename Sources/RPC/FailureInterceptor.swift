package import Logging

/// Turns what a method throws into what its caller sees, and writes down what the caller does not:
/// the cause of an error.
package struct FailureInterceptor: ServerInterceptor {
  private let logger: Logger
  private let translate: @Sendable (any Error) -> RPCError

  /// - Parameter translate: the table from what the service throws to what a caller sees.
  package init(
    logger: Logger,
    translate: @escaping @Sendable (any Error) -> RPCError = RPCError.init(fromHandler:)
  ) {
    self.logger = logger
    self.translate = translate
  }

  package func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    let path = method.path
    return { [logger, translate] context, call in
      do {
        return try await next(context, call)
      } catch {
        let seen = translate(error)
        if let cause = seen.cause {
          logger.error(
            "handler failed",
            metadata: [
              "method": "\(path)", "connection": "\(context.connectionID)",
              "stream": "\(context.streamID)", "error": "\(cause)",
            ])
        }
        throw seen
      }
    }
  }
}
