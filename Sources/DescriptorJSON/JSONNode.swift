/// A JSON value as its text says it: numbers keep their digits, objects their order.
package enum JSONNode: Sendable, Hashable {
  case null
  case bool(Bool)
  /// The digits as they stand in the text.
  case number(String)
  case string(String)
  case array([JSONNode])
  case object([Member])

  package struct Member: Sendable, Hashable {
    package var name: String
    package var value: JSONNode

    package init(_ name: String, _ value: JSONNode) {
      self.name = name
      self.value = value
    }
  }

  /// The kind of value, for error messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The value of an object's member.
  package subscript(_ name: String) -> JSONNode? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }
}

extension JSONNode {
  package enum Style: Sendable {
    /// On one line, without blanks.
    case compact
    /// Indented by two blanks.
    case pretty
  }

  /// The JSON text. Ends without a line break.
  package func text(_ style: Style = .compact) -> String {
    var output = ""
    write(to: &output, style, depth: 0)
    return output
  }

  private func write(to output: inout String, _ style: Style, depth: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .number(let digits): output += digits
    case .string(let value): Self.write(value, to: &output)
    case .array(let values):
      Self.write(values, brackets: ("[", "]"), to: &output, style, depth: depth) { value, output in
        value.write(to: &output, style, depth: depth + 1)
      }
    case .object(let members):
      Self.write(members, brackets: ("{", "}"), to: &output, style, depth: depth) {
        member, output in
        Self.write(member.name, to: &output)
        output += style == .pretty ? ": " : ":"
        member.value.write(to: &output, style, depth: depth + 1)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], brackets: (String, String), to output: inout String, _ style: Style,
    depth: Int, item: (Item, inout String) -> Void
  ) {
    output += brackets.0
    for (index, value) in items.enumerated() {
      if index > 0 { output += "," }
      if style == .pretty { output += "\n" + String(repeating: "  ", count: depth + 1) }
      item(value, &output)
    }
    if style == .pretty, !items.isEmpty {
      output += "\n" + String(repeating: "  ", count: depth)
    }
    output += brackets.1
  }

  /// Also escapes what could deceive a terminal: C1 controls and the bidirectional overrides.
  private static func write(_ value: String, to output: inout String) {
    output += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7f}"..."\u{9f}", "\u{2028}"..."\u{202e}",
        "\u{2066}"..."\u{2069}":
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}
