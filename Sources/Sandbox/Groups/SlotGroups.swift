import CSandbox
import Glibc

/// A user's number with the control groups of its jobs, claimed for as long as this lives.
///
/// The claim is a lock on the slot's folder, which the kernel gives back when the server ends in any way:
/// whoever gets the lock knows that what is left in there is nobody's, and clears it away. So two servers
/// on one machine never run jobs as the same user, and one that was killed leaves nothing for long.
final class SlotGroups: Sendable {
  static let prefix = "hito-sandbox-"
  private static let folderDepthMax = 8

  let userID: UInt32
  let tree: GroupTree
  private let lock: Int32

  private var name: String { Self.prefix + "\(userID)" }

  private init(userID: UInt32, tree: GroupTree, lock: Int32) {
    self.userID = userID
    self.tree = tree
    self.lock = lock
  }

  /// Nil where another server has this user. Its slot is only touched once the lock is there.
  static func claim(userID: UInt32, in tree: GroupTree) throws(GroupError) -> SlotGroups? {
    let path = "\(tree.claims)/\(prefix)\(userID)"
    if case .v2(let folder) = tree { try GroupTree.delegate(folder) }
    try GroupFiles.make(path)
    let lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else {
      if errno == ENOENT { return nil }
      throw GroupError("open \(path)")
    }
    guard hsb_lock(lock) == 0, isStill(lock, path) else {
      close(lock)
      return nil
    }
    let groups = SlotGroups(userID: userID, tree: tree, lock: lock)
    groups.clear()
    switch tree {
    case .v1(let folders):
      let slot = groups.slot(folders)
      try GroupFiles.make(slot.memory)
      try GroupFiles.make(slot.cpuacct)
    case .v2: try GroupTree.delegate(path)
    }
    return groups
  }

  deinit {
    clear()
    for folder in slotFolders { rmdir(folder) }
    close(lock)
  }

  /// The groups of a new job.
  func makeJob(_ number: Int) throws(GroupError) -> any JobGroup {
    let group = job("job-\(number)")
    try group.make()
    return group
  }

  private func job(_ name: String) -> any JobGroup {
    switch tree {
    case .v1(let folders): JobGroupV1(name, in: slot(folders))
    case .v2(let folder): JobGroupV2(name, in: "\(folder)/\(self.name)")
    }
  }

  private func slot(_ folders: GroupTree.V1) -> GroupTree.V1 {
    GroupTree.V1(
      memory: "\(folders.memory)/\(name)", pids: "\(folders.pids)/\(name)",
      cpuacct: "\(folders.cpuacct)/\(name)")
  }

  private var slotFolders: [String] {
    switch tree {
    case .v1(let folders):
      let slot = slot(folders)
      // The lock's last: until it is gone nobody else has the slot.
      return [slot.memory, slot.cpuacct, slot.pids]
    case .v2(let folder): return ["\(folder)/\(name)"]
    }
  }

  /// Ends and removes the jobs that another server left, wherever below it made them.
  private func clear() {
    let claim = "\(tree.claims)/\(name)"
    for name in GroupFiles.folders(in: claim, prefix: "job-") {
      let group = job(name)
      group.kill()
      _ = group.remove()
    }
    guard case .v1 = tree else { return }
    let points = Set(
      GroupMount.all(in: GroupFiles.text("/proc/self/mountinfo") ?? "")
        .filter { $0.version == 1 && !$0.controllers.isDisjoint(with: ["memory", "cpuacct"]) }
        .map(\.point))
    for point in points { removeStrays(below: point, depth: 0) }
  }

  /// With version 1 a killed server's own group may have been another one than ours is.
  private func removeStrays(below folder: String, depth: Int) {
    guard depth < Self.folderDepthMax else { return }
    for child in GroupFiles.folders(in: folder) {
      let path = "\(folder)/\(child)"
      guard child == name else {
        if !child.hasPrefix(Self.prefix) { removeStrays(below: path, depth: depth + 1) }
        continue
      }
      for job in GroupFiles.folders(in: path) { rmdir("\(path)/\(job)") }
      rmdir(path)
    }
  }

  /// Whether the folder that was opened is the one that has the path now.
  private static func isStill(_ descriptor: Int32, _ path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0
      && opened.st_ino == named.st_ino
  }

  /// Claims the first of `userIDs` that is free.
  static func claim(
    from userIDs: Range<UInt32>, in tree: GroupTree
  ) throws(GroupError) -> SlotGroups {
    for userID in userIDs {
      if let groups = try claim(userID: userID, in: tree) { return groups }
    }
    throw GroupError("claim one of the users \(userIDs)", EAGAIN)
  }

  /// Clears away the slots of servers that are no more.
  static func clearAbandoned(in tree: GroupTree) {
    for name in GroupFiles.folders(in: tree.claims, prefix: prefix) {
      guard let userID = UInt32(name.dropFirst(prefix.count)) else { continue }
      // Claimed and given back: that is what clears it.
      _ = try? claim(userID: userID, in: tree)
    }
  }
}
