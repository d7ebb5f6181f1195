import Glibc

/// Starts other programs, for the embedded cluster only.
///
/// Children get a session of their own (a Ctrl-C or a closed terminal is for the server, which
/// then stops them in order), no file descriptor of ours, no blocked or ignored signal, and an
/// environment without our variables, which may hold secrets.
enum ChildProcess {
  private static let environment = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC",
  ]

  /// Starts a program whose output goes to `output` and returns its process id. The caller
  /// must reap it.
  static func spawn(
    _ arguments: [String], output: Int32
  ) throws(EmbeddedClusterError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
    // What we open is closed at exec; what a library opened may not be.
    for descriptor in FileSystem.names("/proc/self/fd").compactMap({ Int32($0) })
    where descriptor > STDERR_FILENO {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    let setSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which is not imported
    posix_spawnattr_setflags(
      &attributes, Int16(setSession | Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)))

    var processID: pid_t = 0
    // From the root folder: our own one may be closed to the database's user.
    let code = withCStrings(["env", "--chdir=/"] + arguments) { arguments in
      withCStrings(environment) { environment in
        posix_spawnp(&processID, "env", &actions, &attributes, arguments, environment)
      }
    }
    guard code == 0 else {
      throw .system(operation: "start", path: arguments.first ?? "", code: code)
    }
    return processID
  }

  /// What a program that ran to its end left behind.
  struct Outcome {
    /// The exit status; 128 + the signal's number when a signal ended it.
    let status: Int32
    /// The last of its output.
    let output: String

    var succeeded: Bool { status == 0 }
  }

  /// Runs a program to its end. Blocks the calling thread.
  ///
  /// - Parameter outputByteCountMax: how much of the end of its output is kept.
  static func run(
    _ arguments: [String], outputByteCountMax: Int = 8192
  ) throws(EmbeddedClusterError) -> Outcome {
    // An unnamed file, not a pipe: nobody has to empty it while the program runs.
    var name = Array("/tmp/hito-output-XXXXXX".utf8CString)
    let output = mkstemp(&name)
    guard output >= 0 else { throw FileSystem.failure("create a temporary file in", "/tmp") }
    unlink(name)
    _ = fcntl(output, F_SETFD, FD_CLOEXEC)
    defer { close(output) }
    let processID = try spawn(arguments, output: output)
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
    let size = lseek(output, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: min(outputByteCountMax, max(0, Int(size))))
    let count = pread(output, &bytes, bytes.count, size - off_t(bytes.count))
    let text = String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    return Outcome(status: exitStatus(status), output: text)
  }

  /// The exit status as a shell shows it.
  static func exitStatus(_ status: Int32) -> Int32 {
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
  ) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
  }
}
