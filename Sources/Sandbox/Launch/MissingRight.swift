import Domain
import Glibc

/// What a failure of the launcher or of bubblewrap says about the rights of this server.
enum MissingRight {
  private static let refusals: Set<Int32> = [EPERM, EACCES, EROFS]

  /// - Parameters:
  ///   - step: as the launcher names it.
  static func error(step: String, errorNumber: Int32) -> SandboxError {
    let text = "\(step): \(String(cString: strerror(errorNumber)))"
    if step.hasSuffix("the files") {
      let isFull = errorNumber == ENOSPC || errorNumber == EFBIG
      return isFull || errorNumber == EEXIST || errorNumber == ENOTDIR || errorNumber == EISDIR
        ? .invalid("the files of the job cannot be written: \(text)") : .failed(text)
    }
    if step.hasPrefix("/"), errorNumber == ENOENT, !step.hasSuffix("cgroup.procs") {
      return .invalid("a mount of the job is not there: \(text)")
    }
    guard refusals.contains(errorNumber) else { return .failed(text) }
    if step.hasSuffix("cgroup.procs") {
      return .unavailable([
        broken(
          .controlGroups, "\(text): write access to the control groups of this server is missing")
      ])
    }
    if step.hasPrefix("set") || step.contains("cap") {
      return .unavailable([
        broken(.user, "\(text): CAP_SETUID and CAP_SETGID are missing: run as root")
      ])
    }
    return .unavailable([broken(.namespaces, "\(text): CAP_SYS_ADMIN is missing: run as root")])
  }

  /// - Parameter trace: what bubblewrap wrote before any command ran.
  static func error(bubblewrap trace: String) -> SandboxError? {
    guard trace.hasPrefix("bwrap: ") else { return nil }
    let isAboutUsers =
      trace.contains("new namespace") || trace.contains("uid map")
      || trace.contains("user namespace")
    if isAboutUsers {
      return .unavailable([
        broken(
          .namespaces,
          "\(trace): users without rights may not make user namespaces (user.max_user_namespaces, "
            + "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, or the "
            + "container's seccomp profile)")
      ])
    }
    if trace.contains("/proc") && trace.contains("mount") {
      return .unavailable([
        broken(
          .namespaces,
          "\(trace): a container that hides parts of /proc must not (systempaths=unconfined)")
      ])
    }
    return .failed(trace)
  }

  private static func broken(_ promise: SandboxPromise, _ text: String) -> SandboxFinding {
    SandboxFinding(promise, isKept: false, text)
  }
}
