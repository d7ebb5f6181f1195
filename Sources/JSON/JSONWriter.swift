extension JSONValue {
  /// RFC 8259 text without white space, as it is stored and sent. Only what must be escaped is.
  package var text: String {
    var writer = JSONWriter(style: nil)
    writer.write(self, depth: 0)
    return String(decoding: writer.output, as: UTF8.self)
  }

  /// How a value is shown to people.
  package enum ShownStyle: Sendable {
    /// On one line, without blanks.
    case compact
    /// Indented by two blanks.
    case pretty
  }

  /// RFC 8259 text for a terminal: also escaped is what could deceive one (C1 controls and the
  /// bidirectional overrides). Ends without a line break.
  package func shown(_ style: ShownStyle = .compact) -> String {
    var writer = JSONWriter(style: style)
    writer.write(self, depth: 0)
    return String(decoding: writer.output, as: UTF8.self)
  }
}

/// Writes JSON text. Every write of the store makes some on its hot path.
struct JSONWriter {
  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// Nil: as it is stored.
  let style: JSONValue.ShownStyle?
  private(set) var output: [UInt8] = []

  init(style: JSONValue.ShownStyle?) {
    self.style = style
    output.reserveCapacity(256)
  }

  mutating func write(_ value: JSONValue, depth: Int) {
    switch value {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let value): output.append(contentsOf: value.text.utf8)
    case .string(let value): write(value)
    case .array(let values):
      output.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        separate(index, depth: depth + 1)
        write(value, depth: depth + 1)
      }
      if !values.isEmpty { indent(depth) }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        separate(index, depth: depth + 1)
        write(member.key)
        output.append(UInt8(ascii: ":"))
        if style == .pretty { output.append(UInt8(ascii: " ")) }
        write(member.value, depth: depth + 1)
      }
      if !members.isEmpty { indent(depth) }
      output.append(UInt8(ascii: "}"))
    }
  }

  private mutating func separate(_ index: Int, depth: Int) {
    if index > 0 { output.append(UInt8(ascii: ",")) }
    indent(depth)
  }

  private mutating func indent(_ depth: Int) {
    guard style == .pretty else { return }
    output.append(UInt8(ascii: "\n"))
    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  private mutating func write(_ value: String) {
    output.append(UInt8(ascii: "\""))
    if style == nil { writeStored(value) } else { writeShown(value) }
    output.append(UInt8(ascii: "\""))
  }

  private mutating func writeStored(_ value: String) {
    var value = value
    value.withUTF8 { bytes in
      var plain = 0
      for index in bytes.indices {
        let byte = bytes[index]
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
          continue
        }
        output.append(contentsOf: bytes[plain..<index])
        plain = index + 1
        if byte < 0x20 {
          escape(UInt32(byte))
        } else {
          output.append(UInt8(ascii: "\\"))
          output.append(byte)
        }
      }
      output.append(contentsOf: bytes[plain...])
    }
  }

  private mutating func writeShown(_ value: String) {
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": output.append(contentsOf: "\\\"".utf8)
      case "\\": output.append(contentsOf: "\\\\".utf8)
      case "\n": output.append(contentsOf: "\\n".utf8)
      case "\r": output.append(contentsOf: "\\r".utf8)
      case "\t": output.append(contentsOf: "\\t".utf8)
      case "\u{0}"..<"\u{20}", "\u{7f}"..."\u{9f}", "\u{2028}"..."\u{202e}",
        "\u{2066}"..."\u{2069}":
        escape(scalar.value)
      default: output.append(contentsOf: scalar.utf8)
      }
    }
  }

  private mutating func escape(_ unit: UInt32) {
    output.append(contentsOf: "\\u".utf8)
    for shift in stride(from: 12, through: 0, by: -4) {
      output.append(Self.hexDigits[Int(unit >> UInt32(shift) & 15)])
    }
  }
}
