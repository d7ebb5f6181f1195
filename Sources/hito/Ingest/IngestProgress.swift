import Glibc

/// Progress on standard error: one line that is written over on a terminal, else a line now and then.
final class IngestProgress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var isOpen = false
  private var last = ""
  private var lastTime = ContinuousClock.now - .seconds(60)

  func show(_ done: Int, of total: Int, _ what: String, _ detail: String = "") {
    if isTerminal {
      isOpen = true
      // Back to the beginning of the line, and away with what is longer than this.
      return Output.error("\r\(IngestText.bar(done, of: total, what, detail))\u{1b}[K")
    }
    let line = IngestText.line(done, of: total, what)
    let isDue = done >= total || lastTime.duration(to: .now) > .seconds(1)
    guard isDue, line != last else { return }
    (last, lastTime) = (line, .now)
    Output.note(line)
  }

  /// A line of its own, between those of the progress.
  func note(_ text: String) {
    end()
    Output.note(text)
  }

  func end() {
    if isOpen { Output.error("\n") }
    isOpen = false
  }
}
