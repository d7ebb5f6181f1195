/// Until when the current call's answer is worth having. The service sets it for the task of a
/// call; the stores read it, so that it need not travel through every signature.
package enum CallDeadline {
  /// Nil: the store's own default applies.
  @TaskLocal package static var current: ContinuousClock.Instant?
}
