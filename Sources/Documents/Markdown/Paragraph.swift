/// What documentation tools write in paragraphs besides text.
enum Paragraph {
  /// A paragraph as one line for each hard or soft break that says something:
  /// - `/// note | Título` becomes `Título`, or `note` where it has none; the closing `///` goes.
  /// - `{* file.py hl[1] *}`, which stands for a file that is not here, goes.
  /// - `[!NOTE]` becomes `note`.
  static func text(of paragraph: String) -> String {
    let lines = paragraph.split(separator: "\n").compactMap { line -> String? in
      let line = String(line).trimmed
      if line.hasPrefix("{*"), line.hasSuffix("*}") { return nil }
      return line.hasPrefix("///") ? admonition(line) : Admonition.alert(line) ?? line
    }
    return lines.joined(separator: "\n").trimmed
  }

  private static func admonition(_ line: String) -> String? {
    let text = line.drop { $0 == "/" }
    // `////comment` in running text is none: a name follows after a blank, or nothing.
    guard text.isEmpty || text.first == " " else { return line }
    let title = text.firstIndex(of: "|").map { text[text.index(after: $0)...] } ?? text
    let shown = String(title).trimmed
    return shown.isEmpty ? nil : shown
  }
}
