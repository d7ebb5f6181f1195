import Glibc

/// One process at a time makes the user: several `useradd` at once, each with its own idea of the
/// free id, have been seen to replace each other's entry.
private struct AccountLock {
  private let file = open(
    "/run/hito-account.lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)

  init() {
    // Without the file there is no lock, and useradd decides.
    if file >= 0 { _ = flock(file, LOCK_EX) }
  }

  func release() { if file >= 0 { close(file) } }
}

/// The system user that PostgreSQL runs as: ourselves, or a user of its own when we are root,
/// because PostgreSQL refuses to run as root.
struct ServiceAccount: Equatable, Sendable {
  let name: String
  let userID: uid_t
  let groupID: gid_t
  /// True when programs have to be started as another user than ourselves.
  let needsSwitch: Bool

  /// Ourselves, or the named user when we are root; makes that user when it does not exist.
  static func resolve(serviceUser: String) throws(EmbeddedClusterError) -> ServiceAccount {
    let ownID = geteuid()
    guard ownID == 0 else {
      let name = lookUp(id: ownID)?.name ?? "\(ownID)"
      return ServiceAccount(name: name, userID: ownID, groupID: getegid(), needsSwitch: false)
    }
    if let found = lookUp(name: serviceUser) { return try checked(found) }
    let lock = AccountLock()
    defer { lock.release() }
    if let found = lookUp(name: serviceUser) { return try checked(found) }
    // A system user (id below 1000), so that logind does not remove its shared memory.
    let outcome = try ChildProcess.run([
      "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
      "--shell", "/usr/sbin/nologin", serviceUser,
    ])
    // Another process may have made it at the same time: what counts is that it is there now.
    guard let made = lookUp(name: serviceUser) else {
      throw .serviceUser(
        name: serviceUser, reason: "useradd exited with \(outcome.status): \(outcome.output)")
    }
    return try checked(made)
  }

  private static func checked(
    _ account: ServiceAccount
  ) throws(EmbeddedClusterError) -> ServiceAccount {
    guard account.userID != 0 else {
      throw .serviceUser(name: account.name, reason: "its user id is 0")
    }
    return account
  }

  /// The command line that runs a program as this user, without any privilege.
  func command(_ arguments: [String]) -> [String] {
    guard needsSwitch else { return arguments }
    // Never --pdeathsig: it fires when the thread that started the program ends.
    return [
      "setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--no-new-privs",
      "--bounding-set=-all", "--inh-caps=-all", "--",
    ] + arguments
  }

  /// Throws when this user cannot get to a path; names the folder that is in the way.
  func requireAccess(to path: String) throws(EmbeddedClusterError) {
    guard needsSwitch, try !canEnter(path) else { return }
    var ancestors: [String] = [path]
    while let parent = FileSystem.parent(of: ancestors[ancestors.count - 1]), parent != "." {
      ancestors.append(parent)
    }
    for ancestor in ancestors.reversed() where try !canEnter(ancestor) {
      throw .unreachable(path: path, blockedAt: ancestor, user: name)
    }
    throw .unreachable(path: path, blockedAt: path, user: name)
  }

  // Asking as the user itself honours access lists and read-only mounts, which mode bits miss.
  private func canEnter(_ path: String) throws(EmbeddedClusterError) -> Bool {
    try ChildProcess.run(command(["test", "-x", path])).succeeded
  }

  /// The name of the user that we run as.
  static var currentName: String? { lookUp(id: geteuid())?.name }

  private static func lookUp(name: String) -> ServiceAccount? {
    lookUp { entry, buffer, count, result in getpwnam_r(name, entry, buffer, count, result) }
  }

  private static func lookUp(id: uid_t) -> ServiceAccount? {
    lookUp { entry, buffer, count, result in getpwuid_r(id, entry, buffer, count, result) }
  }

  private static func lookUp(
    _ ask: (
      UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
      UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32
  ) -> ServiceAccount? {
    var entry = passwd()
    var result: UnsafeMutablePointer<passwd>?
    let count = 16 * 1024
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: count)
    defer { buffer.deallocate() }
    guard ask(&entry, buffer, count, &result) == 0, result != nil else { return nil }
    return ServiceAccount(
      name: String(cString: entry.pw_name), userID: entry.pw_uid, groupID: entry.pw_gid,
      needsSwitch: entry.pw_uid != geteuid())
  }
}
