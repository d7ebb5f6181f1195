package import Domain
import FoundationEssentials

/// JSON from outside, read only after its size and depth are known to be harmless: the parser and
/// what walks the value afterwards are recursive.
package enum BoundedJSON {
  /// Deeper than any reply that we ask for.
  package static let depthMax = 32

  /// The value of `bytes`, which must be one whole JSON text; nil where it is none, or too deep.
  package static func value(of bytes: [UInt8]) -> JSONValue? {
    decode(JSONValue.self, from: bytes)
  }

  static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) -> Value? {
    guard isShallow(bytes) else { return nil }
    return try? JSONDecoder().decode(type, from: Data(bytes))
  }

  /// Whether brackets outside of strings nest no deeper than `depthMax`; says nothing about the
  /// rest of the syntax.
  static func isShallow(_ bytes: [UInt8]) -> Bool {
    var depth = 0
    var isInString = false
    var isEscaped = false
    for byte in bytes {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth > depthMax { return false }
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
    }
    return true
  }
}
