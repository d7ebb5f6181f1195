import Domain
import Glibc

/// The command that makes the sandbox of a job and runs the launcher's `init` in it.
struct BubblewrapCommand: Sendable {
  /// Where the launcher has put together what is not the host's.
  private static let stage = "/sys"
  private static let folders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]
  private static let environment = [
    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": SandboxFolder.work,
    "TMPDIR": SandboxFolder.temporary, "LANG": "C.UTF-8",
  ]
  /// The descriptors as the launcher places them.
  private static let reportDescriptor = 3
  private static let controlDescriptor = 4
  private static let filterDescriptor = 5
  private static let workDescriptor = 6
  /// What the user of a job is called inside.
  private static let innerUserID = "1000"

  let path: String
  private let head: [String]

  /// - Parameter path: of bubblewrap.
  init(path: String) {
    self.path = path
    head =
      [
        path, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--uid", Self.innerUserID, "--gid", Self.innerUserID,
        "--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1",
        "--cap-drop", "ALL", "--clearenv", "--ro-bind", "/usr", "/usr",
      ] + Self.folders.flatMap(Self.sameAsHere)
  }

  /// `/bin` and the like as they are on this host: links into `/usr`, or folders.
  private static func sameAsHere(_ folder: String) -> [String] {
    var buffer = [CChar](repeating: 0, count: 256)
    let count = readlink(folder, &buffer, buffer.count)
    if count > 0, count < buffer.count {
      let target = buffer.prefix(count).map { UInt8(bitPattern: $0) }
      return ["--symlink", String(decoding: target, as: UTF8.self), folder]
    }
    return access(folder, F_OK) == 0 ? ["--ro-bind", folder, folder] : []
  }

  /// - Parameter isAhead: whether the files of the job come later.
  func arguments(for job: SandboxJob, isAhead: Bool = false) -> [String] {
    var arguments = head
    let environment = Self.environment.merging(job.environment) { _, given in given }
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
      arguments += ["--setenv", name, value]
    }
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for (source, target) in [
      ("tmp/shm", "/dev/shm"), ("tmp/tmp", SandboxFolder.temporary), ("work", SandboxFolder.work),
    ] {
      arguments += ["--bind", "\(Self.stage)/\(source)", target]
    }
    for (source, target) in [("etc", "/etc"), ("init", "/init")] {
      arguments += ["--ro-bind", "\(Self.stage)/\(source)", target]
    }
    for (index, mount) in job.mounts.enumerated() {
      arguments += ["--ro-bind", "\(Self.stage)/mounts/\(index)", mount.target]
    }
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/"]
    arguments += ["--seccomp", "\(Self.filterDescriptor)", "--", "/init", "init"]
    arguments += [
      "\(Self.controlDescriptor)", "\(Self.reportDescriptor)",
      "\(job.reportDescriptor ?? -1)", "\(isAhead ? Self.workDescriptor : -1)",
      Self.limits(job.limits),
      job.folder?.absolute ?? SandboxFolder.work,
    ]
    return arguments + job.command
  }

  /// `RESOURCE=VALUE,...`. Behind the control groups, which count all processes together, stand the
  /// kernel's limits of each.
  private static func limits(_ limits: SandboxLimits) -> String {
    // A second more: the job is judged by the group, and this is for when nobody looks.
    let cpuSeconds = limits.cpuTime.components.seconds + 2
    let values: [(__rlimit_resource, Int64)] = [
      (RLIMIT_CPU, cpuSeconds),
      (RLIMIT_FSIZE, Int64(limits.fileByteCount)),
      (RLIMIT_STACK, 8 << 20),
      (__RLIMIT_NPROC, Int64(limits.processCount) + 16),
      (RLIMIT_NOFILE, Int64(limits.descriptorCount)),
      (__RLIMIT_MEMLOCK, 64 << 10),
      (__RLIMIT_SIGPENDING, 1024),
      (__RLIMIT_MSGQUEUE, 0),
      (__RLIMIT_NICE, 0),
      (__RLIMIT_RTPRIO, 0),
    ]
    return values.map { "\($0.0.rawValue)=\($0.1)" }.joined(separator: ",")
  }
}
