/// What calls take over that are made on behalf of another one: they end with it, and are part of its trace. The
/// service sets it for the task of a handler, and clients of this package read it; whoever calls from elsewhere may set
/// it themselves. Cancelling the outer call cancels them because they are its children.
public struct CallScope: Sendable {
  @TaskLocal public static var current: CallScope?

  /// No call outlasts it; nil: no limit.
  public var deadline: ContinuousClock.Instant?
  /// W3C trace context of the outer call.
  public var traceparent: String?

  public init(deadline: ContinuousClock.Instant? = nil, traceparent: String? = nil) {
    self.deadline = deadline
    self.traceparent = traceparent
  }

  package init(of context: CallContext) {
    self.init(deadline: context.deadline, traceparent: context.traceparent)
  }
}
