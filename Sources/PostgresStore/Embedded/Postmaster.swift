import Glibc
import Synchronization

/// The first lines of `postmaster.pid`, which a running PostgreSQL keeps in its folder.
package struct PostmasterFile: Equatable, Sendable {
  package let processID: Int32

  /// Nil when the text is not one that PostgreSQL writes.
  package init?(text: String) {
    let line = text.prefix { $0 != "\n" }
    guard let processID = Int32(line), processID > 1 else { return nil }
    self.processID = processID
  }
}

/// A running PostgreSQL server, started by us or found running.
final class Postmaster: Sendable {
  let processID: pid_t
  private let clusterDirectory: String
  /// Started by this very process, which has to reap it.
  let isOwnChild: Bool
  private let exitStatus = Mutex<Int32?>(nil)

  /// - Parameter clusterDirectory: resolved, as the kernel shows it.
  init(processID: pid_t, clusterDirectory: String, isChild: Bool) {
    self.processID = processID
    self.clusterDirectory = clusterDirectory
    isOwnChild = isChild
  }

  /// The server that works in a folder, if any. Process ids are used again: what counts is that
  /// the process works in that very folder.
  static func running(in clusterDirectory: String) -> Postmaster? {
    guard
      let text = FileSystem.text(clusterDirectory + "/postmaster.pid"),
      let file = PostmasterFile(text: text),
      worksIn(clusterDirectory, file.processID)
    else { return nil }
    return Postmaster(
      processID: file.processID, clusterDirectory: clusterDirectory, isChild: false)
  }

  /// Every process that works in a folder: after a kill -9 of the server its helpers need a moment
  /// to notice, and a new one must not start before they are gone.
  static func processes(in clusterDirectory: String) -> [pid_t] {
    FileSystem.names("/proc").compactMap { Int32($0) }.filter { worksIn(clusterDirectory, $0) }
  }

  private static func worksIn(_ clusterDirectory: String, _ processID: pid_t) -> Bool {
    if let folder = FileSystem.link("/proc/\(processID)/cwd") { return folder == clusterDirectory }
    // In a container without CAP_SYS_PTRACE root may not look; command lines are for everybody.
    guard errno == EACCES, let line = FileSystem.text("/proc/\(processID)/cmdline") else {
      return false
    }
    return line.split(separator: "\0").contains { $0 == clusterDirectory }
  }

  /// Whether it runs; reaps it when it was our child and has ended.
  var isAlive: Bool {
    guard isOwnChild else { return Self.worksIn(clusterDirectory, processID) }
    return exitStatus.withLock { known in
      guard known == nil else { return false }
      var status: Int32 = 0
      let answer = waitpid(processID, &status, WNOHANG)
      if answer == processID { known = ChildProcess.exitStatus(status) }
      if answer < 0 && errno == ECHILD { known = -1 }
      return known == nil
    }
  }

  /// Whether it still works in its folder: false already while the kernel takes it apart, before it
  /// can be reaped. Only of a server that has been ready.
  var isWorking: Bool { isAlive && Self.worksIn(clusterDirectory, processID) }

  /// SIGINT stops in order without waiting for clients, SIGQUIT at once. Does nothing when it has
  /// ended, so that no other process is ever hit.
  func send(_ signal: Int32) {
    guard isAlive else { return }
    kill(processID, signal)
  }
}
