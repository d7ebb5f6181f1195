/// A command, and everything that it gets.
package struct SandboxJob: Sendable, Hashable {
  /// What the command may ask of the kernel.
  package enum Profile: String, Sendable, Hashable, CaseIterable {
    /// Compilers, linters, formatters: no socket of any kind.
    case compile
    /// Programs and their tests: pairs of connected Unix sockets besides, which asyncio and node use
    /// to talk to themselves and their children.
    case run
  }

  /// What becomes of a job that writes more than is kept of an output.
  package enum Overflow: Sendable, Hashable {
    /// It ends with `.limitReached(.output)`.
    case end
    /// The rest is thrown away: for tools, whose first lines are worth having.
    case discard
  }

  package var profile: Profile
  /// Written to `/work` before the command runs, owned by its user.
  package var files: [SandboxFile]
  /// Of the host, read-only. They come from the set-up of a language, never from a learner.
  package var mounts: [SandboxMount]
  /// The program and its arguments. A program without a slash is looked up in `environment["PATH"]`.
  package var command: [String]
  /// All of the environment but `PATH` (`/usr/local/bin:/usr/bin:/bin`), `HOME` (`/work`), `TMPDIR`
  /// (`/tmp`) and `LANG` (`C.UTF-8`), which can be set here to something else.
  package var environment: [String: String]
  /// The folder of `/work` in which the command starts; nil for `/work` itself. It is made where no
  /// file made it.
  package var folder: SandboxPath?
  /// What the command reads from its standard input, followed by its end.
  package var input: [UInt8]
  /// The number of the descriptor on which the command writes its report, 3 to 9; nil: there is none. The
  /// command holds it alone at first, and it is not marked to be closed on exec: a runner that starts
  /// other programs does that itself, and calls `prctl(PR_SET_DUMPABLE, 0)` where they must not find it
  /// in `/proc` either.
  package var reportDescriptor: Int?
  /// Files of `/work` to read back once every process of the job is dead, whatever the outcome.
  package var collects: [SandboxPath]
  package var overflow: Overflow
  package var limits: SandboxLimits
  /// Whether the command may be started before its job is there, with `/work` still empty: it must read all
  /// of its input before it looks at any file. What it does until then is the same for every job of the
  /// same profile, command, mounts and environment, and a sandbox may keep one of them waiting. Each is used
  /// for one job alone.
  package var startsAhead = false

  package init(
    profile: Profile, command: [String], files: [SandboxFile] = [], mounts: [SandboxMount] = [],
    environment: [String: String] = [:], folder: SandboxPath? = nil, input: [UInt8] = [],
    reportDescriptor: Int? = nil, collects: [SandboxPath] = [], overflow: Overflow = .end,
    limits: SandboxLimits = SandboxLimits()
  ) {
    self.profile = profile
    self.files = files
    self.mounts = mounts
    self.command = command
    self.environment = environment
    self.folder = folder
    self.input = input
    self.reportDescriptor = reportDescriptor
    self.collects = collects
    self.overflow = overflow
    self.limits = limits
  }
}

/// A file of a job. Folders on the way to it are made.
package struct SandboxFile: Sendable, Hashable {
  package var path: SandboxPath
  package var content: [UInt8]
  package var isExecutable: Bool

  package init(_ path: SandboxPath, _ content: [UInt8], isExecutable: Bool = false) {
    self.path = path
    self.content = content
    self.isExecutable = isExecutable
  }
}

/// A file or folder of the host that a job may read.
package struct SandboxMount: Sendable, Hashable {
  /// Absolute, on the host. Other users must be able to read it.
  package var source: String
  /// Absolute, in the sandbox; not below `/work`, `/tmp`, `/proc` or `/dev`.
  package var target: String

  package init(_ source: String, at target: String? = nil) {
    self.source = source
    self.target = target ?? source
  }
}
