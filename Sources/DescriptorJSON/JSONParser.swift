/// Why a text is not JSON.
package struct JSONSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
  /// From 1, in Unicode scalars.
  package let line: Int
  package let column: Int
  package let message: String

  package var description: String { "line \(line), column \(column): \(message)" }
}

/// Reads JSON (RFC 8259) of bounded depth and size. Also takes `//` comments, so that a printed
/// request template can be filled in and sent as it is.
package struct JSONParser {
  package static let depthMax = 100
  package static let byteCountMax = 64 << 20

  private let bytes: [UInt8]
  private var position = 0

  private init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// Parses one value that is all of the text.
  package static func parse(_ text: String) throws(JSONSyntaxError) -> JSONNode {
    var parser = JSONParser(text)
    guard parser.bytes.count <= byteCountMax else {
      throw JSONSyntaxError(line: 1, column: 1, message: "the text is larger than 64 MiB")
    }
    let node = try parser.value(depth: 0)
    parser.skipBlanks()
    guard parser.position == parser.bytes.count else {
      throw parser.failure("there is something behind the end of the JSON value")
    }
    return node
  }

  /// Parses any number of values, one behind the other, with or without line breaks.
  package static func parseSequence(_ text: String) throws(JSONSyntaxError) -> [JSONNode] {
    var parser = JSONParser(text)
    guard parser.bytes.count <= byteCountMax else {
      throw JSONSyntaxError(line: 1, column: 1, message: "the text is larger than 64 MiB")
    }
    var nodes: [JSONNode] = []
    parser.skipBlanks()
    while parser.position < parser.bytes.count {
      nodes.append(try parser.value(depth: 0))
      parser.skipBlanks()
    }
    return nodes
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    guard depth < Self.depthMax else { throw failure("the JSON is nested too deeply") }
    skipBlanks()
    guard let byte = peek() else { throw failure("the JSON ends where a value should stand") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default:
      if take("true") { return .bool(true) }
      if take("false") { return .bool(false) }
      if take("null") { return .null }
      throw failure("here should stand a JSON value")
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    position += 1
    var members: [JSONNode.Member] = []
    var names: Set<String> = []
    skipBlanks()
    if take("}") { return .object(members) }
    while true {
      skipBlanks()
      guard peek() == UInt8(ascii: "\"") else {
        throw failure(
          peek() == UInt8(ascii: "}")
            ? "a comma before } is not allowed" : "here should stand a name in double quotes")
      }
      let start = position
      let name = try string()
      guard names.insert(name).inserted else {
        position = start
        throw failure("the name \"\(name)\" stands twice in one object")
      }
      skipBlanks()
      guard take(":") else { throw failure("here should stand a colon") }
      members.append(JSONNode.Member(name, try value(depth: depth + 1)))
      skipBlanks()
      if take(",") { continue }
      guard take("}") else { throw failure("here should stand a comma or }") }
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    position += 1
    var values: [JSONNode] = []
    skipBlanks()
    if take("]") { return .array(values) }
    while true {
      values.append(try value(depth: depth + 1))
      skipBlanks()
      if take(",") { continue }
      guard take("]") else { throw failure("here should stand a comma or ]") }
      return .array(values)
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = position
    while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      position += 1
    }
    if position == start { throw failure("here should stand a digit") }
  }
}

extension JSONParser {
  private mutating func string() throws(JSONSyntaxError) -> String {
    position += 1
    var result: [UInt8] = []
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        // The text is a String, and escapes add whole scalars: this repairs nothing.
        return String(decoding: result, as: UTF8.self)
      case UInt8(ascii: "\\"):
        result.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20:
        throw failure("a control character in a string must be written as an escape such as \\n")
      default:
        result.append(byte)
        position += 1
      }
    }
    throw failure("the string does not end")
  }

  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    position += 1
    guard let byte = peek() else { throw failure("the string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      position -= 1
      throw failure("\\ is followed by a character that it cannot escape")
    }
  }

  private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, take("\\u") else { throw failure("half of a surrogate pair") }
    let second = try hexadecimal()
    guard (0xdc00..<0xe000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw failure("half of a surrogate pair") }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("\\u needs four digits") }
    let digits = bytes[position..<position + 4]
    let isHexadecimal = digits.allSatisfy { Unicode.Scalar($0).properties.isASCIIHexDigit }
    guard isHexadecimal, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("\\u needs four hexadecimal digits") }
    position += 4
    return value
  }

  private func peek() -> UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let matches = word.withUTF8Buffer { word in
      bytes[position...].starts(with: word)
    }
    if matches { position += word.utf8CodeUnitCount }
    return matches
  }

  private mutating func skipBlanks() {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        position += 1
      case UInt8(ascii: "/") where bytes[position...].starts(with: "//".utf8):
        while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
      default: return
      }
    }
  }

  private func failure(_ message: String) -> JSONSyntaxError {
    let before = bytes[..<position]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let column = before[lineStart...].count { $0 & 0xc0 != 0x80 } + 1
    return JSONSyntaxError(line: line, column: column, message: message)
  }
}
