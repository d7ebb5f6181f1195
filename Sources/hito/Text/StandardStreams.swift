import Glibc

/// The first three descriptors of a process, which others may have closed.
enum StandardStreams {
  /// Occupies those that are closed, before a socket or a file gets their number: what is meant for people would
  /// be written into it. They are opened the wrong way around, so that using them fails as a closed one does.
  static func occupy() {
    for (number, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ]
    where fcntl(number, F_GETFD) == -1 && errno == EBADF {
      // The lowest free number: those below are open by now.
      _ = open("/dev/null", mode)
    }
  }
}
