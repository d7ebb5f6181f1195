/// Reads chosen members of a JSON object's text without building the whole value.
///
/// An event's payload is read once for the few columns that the lake and the reports need; the
/// scan allocates only for the members that are asked for. Text that is no JSON object has no
/// members: the payload itself is kept as it is, so nothing is lost by that.
package struct PayloadFields: Sendable {
  /// A member's value; arrays and objects stay JSON text.
  package enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case nested(String)
  }

  /// How deep values may nest; deeper text counts as no JSON.
  package static let depthMax = 64

  private let members: [(name: String, value: Value)]

  /// Scans `text` for the members `names`; a repeated member's last value counts, as in jsonb.
  package init(of text: String, names: Set<String>) {
    var text = text
    members =
      text.withUTF8 { bytes in
        var scanner = JSONScanner(bytes: bytes)
        return scanner.object(members: names)
      } ?? []
  }

  package subscript(name: String) -> Value? {
    members.last { $0.name == name }?.value
  }
}

/// One pass over JSON text (RFC 8259). Every method leaves `at` after what it read, or answers nil.
struct JSONScanner {
  let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func object(
    members wanted: Set<String>
  ) -> [(name: String, value: PayloadFields.Value)]? {
    var found: [(name: String, value: PayloadFields.Value)] = []
    guard take("{") else { return nil }
    if take("}") { return atEnd ? found : nil }
    repeat {
      guard let name = string(), take(":") else { return nil }
      if wanted.contains(name) {
        guard let value = value() else { return nil }
        found.append((name, value))
      } else {
        guard skip(depth: 1) else { return nil }
      }
    } while take(",")
    return take("}") && atEnd ? found : nil
  }

  private var atEnd: Bool {
    mutating get {
      skipSpace()
      return at == bytes.count
    }
  }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func value() -> PayloadFields.Value? {
    skipSpace()
    guard at < bytes.count else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let start = at
      guard skip(depth: 1) else { return nil }
      return .nested(String(decoding: bytes[start..<at], as: UTF8.self))
    case UInt8(ascii: "t"): return literal("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return literal("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return literal("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func skip(depth: Int) -> Bool {
    skipSpace()
    guard at < bytes.count, depth <= PayloadFields.depthMax else { return false }
    switch bytes[at] {
    case UInt8(ascii: "\""): return skipString()
    case UInt8(ascii: "{"):
      at += 1
      if take("}") { return true }
      repeat {
        skipSpace()
        guard skipString(), take(":"), skip(depth: depth + 1) else { return false }
      } while take(",")
      return take("}")
    case UInt8(ascii: "["):
      at += 1
      if take("]") { return true }
      repeat {
        guard skip(depth: depth + 1) else { return false }
      } while take(",")
      return take("]")
    case UInt8(ascii: "t"): return literal("true")
    case UInt8(ascii: "f"): return literal("false")
    case UInt8(ascii: "n"): return literal("null")
    default: return number() != nil
    }
  }

  private mutating func literal(_ word: StaticString) -> Bool {
    let matches = word.withUTF8Buffer { word in
      bytes.count - at >= word.count && word.indices.allSatisfy { bytes[at + $0] == word[$0] }
    }
    if matches { at += word.utf8CodeUnitCount }
    return matches
  }

  /// The grammar of JSON, which is narrower than what `Double` parses (no `inf`, `0x`, `1_0`).
  private mutating func number() -> PayloadFields.Value? {
    let start = at
    if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
    let leading = at
    guard digits() else { return nil }
    if bytes[leading] == UInt8(ascii: "0"), at - leading > 1 { return nil }
    var isInteger = true
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      isInteger = false
      guard digits() else { return nil }
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      isInteger = false
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") {
        at += 1
      }
      guard digits() else { return nil }
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let integer = Int64(text) { return .integer(integer) }
    return Double(text).map { .number($0) }
  }

  private mutating func digits() -> Bool {
    let start = at
    while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
    return at > start
  }

  private mutating func skipString() -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return false }
    at += 1
    while at < bytes.count {
      let byte = bytes[at]
      at += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte < 0x20 { return false }
    }
    return false
  }

  private mutating func string() -> String? {
    skipSpace()
    let start = at + 1
    guard skipString() else { return nil }
    let raw = UnsafeBufferPointer(rebasing: bytes[start..<at - 1])
    guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
    return JSONScanner.unescaped(raw)
  }

  private static func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> String? {
    var units: [UInt16] = []
    var output = ""
    var plain = 0
    var index = 0
    func flushUnits() {
      // A lone surrogate becomes U+FFFD, as everywhere in Swift.
      output += String(decoding: units, as: UTF16.self)
      units.removeAll(keepingCapacity: true)
    }
    while index < raw.count {
      guard raw[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      if plain < index {
        flushUnits()
        output += String(decoding: raw[plain..<index], as: UTF8.self)
      }
      guard let (unit, length) = escape(raw, at: index) else { return nil }
      units.append(unit)
      index += length
      plain = index
    }
    flushUnits()
    return output + String(decoding: raw[plain...], as: UTF8.self)
  }

  private static func escape(
    _ raw: UnsafeBufferPointer<UInt8>, at index: Int
  ) -> (unit: UInt16, length: Int)? {
    guard index + 1 < raw.count else { return nil }
    switch raw[index + 1] {
    case UInt8(ascii: "n"): return (0x0a, 2)
    case UInt8(ascii: "t"): return (0x09, 2)
    case UInt8(ascii: "r"): return (0x0d, 2)
    case UInt8(ascii: "b"): return (0x08, 2)
    case UInt8(ascii: "f"): return (0x0c, 2)
    case let byte where byte == UInt8(ascii: "\"") || byte == 0x5c || byte == UInt8(ascii: "/"):
      return (UInt16(byte), 2)
    case UInt8(ascii: "u"):
      guard index + 6 <= raw.count else { return nil }
      let text = String(decoding: raw[index + 2..<index + 6], as: UTF8.self)
      guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
        let unit = UInt16(text, radix: 16)
      else { return nil }
      return (unit, 6)
    default: return nil
    }
  }
}

extension JSONScanner {
  /// The whole text as one value; nil where it is none.
  mutating func document() -> JSONValue? {
    guard let value = tree(depth: 1), atEnd else { return nil }
    return value
  }

  private mutating func tree(depth: Int) -> JSONValue? {
    guard depth <= PayloadFields.depthMax else { return nil }
    skipSpace()
    guard at < bytes.count else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "{"): return members(depth: depth).map { .object($0) }
    case UInt8(ascii: "["):
      at += 1
      if take("]") { return .array([]) }
      var values: [JSONValue] = []
      repeat {
        guard let value = tree(depth: depth + 1) else { return nil }
        values.append(value)
      } while take(",")
      return take("]") ? .array(values) : nil
    default:
      switch value() {
      case .null: return .null
      case .bool(let value): return .bool(value)
      case .integer(let value): return .integer(value)
      case .number(let value): return .number(value)
      case .string(let value): return .string(value)
      case .nested, nil: return nil
      }
    }
  }

  /// A repeated member's last value counts, as in jsonb.
  private mutating func members(depth: Int) -> [(key: String, value: JSONValue)]? {
    at += 1
    if take("}") { return [] }
    var members: [(key: String, value: JSONValue)] = []
    var places: [String: Int] = [:]
    repeat {
      guard let name = string(), take(":"), let value = tree(depth: depth + 1) else { return nil }
      if let place = places[name] {
        members[place].value = value
      } else {
        places[name] = members.count
        members.append((name, value))
      }
    } while take(",")
    return take("}") ? members : nil
  }
}

extension JSONValue {
  /// Parses RFC 8259 text of bounded depth; nil where it is none. A number that no `Double` holds,
  /// like every other mistake, makes it none.
  package init?(parsing text: String) {
    var text = text
    let value = text.withUTF8 { bytes in
      var scanner = JSONScanner(bytes: bytes)
      return scanner.document()
    }
    guard let value else { return nil }
    self = value
  }
}
