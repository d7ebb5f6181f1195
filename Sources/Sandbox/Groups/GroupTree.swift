import Glibc

/// Where this server may make control groups: below its own, so that the limits that it has been given
/// itself hold for what it runs.
enum GroupTree: Sendable, Hashable {
  /// The server's own folders in the hierarchies of version 1.
  struct V1: Sendable, Hashable {
    var memory: String
    var pids: String
    var cpuacct: String
  }

  case v1(V1)
  case v2(String)

  static let controllersWanted = ["memory", "pids"]
  /// Where processes of the server are moved with version 2, which wants them in leaves.
  static let serverFolder = "hito-server"

  var version: Int {
    switch self {
    case .v1: 1
    case .v2: 2
    }
  }

  /// The folder in which slots are claimed.
  var claims: String {
    switch self {
    case .v1(let folders): folders.pids
    case .v2(let folder): folder
    }
  }

  /// Finds version 2 where it has the controllers, else version 1.
  ///
  /// - Parameters:
  ///   - mounts: `/proc/self/mountinfo`.
  ///   - membership: `/proc/self/cgroup`.
  static func discover(mounts: String, membership: String) throws(GroupError) -> GroupTree {
    let mounts = GroupMount.all(in: mounts)
    let own = paths(in: membership)
    if let mount = mounts.first(where: { $0.version == 2 }), let path = own[""] {
      let folder = mount.folder(of: path)
      let available = words(of: "\(folder)/cgroup.controllers")
      if controllersWanted.allSatisfy({ available.contains(Substring($0)) }) {
        return .v2(folder)
      }
    }
    var folders: [String: String] = [:]
    for controller in ["memory", "pids", "cpuacct"] {
      guard let path = own[controller],
        let mount = mounts.first(where: { $0.version == 1 && $0.controllers.contains(controller) })
      else {
        throw GroupError("find a hierarchy with the controller \(controller)", ENOENT)
      }
      folders[controller] = mount.folder(of: path)
    }
    return .v1(
      V1(
        memory: folders["memory"] ?? "", pids: folders["pids"] ?? "",
        cpuacct: folders["cpuacct"] ?? ""))
  }

  static func discover() throws(GroupError) -> GroupTree {
    try discover(
      mounts: GroupFiles.text("/proc/self/mountinfo") ?? "",
      membership: GroupFiles.text("/proc/self/cgroup") ?? "")
  }

  /// Controller -> path of the own group; version 2 has no controller's name.
  private static func paths(in membership: String) -> [String: String] {
    var paths: [String: String] = [:]
    for line in membership.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      for name in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        paths[String(name)] = String(parts[2])
      }
    }
    return paths
  }

  private static func words(of path: String) -> [Substring] {
    GroupFiles.text(path)?.split(whereSeparator: \.isWhitespace) ?? []
  }

  /// Lets groups below `folder` have the controllers. The server's processes are moved where they are in
  /// the way: version 2 gives controllers to children only where the parent has no process.
  static func delegate(_ folder: String) throws(GroupError) {
    let control = "\(folder)/cgroup.subtree_control"
    let wanted = controllersWanted.map { "+\($0)" }.joined(separator: " ")
    let has = words(of: control)
    if controllersWanted.allSatisfy({ has.contains(Substring($0)) }) { return }
    do {
      try GroupFiles.write(control, wanted)
    } catch {
      guard error.errorNumber == EBUSY else { throw error }
      let leaf = "\(folder)/\(serverFolder)"
      try GroupFiles.make(leaf)
      let processes = GroupFiles.text("\(folder)/cgroup.procs") ?? ""
      for process in processes.split(separator: "\n") {
        try GroupFiles.write("\(leaf)/cgroup.procs", String(process))
      }
      try GroupFiles.write(control, wanted)
    }
  }
}

/// A hierarchy of control groups as it is mounted.
struct GroupMount: Sendable, Hashable {
  let version: Int
  let point: String
  /// Which of the hierarchy's groups is mounted: not the first one in a container.
  let root: String
  let controllers: Set<String>

  static func all(in mountinfo: String) -> [GroupMount] {
    mountinfo.split(separator: "\n").compactMap { line in
      // 36 35 0:30 /root /mount/point options optional-fields... - type source super-options
      let words = line.split(separator: " ")
      guard words.count > 6, let dash = words.firstIndex(of: "-"), dash + 3 < words.count else {
        return nil
      }
      let type = words[dash + 1]
      guard type == "cgroup" || type == "cgroup2" else { return nil }
      return GroupMount(
        version: type == "cgroup2" ? 2 : 1, point: unescaped(words[4]), root: unescaped(words[3]),
        controllers: Set(words[dash + 3].split(separator: ",").map(String.init)))
    }
  }

  /// Where the group is that /proc calls `path`.
  func folder(of path: String) -> String {
    // A path that leads out of what is mounted is that of a group that cannot be seen here.
    guard path != root, !path.hasPrefix("/..") else { return point }
    if root == "/" { return path == "/" ? point : point + path }
    return path.hasPrefix(root + "/") ? point + String(path.dropFirst(root.count)) : point
  }

  private static func unescaped(_ text: Substring) -> String {
    String(text.replacing("\\040", with: " "))
  }
}
