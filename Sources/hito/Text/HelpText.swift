/// Text of the help, which the parser breaks into lines of the terminal's width.
enum HelpText {
  /// Paragraphs as one line each, however they are broken in the source; lines that begin with a blank are
  /// examples, and stay as they are.
  static func prose(_ text: String) -> String {
    var lines: [String] = []
    var isOpen = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isText = !line.isEmpty && line.first != " "
      if isOpen, isText {
        lines[lines.count - 1] += " \(line)"
      } else {
        lines.append(String(line))
      }
      isOpen = isText
    }
    return lines.joined(separator: "\n")
  }
}
