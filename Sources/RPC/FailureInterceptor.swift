package import Logging
internal import Logs

/// Turns what a method throws into what its caller sees, and writes down what the caller does not:
/// the cause of an error.
///
/// What is written depends on who is at fault. Ours (INTERNAL, UNKNOWN, DATA_LOSS, a store that cannot
/// be reached) is an error, at a bounded rate for each method and status; what the caller did, gave up
/// or had no time for is for those who debug.
package struct FailureInterceptor: ServerInterceptor {
  private let log: MeteredLogger
  private let translate: @Sendable (any Error) -> RPCError

  /// - Parameter translate: the table from what the service throws to what a caller sees.
  package init(
    logger: Logger,
    translate: @escaping @Sendable (any Error) -> RPCError = RPCError.init(fromHandler:)
  ) {
    log = MeteredLogger(logger)
    self.translate = translate
  }

  package func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    let path = method.path
    return { [log, translate] context, call in
      do {
        return try await next(context, call)
      } catch {
        throw Self.report(error, of: context, path, log, translate)
      }
    }
  }

  /// Apart from what awaits the call: what it needs would be kept as long as the call lasts.
  @inline(never) private static func report(
    _ error: any Error, of context: CallContext, _ path: String, _ log: MeteredLogger,
    _ translate: (any Error) -> RPCError
  ) -> RPCError {
    let seen = translate(error)
    func metadata() -> Logger.Metadata {
      [
        "method": "\(path)", "connection": "\(context.connectionID)",
        "stream": "\(context.streamID)", "status": "\(seen.code)",
        "error": "\(seen.cause.map { "\($0)" } ?? seen.message)",
      ]
    }
    if let kind = fault(of: seen, in: path) {
      log.write(.error, "handler failed", kind: kind, metadata: metadata())
    } else {
      log.logger.debug("call failed", metadata: metadata())
    }
    return seen
  }

  /// The kind of fault that is this server's; nil where it is the caller's, or nobody's.
  private static func fault(of error: RPCError, in path: String) -> String? {
    switch error.code {
    case .dataLoss: "\(path) \(error.code)"
    // What breaks in a call that was given up broke because of that.
    case .internal, .unknown: Task.isCancelled ? nil : "\(path) \(error.code)"
    // One thing is away, whichever methods ask for it.
    case .unavailable where error.cause != nil: "\(error.code)"
    default: nil
    }
  }
}
