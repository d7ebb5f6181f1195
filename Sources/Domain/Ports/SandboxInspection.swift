/// What a sandbox promises; an inspection tries each.
package enum SandboxPromise: String, Sendable, Hashable, CaseIterable {
  /// The programs that it is made of are there.
  case programs
  /// Control groups for memory, processes and processor time can be made.
  case controlGroups = "control_groups"
  /// A job can be run at all: namespaces may be made by a user without rights.
  case namespaces
  /// To the kernel of the host a job's processes belong to a user of their own, not to root.
  case user
  /// They hold no capability and can gain none.
  case capabilities
  /// System calls outside the list are refused.
  case systemCalls = "system_calls"
  case noNetwork = "no_network"
  /// They see and reach none of the host's processes.
  case noProcesses = "no_processes"
  /// Nothing of the host can be written, and nothing outside the list read.
  case files
  /// `/work` and `/tmp` end where their limits are, in bytes and in files.
  case disk
  case memory
  case processes
  case cpuTime = "cpu_time"
  case wallTime = "wall_time"
  case output
  /// Nobody else's environment, descriptors or terminal come along.
  case inheritance
  /// A job that fights its end is gone when it is ended.
  case kill
  /// No process, control group or mount is left after a job.
  case cleanUp = "clean_up"
}

/// What an inspection found out about one promise.
package struct SandboxFinding: Sendable, Hashable {
  package var promise: SandboxPromise
  package var isKept: Bool
  /// What was seen: for a broken promise what is missing, so that an operator can mend it.
  package var text: String

  /// The text of a promise that could not be tried, because of another.
  package static let notTried = "could not be tried"

  package init(_ promise: SandboxPromise, isKept: Bool, _ text: String) {
    self.promise = promise
    self.isKept = isKept
    self.text = text
  }
}

/// What a sandbox is here, and whether it holds.
package struct SandboxInspection: Sendable, Hashable {
  /// In the order of `SandboxPromise.allCases`; a promise that could not be tried counts as broken.
  package var findings: [SandboxFinding]
  /// What it is made of, for logs and provenance: `bubblewrap 0.8.0, cgroup v1, 2 slots`.
  package var summary: String

  package init(findings: [SandboxFinding], summary: String) {
    self.findings = findings
    self.summary = summary
  }

  package var broken: [SandboxFinding] { findings.filter { !$0.isKept } }
  package var isSound: Bool { broken.isEmpty && !findings.isEmpty }
}
