/// Until when the current call's answer is worth having. The service sets it for the task of a
/// call; the stores read it, so that it need not travel through every signature.
package enum CallDeadline {
  /// Nil: the store's own default applies.
  @TaskLocal package static var current: ContinuousClock.Instant?
}

/// Whether the current call may still write. The service sets it for the task of a call, and the stores ask before
/// they send a write: so that what a caller is told of a call that ended early is true.
package enum CallWrites {
  /// Nil: nobody asks. False: the caller was told that nothing was written.
  @TaskLocal package static var mayBegin: (@Sendable () -> Bool)?
}
