/// Collects the lines of a source file. Knows indentation, nothing else.
struct SourceWriter {
  private(set) var text = ""
  private var level = 0
  private let unit: String

  init(unit: String = "  ") {
    self.unit = unit
  }

  mutating func line(_ text: String = "") {
    if !text.isEmpty {
      for _ in 0..<level { self.text += unit }
      self.text += text
    }
    self.text += "\n"
  }

  mutating func lines(_ lines: [String]) {
    for line in lines { self.line(line) }
  }

  mutating func indented(_ body: (inout SourceWriter) -> Void) {
    level += 1
    body(&self)
    level -= 1
  }

  mutating func indent() { level += 1 }

  mutating func outdent() { level -= 1 }

  /// `head {`, the indented body, `}`.
  mutating func block(_ head: String, _ body: (inout SourceWriter) -> Void) {
    line(head + " {")
    indented(body)
    line("}")
  }

  /// `switch subject {` with its cases at the same indentation, as swift-format wants them.
  mutating func switchBlock(_ subject: String, _ body: (inout SourceWriter) -> Void) {
    line("switch \(subject) {")
    body(&self)
    line("}")
  }

  /// `target = value`, on two lines if one is too short.
  mutating func assignment(_ target: String, _ value: String, width: Int = 100) {
    let single = "\(target) = \(value)"
    if level * unit.count + single.count <= width { return line(single) }
    line("\(target) =")
    indented { $0.line(value) }
  }

  /// An array literal: on one line if it fits.
  mutating func array(_ items: [String], width: Int = 100) {
    let single = "[" + items.joined(separator: ", ") + "]"
    if level * unit.count + single.count <= width { return line(single) }
    line("[")
    indented { out in
      out.filled(items.map { $0 + "," }, separator: " ", width: width)
    }
    line("]")
  }

  /// `head` and the items one after the other, as many per line as fit into `width` columns.
  mutating func filled(_ items: [String], separator: String = ", ", width: Int = 100) {
    let room = width - level * unit.count
    var current = ""
    for (index, item) in items.enumerated() {
      let isLast = index == items.count - 1
      let piece = isLast ? item : item + separator
      let visible = trimmed(piece).count
      if !current.isEmpty, current.count + visible > room {
        line(trimmed(current))
        current = ""
      }
      current += piece
    }
    if !current.isEmpty { line(trimmed(current)) }
  }

  private func trimmed(_ text: String) -> String {
    var text = text
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}

extension SourceWriter {
  /// A Swift documentation comment.
  mutating func documentation(_ comment: [String], isDeprecated: Bool = false) {
    for line in comment { self.line(line.isEmpty ? "///" : "/// " + line) }
    guard isDeprecated else { return }
    // Not `@available`: the generated codec itself reads and writes the field.
    if !comment.isEmpty { line("///") }
    line("/// - Warning: Deprecated in the contract.")
  }
}
