/// Whose call it is that the current task works for. The service sets it, as with `CallDeadline`; what
/// callers share takes turns by it.
package enum CallOrigin {
  /// Nil: the server's own work.
  @TaskLocal package static var caller: EntityID?
}
