/// Until when the current call's answer is worth having. The service sets it for the task of a
/// call; the stores read it, so that it need not travel through every signature.
package enum CallDeadline {
  /// Nil: the store's own default applies.
  @TaskLocal package static var current: ContinuousClock.Instant?
}

/// Whether the current call may still write. The service sets it for the task of a call, and the stores ask before
/// they send a write: so that what a caller is told of a call that ended early is true.
///
/// An object, not the function itself: Swift 6.3 optimizes a task-local function into one without a type, and crashes.
package final class CallWrites: Sendable {
  /// Nil: nobody asks.
  @TaskLocal package static var current: CallWrites?

  private let begin: @Sendable () -> Bool

  /// - Parameter begin: false where the caller was told that nothing was written.
  package init(begin: @escaping @Sendable () -> Bool) { self.begin = begin }

  /// Asked before each write.
  package var mayBegin: Bool { begin() }
}
