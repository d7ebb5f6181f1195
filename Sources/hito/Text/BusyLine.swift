import Glibc
import Synchronization

/// A line on a terminal that says what is waited for, from the second second on.
enum BusyLine {
  private static let isDrawn = Mutex(false)

  /// Shows `what` while `body` takes its time; nothing of it stays.
  static func during<Result, Failure: Error>(
    _ what: String, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    guard isatty(STDERR_FILENO) == 1 else { return try await body() }
    let drawing = Task.detached {
      var seconds = 0
      while true {
        try await Task.sleep(for: .seconds(1))
        seconds += 1
        draw("… \(what)  \(seconds) s")
      }
    }
    defer {
      drawing.cancel()
      clear()
    }
    return try await body()
  }

  private static func draw(_ text: String) {
    let columns = TerminalSize.columns(of: STDERR_FILENO) ?? TerminalSize.standard
    isDrawn.withLock { isDrawn in
      guard !Task.isCancelled else { return }
      isDrawn = true
      put("\r\(TerminalText.clean(text, maximum: columns - 1))\u{1b}[K")
    }
  }

  /// Before anything else is written.
  static func clear() {
    isDrawn.withLock { isDrawn in
      if isDrawn { put("\r\u{1b}[K") }
      isDrawn = false
    }
  }

  private static func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}

/// How wide the terminal is.
enum TerminalSize {
  /// Where it does not say.
  static let standard = 80

  /// What texts are made for; nil for what is no terminal: a file has lines of any length.
  static func columns(of file: Int32 = STDOUT_FILENO) -> Int? {
    guard isatty(file) == 1 else { return nil }
    var size = winsize()
    guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return standard }
    return min(max(Int(size.ws_col), 40), 200)
  }
}

/// Paragraphs for a terminal.
enum Paragraph {
  /// Broken between words into lines of at most `columns`, the second and later ones with `indent` blanks before;
  /// `used` columns of the first are taken. A word that is longer than a line has one of its own.
  static func wrapped(_ text: String, columns: Int?, indent: Int = 0, used: Int = 0) -> String {
    guard let columns else { return text }
    let blanks = String(repeating: " ", count: indent)
    var result = ""
    var column = used
    for word in text.split(separator: " ") {
      let width = TerminalWidth.of(String(word))
      if result.isEmpty {
        result = String(word)
        column += width
      } else if column + 1 + width <= columns {
        result += " \(word)"
        column += 1 + width
      } else {
        result += "\n\(blanks)\(word)"
        column = indent + width
      }
    }
    return result
  }
}
