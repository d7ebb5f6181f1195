import Glibc

/// The terminal while a program draws on all of it. What it was before comes back at `leave`.
struct TerminalScreen {
  private var before: termios?

  /// How many lines it has; nil where it is none, or does not say.
  static var height: Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }

  /// Keys come as they are typed, and are not shown. Ctrl-C stays what it is; Ctrl-Z does nothing: a stopped program
  /// would leave the terminal like this.
  mutating func enter() throws(Output.Failure) {
    var attributes = termios()
    if tcgetattr(STDIN_FILENO, &attributes) == 0 {
      before = attributes
      attributes.c_lflag &= ~tcflag_t(ICANON | ECHO)
      withUnsafeMutableBytes(of: &attributes.c_cc) { $0[Int(VSUSP)] = 0 }
      tcsetattr(STDIN_FILENO, TCSANOW, &attributes)
    }
    // Another screen, without a cursor.
    try Output.deliver("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
  }

  /// Draws over what is there, so that nothing flickers.
  func draw(_ lines: [String]) throws(Output.Failure) {
    try Output.deliver(
      "\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\n") + "\u{1b}[J")
  }

  func leave() {
    try? Output.deliver("\u{1b}[?25h\u{1b}[?1049l")
    if var before { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
  }

  /// A key that was typed; nil where there is none.
  func key() -> Character? {
    var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&poll, 1, 0) == 1, poll.revents & Int16(POLLIN) != 0 else { return nil }
    var byte: UInt8 = 0
    guard read(STDIN_FILENO, &byte, 1) == 1 else { return nil }
    return Character(UnicodeScalar(byte))
  }
}
