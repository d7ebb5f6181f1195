import CSandbox
import Domain
import Glibc

/// What all slots of a sandbox have in common.
struct SlotSetup: Sendable {
  let launcherPath: String
  let bubblewrap: BubblewrapCommand
  let filters: [SandboxJob.Profile: [UInt8]]
  let userIDs: Range<UInt32>
  /// Which commands are kept waiting for their jobs.
  let starts: AheadStarts
  /// Where control groups are made; nil: where this process is.
  let tree: GroupTree?
  /// Whether what is started ahead runs only when nobody else wants to: not where that could not be undone.
  let givesWay = hsb_may_take_turn() != 0

  init(
    launcherPath: String, bubblewrapPath: String, userIDs: Range<UInt32>, starts: AheadStarts,
    tree: GroupTree? = nil
  ) {
    self.launcherPath = launcherPath
    bubblewrap = BubblewrapCommand(path: bubblewrapPath)
    filters = Dictionary(
      uniqueKeysWithValues: SandboxJob.Profile.allCases.map {
        ($0, SeccompProgram.filter(for: $0).bytes)
      })
    self.userIDs = userIDs
    self.starts = starts
    self.tree = tree
  }
}
