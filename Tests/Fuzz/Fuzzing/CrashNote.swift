import Glibc

/// Says what the process was at when it crashes: the input or the seed, which is all that it takes to do it
/// again. One at a time in a process.
package enum CrashNote {
  private static let capacity = 512
  // Written by the one thread that runs inputs, read by it when a signal stops it.
  nonisolated(unsafe) private static let text = UnsafeMutablePointer<UInt8>.allocate(
    capacity: capacity)
  nonisolated(unsafe) private static var count = 0
  nonisolated(unsafe) private static var isInstalled = false

  package static func set(_ note: String) {
    install()
    let bytes = Array("\n\(note)\n".utf8.prefix(capacity))
    count = 0
    for (index, byte) in bytes.enumerated() { text[index] = byte }
    count = bytes.count
  }

  private static func install() {
    guard !isInstalled else { return }
    isInstalled = true
    for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] {
      signal(number) { number in
        _ = write(2, CrashNote.text, CrashNote.count)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}

/// Ends the process where something does not hold that must: the fuzzer, or the test that replays an
/// input, reports it.
func require(
  _ condition: Bool, _ text: @autoclosure () -> String, file: StaticString = #file,
  line: UInt = #line
) {
  if !condition { fatalError("does not hold: \(text())", file: file, line: line) }
}
