import Glibc

/// What all slots of a sandbox have in common.
struct SlotSetup: Sendable {
  var launcherPath: String
  var bubblewrapPath: String
  var userIDs: Range<UInt32>
  /// Where control groups are made; nil: where this process is.
  var tree: GroupTree?
}
