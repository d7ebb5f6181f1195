import CToml

/// One value of a TOML text, or one element of an array, which comes under the array's key.
package struct TOMLValue: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case text, number, boolean
    /// A date, or an array in an array.
    case other
  }

  /// The whole path, with dots between its parts.
  package let key: String
  package let kind: Kind
  /// Numbers and booleans as they are written shortest.
  package let text: String
  /// From 1.
  package let line: Int
}

/// Where a text is no TOML.
package struct TOMLError: Error, Sendable, Hashable {
  package let line: Int
  package let reason: String
}

/// Reads TOML with toml++. Who calls bounds the length.
package enum TOMLReader {
  /// The values, in no order.
  package static func values(_ text: String) throws(TOMLError) -> [TOMLValue] {
    let visits = Visits()
    var reason = [CChar](repeating: 0, count: 256)
    var text = text
    let line = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        hito_toml_read(
          characters.baseAddress, characters.count,
          { context, key, keyLength, kind, text, textLength, line in
            guard let context else { return }
            Unmanaged<Visits>.fromOpaque(context).takeUnretainedValue().values.append(
              TOMLValue(
                key: TOMLReader.string(key, keyLength), kind: TOMLReader.kind(kind),
                text: TOMLReader.string(text, textLength), line: line))
          }, Unmanaged.passUnretained(visits).toOpaque(), &reason, reason.count)
      }
    }
    guard line == 0 else {
      throw TOMLError(
        line: line,
        reason: String(
          decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    return visits.values
  }

  /// What the reader calls back with.
  private final class Visits {
    var values: [TOMLValue] = []
  }

  private static func kind(_ kind: hito_toml_kind) -> TOMLValue.Kind {
    switch kind {
    case HITO_TOML_TEXT: .text
    case HITO_TOML_NUMBER: .number
    case HITO_TOML_BOOLEAN: .boolean
    default: .other
    }
  }

  private static func string(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    return String(decoding: bytes, as: UTF8.self)
  }
}
