import Glibc

/// What the program prints. Unbuffered: who reads along sees each line at once.
enum Output {
  /// Standard output took nothing more.
  struct Failure: Error, CustomStringConvertible {
    let number: Int32
    /// Whether the reader went away, which is how pipes end (`hito watch | head`).
    var isEndOfReader: Bool { number == EPIPE }

    var description: String {
      number == EBADF
        ? "standard output is closed"
        : "cannot write to standard output: \(SystemText.of(number))"
    }
  }

  static func line(_ text: String) { self.text(text + "\n") }

  static func text(_ text: String) {
    do throws(Failure) {
      try deliver(text)
    } catch {
      end(error)
    }
  }

  /// For what must not be lost: returns when all of it is written.
  static func deliver(_ text: String) throws(Failure) {
    if let number = write(text, to: STDOUT_FILENO) { throw Failure(number: number) }
  }

  static func error(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// A line about what is done or went wrong.
  static func note(_ text: String) {
    let style = Style.ofStandardError
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(style.said)
    _ = write(lines.joined(separator: "\n") + "\n", to: STDERR_FILENO)
  }

  /// Quietly where the reader went away, as other programs do.
  private static func end(_ failure: Failure) -> Never {
    guard !failure.isEndOfReader else { exit(ExitStatus.failure) }
    note("error: \(failure)")
    exit(ExitStatus.output)
  }

  /// The system's number of what went wrong; nil where all was written.
  private static func write(_ text: String, to file: Int32) -> Int32? {
    BusyLine.clear()
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
