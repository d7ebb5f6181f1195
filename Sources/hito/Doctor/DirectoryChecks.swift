import Foundation
import Glibc
import OpenSSL
import Transport

/// What of the files can be wrong.
enum DirectoryChecks {
  private static let freeMiBMin = 1024
  private static let expiryWarning: TimeInterval = 30 * 86_400

  static func dataDirectory(_ path: String) -> [HealthReport.Finding] {
    guard FileManager.default.fileExists(atPath: path) else {
      let parent = existingAncestor(of: path)
      guard access(parent, W_OK | X_OK) == 0 else {
        return [
          .fail(
            "data dir", "\(path) does not exist, and \(parent) is not writable",
            "choose another with --data-dir, or make it writable")
        ]
      }
      return [.ok("data dir", "\(path) will be made at the first start"), space(parent)]
    }
    guard access(path, R_OK | W_OK | X_OK) == 0 else {
      return [
        .fail(
          "data dir", "\(path) is not readable and writable by this user",
          "run as the server's user, or choose another with --data-dir")
      ]
    }
    var findings: [HealthReport.Finding] = [.ok("data dir", path), space(path)]
    findings += openToOthers("data dir", path)
    findings += openLock("\(path)/lock")
    if geteuid() == 0, let closed = closedAncestor(of: path) {
      findings.append(
        .fail(
          "data dir", "\(closed) is closed to the database's own user",
          "run `chmod a+x \(closed)`, or choose another data directory"))
    }
    let token = "\(path)/admin.token"
    var information = stat()
    if stat(token, &information) == 0, information.st_mode & 0o077 != 0 {
      findings.append(
        .fail("admin token", "\(token) can be read by others", "run `chmod 600 \(token)`"))
    }
    return findings
  }

  /// A folder of learners' data that every user of the machine can enter, or a group can write in.
  private static func openToOthers(_ name: String, _ path: String) -> [HealthReport.Finding] {
    var information = stat()
    guard stat(path, &information) == 0, information.st_mode & 0o027 != 0 else { return [] }
    let mode = String(information.st_mode & 0o7777, radix: 8)
    return [
      .fail(
        name, "\(path) is open to other users of this machine (mode \(mode))",
        "restart the server, which closes it, or run `chmod 750 \(path)`; `reading-group` names "
          + "who may read")
    ]
  }

  private static func openLock(_ path: String) -> [HealthReport.Finding] {
    var information = stat()
    guard stat(path, &information) == 0, information.st_mode & 0o077 != 0 else { return [] }
    return [
      .fail(
        "lock", "\(path) can be opened by others, who can keep the server from starting",
        "restart the server, which closes it, or run `chmod 600 \(path)`")
    ]
  }

  private static func space(_ path: String) -> HealthReport.Finding {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else {
      return .warn("disk", "the free space of \(path) is not known", "look with `df`")
    }
    let free =
      Int(clamping: information.f_bavail) / 1024 * Int(clamping: information.f_frsize) / 1024
    return free < freeMiBMin
      ? .warn("disk", "\(free) MiB are free", "make room: the database stops when it is full")
      : .ok("disk", "\(free) MiB are free")
  }

  private static func existingAncestor(of path: String) -> String {
    var url = URL(filePath: path, directoryHint: .isDirectory)
    while url.path != "/", !FileManager.default.fileExists(atPath: url.path) {
      url = url.deletingLastPathComponent()
    }
    return url.path
  }

  /// The first folder on the way that nobody but its owner can pass through. The data directory
  /// itself is opened to the database's user by the start.
  private static func closedAncestor(of path: String) -> String? {
    var walked = ""
    for part in path.split(separator: "/").dropLast() {
      walked += "/\(part)"
      var information = stat()
      if stat(walked, &information) == 0, information.st_mode & 0o001 == 0 { return walked }
    }
    return nil
  }

  static func certificates(in directory: String) -> [HealthReport.Finding] {
    ["ca.pem", "server.pem"].map { name in
      let path = "\(directory)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else {
        return .ok(name, "will be made at the first start")
      }
      do {
        let validity = try Certificates.validity(ofFile: path)
        return finding(name, path, validity)
      } catch {
        return .fail(
          name, "\(path): \(error)", "move it away: the next start makes another")
      }
    }
  }

  private static func finding(
    _ name: String, _ path: String, _ validity: Certificates.Validity
  ) -> HealthReport.Finding {
    let now = Date.now.timeIntervalSince1970
    let left = TimeInterval(validity.notAfter) - now
    if TimeInterval(validity.notBefore) > now {
      return .fail(name, "is not valid yet", "set the clock of this machine right")
    }
    if left <= 0 {
      return .fail(name, "has expired", "restart the server: it makes a new certificate")
    }
    let days = Int(left / 86_400)
    return left < expiryWarning
      ? .warn(name, "expires in \(days) days", "restart the server: it makes a new certificate")
      : .ok(name, "valid for \(days) days (\(validity.subject))")
  }

  static func lake(_ path: String) -> [HealthReport.Finding] {
    guard FileManager.default.fileExists(atPath: path) else {
      return [.ok("lake", "\(path) will be made at the first start")]
    }
    guard access(path, R_OK | W_OK | X_OK) == 0 else {
      return [.fail("lake", "\(path) is not writable", "make it writable for the server's user")]
    }
    let open = openToOthers("lake", path) + openLock("\(path)/manifest/lock")
    guard open.isEmpty else { return open }
    let damaged =
      (try? FileManager.default.subpathsOfDirectory(atPath: "\(path)/quarantine"))?
      .filter { $0.hasSuffix(".parquet") } ?? []
    guard damaged.isEmpty else {
      return [
        .warn(
          "lake", "\(damaged.count) damaged files are in \(path)/quarantine",
          "check the disk; the server writes their days again from the log")
      ]
    }
    return [.ok("lake", path)]
  }
}
