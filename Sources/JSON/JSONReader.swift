/// Who wrote the text that is read.
package enum JSONDialect: Sendable {
  /// A program: a repeated member's last value counts, as in PostgreSQL's jsonb, and half of a
  /// surrogate pair becomes U+FFFD, as everywhere in Swift.
  case received
  /// A person: both are mistakes to be told, and `//` comments are taken, so that a printed request
  /// template can be filled in and sent as it is.
  case typed
}

/// The one grammar of JSON (RFC 8259) here: a reader that hands out one piece after the other. Trees
/// (`JSONValue`) and chosen members (`JSONFields`) are read with it.
///
/// Every method leaves the reader after what it read. How deep values nest is bounded, and the
/// text's size; the owner keeps the bytes, which must be UTF-8.
struct JSONReader {
  static let byteCountMax = 64 << 20

  let bytes: UnsafeBufferPointer<UInt8>
  let dialect: JSONDialect
  /// How many arrays and objects may be open at a time.
  let depthMax: Int
  private(set) var at = 0
  private var depth = 0

  init(
    _ bytes: UnsafeBufferPointer<UInt8>, _ dialect: JSONDialect, depthMax: Int
  ) throws(JSONSyntaxError) {
    self.bytes = bytes
    self.dialect = dialect
    self.depthMax = depthMax
    guard bytes.count <= Self.byteCountMax else {
      throw JSONSyntaxError(line: 1, column: 1, message: "the text is larger than 64 MiB")
    }
  }

  /// What the next value begins with; blanks before it are read over. 0 at the end: no value begins
  /// with that.
  mutating func peek() -> UInt8 {
    skipBlanks()
    return at < bytes.count ? bytes[at] : 0
  }

  var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return at == bytes.count
    }
  }

  /// Nothing may follow.
  mutating func end() throws(JSONSyntaxError) {
    guard isAtEnd else { throw failure("there is something after the end of the JSON value") }
  }

  /// Reads an object; `member` reads one name and its value.
  mutating func object(
    _ member: (inout JSONReader) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    try open(UInt8(ascii: "{"), "here should stand an object")
    defer { depth -= 1 }
    if take(UInt8(ascii: "}")) { return }
    repeat {
      guard peek() == UInt8(ascii: "\"") else {
        throw failure(
          peek() == UInt8(ascii: "}")
            ? "a comma before } is not allowed" : "here should stand a name in double quotes")
      }
      try member(&self)
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw failure("here should stand a comma or }") }
  }

  /// Reads an array; `element` reads one value.
  mutating func array(
    _ element: (inout JSONReader) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    try open(UInt8(ascii: "["), "here should stand an array")
    defer { depth -= 1 }
    if take(UInt8(ascii: "]")) { return }
    repeat { try element(&self) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw failure("here should stand a comma or ]") }
  }

  private mutating func open(_ bracket: UInt8, _ message: String) throws(JSONSyntaxError) {
    guard depth < depthMax else { throw failure("the JSON is nested too deeply") }
    guard take(bracket) else { throw failure(message) }
    depth += 1
  }

  /// The name of a member and its colon.
  mutating func name() throws(JSONSyntaxError) -> String {
    let name = try string()
    try colon()
    return name
  }

  private mutating func colon() throws(JSONSyntaxError) {
    guard take(UInt8(ascii: ":")) else { throw failure("here should stand a colon") }
  }

  /// Reads `true`, `false` or `null`, which is nil.
  mutating func literal() throws(JSONSyntaxError) -> Bool? {
    if take("true") { return true }
    if take("false") { return false }
    if take("null") { return nil }
    throw failure(
      at < bytes.count
        ? "here should stand a JSON value" : "the JSON ends where a value should stand")
  }

  /// Where the digits of a number stand. The grammar is narrower than what `Double` parses.
  mutating func number() throws(JSONSyntaxError) -> Range<Int> {
    let start = at
    if isNext(UInt8(ascii: "-")) { at += 1 }
    if isNext(UInt8(ascii: "0")) { at += 1 } else { try digits() }
    if isNext(UInt8(ascii: ".")) {
      at += 1
      try digits()
    }
    if isNext(UInt8(ascii: "e")) || isNext(UInt8(ascii: "E")) {
      at += 1
      if isNext(UInt8(ascii: "+")) || isNext(UInt8(ascii: "-")) { at += 1 }
      try digits()
    }
    return start..<at
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = at
    while at < bytes.count, bytes[at] &- UInt8(ascii: "0") < 10 { at += 1 }
    if at == start { throw failure("here should stand a digit") }
  }

  /// Reads over one value.
  mutating func skip() throws(JSONSyntaxError) {
    switch peek() {
    case UInt8(ascii: "\""): _ = try rawString()
    case UInt8(ascii: "{"):
      try object { (reader) throws(JSONSyntaxError) in
        _ = try reader.rawString()
        try reader.colon()
        try reader.skip()
      }
    case UInt8(ascii: "["):
      try array { (reader) throws(JSONSyntaxError) in try reader.skip() }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number()
    default: _ = try literal()
    }
  }

  func text(_ range: Range<Int>) -> String {
    String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }

  /// Reads over blanks, then over `byte`, where it is next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    at += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let matches = word.withUTF8Buffer { word in
      bytes.count - at >= word.count && word.indices.allSatisfy { bytes[at + $0] == word[$0] }
    }
    if matches { at += word.utf8CodeUnitCount }
    return matches
  }

  private func isNext(_ byte: UInt8) -> Bool { at < bytes.count && bytes[at] == byte }

  private mutating func skipBlanks() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0a, 0x0d: at += 1
      case UInt8(ascii: "/")
      where dialect == .typed && at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "/"):
        while at < bytes.count, bytes[at] != 0x0a { at += 1 }
      default: return
      }
    }
  }

  func failure(_ message: String) -> JSONSyntaxError { failure(message, at: at) }

  private func failure(_ message: String, at place: Int) -> JSONSyntaxError {
    let before = bytes[..<min(place, bytes.count)]
    let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let line = before.count { $0 == 0x0a } + 1
    let column = before[lineStart...].count { $0 & 0xc0 != 0x80 } + 1
    return JSONSyntaxError(line: line, column: column, message: message)
  }
}

extension JSONReader {
  mutating func string() throws(JSONSyntaxError) -> String {
    let (range, hasEscapes) = try rawString()
    return hasEscapes ? try unescaped(range) : text(range)
  }

  /// Where the text of a string stands, without its quotes.
  private mutating func rawString() throws(JSONSyntaxError) -> (range: Range<Int>, hasEscapes: Bool)
  {
    guard isNext(UInt8(ascii: "\"")) else { throw failure("here should stand a string") }
    at += 1
    let start = at
    var hasEscapes = false
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        return (start..<at - 1, hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        at += try escape(at: at).length
      case 0..<0x20:
        throw failure("a control character in a string must be written as an escape such as \\n")
      default: at += 1
      }
    }
    throw failure("the string does not end")
  }

  /// The UTF-16 unit that the escape at `place` stands for.
  private func escape(at place: Int) throws(JSONSyntaxError) -> (unit: UInt16, length: Int) {
    guard place + 1 < bytes.count else { throw failure("the string does not end", at: bytes.count) }
    switch bytes[place + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return (UInt16(bytes[place + 1]), 2)
    case UInt8(ascii: "b"): return (0x08, 2)
    case UInt8(ascii: "f"): return (0x0c, 2)
    case UInt8(ascii: "n"): return (0x0a, 2)
    case UInt8(ascii: "r"): return (0x0d, 2)
    case UInt8(ascii: "t"): return (0x09, 2)
    case UInt8(ascii: "u"):
      var unit: UInt16 = 0
      for index in place + 2..<place + 6 {
        guard index < bytes.count, let digit = Self.hexDigit(bytes[index]) else {
          throw failure("\\u needs four hexadecimal digits", at: place + 2)
        }
        unit = unit << 4 | digit
      }
      return (unit, 6)
    default: throw failure("\\ is followed by a character that it cannot escape", at: place + 1)
    }
  }

  private static func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private func unescaped(_ range: Range<Int>) throws(JSONSyntaxError) -> String {
    var output = ""
    var index = range.lowerBound
    while index < range.upperBound {
      let plain = index
      while index < range.upperBound, bytes[index] != UInt8(ascii: "\\") { index += 1 }
      output += text(plain..<index)
      // Escapes that stand together: two of them may be one scalar.
      let first = index
      var units: [UInt16] = []
      while index < range.upperBound, bytes[index] == UInt8(ascii: "\\") {
        let (unit, length) = try escape(at: index)
        units.append(unit)
        index += length
      }
      if dialect == .received {
        output += String(decoding: units, as: UTF16.self)
      } else if let text = String(validating: units, as: UTF16.self) {
        output += text
      } else {
        throw failure("half of a surrogate pair", at: first)
      }
    }
    return output
  }
}
