import Glibc

/// Colour on a terminal that shows it, and none elsewhere.
struct Style: Sendable {
  let isColoured: Bool

  /// By the convention of no-color.org: `NO_COLOR` with any value turns colour off.
  static let ofStandardOutput = of(STDOUT_FILENO)
  static let ofStandardError = of(STDERR_FILENO)
  static let none = Style(isColoured: false)

  private static func of(_ file: Int32) -> Style {
    Style(
      isColoured: isatty(file) == 1 && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
        && (getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? true))
  }

  func red(_ text: String) -> String { wrapped(text, "31") }
  func green(_ text: String) -> String { wrapped(text, "32") }
  func yellow(_ text: String) -> String { wrapped(text, "33") }
  func blue(_ text: String) -> String { wrapped(text, "34") }
  func bold(_ text: String) -> String { wrapped(text, "1") }
  func dim(_ text: String) -> String { wrapped(text, "2") }

  /// A line that begins with what kind of word it is: `error: …`.
  func said(_ line: Substring) -> String {
    for (word, colour) in [("error:", "31"), ("warning:", "33"), ("hint:", "36"), ("--", "2")]
    where line.hasPrefix(word) {
      return wrapped(word, colour) + line.dropFirst(word.count)
    }
    return String(line)
  }

  private func wrapped(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
