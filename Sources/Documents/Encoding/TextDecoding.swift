package import Domain

/// Texts of any usual encoding as UTF-8.
package enum TextDecoding {
  /// A text in UTF-8.
  package struct Text: Sendable, Hashable {
    package let bytes: [UInt8]
    /// What it was in; nil where it was UTF-8 already.
    package let encoding: String?
  }

  /// Why a text is in no encoding that can be told.
  package struct Failure: Error, Sendable, Hashable {
    package let reason: String
  }

  /// Reads a text by its byte order mark, as UTF-16 where every second byte tells of it, as UTF-8, by the encoding that it declares, or as
  /// Windows-1252 (and so Latin-1) where it looks like that; in this order, since what is UTF-8 by
  /// chance is none.
  package static func utf8(
    _ bytes: [UInt8], as format: DocumentFormat
  ) throws(Failure) -> Text {
    if let marked = try byMark(bytes) ?? UnmarkedUTF16.read(bytes) { return marked }
    let declared = format == .html ? DeclaredEncoding.of(bytes) : nil
    if String(validating: bytes, as: UTF8.self) != nil {
      // The one that has nothing but ASCII bytes.
      guard case .named(let name)? = declared, name == "ISO-2022-JP", bytes.contains(0x1b) else {
        return Text(bytes: bytes, encoding: nil)
      }
    }
    switch declared {
    case .windows1252: return windows1252(bytes)
    case .named(let name):
      guard let converted = SystemEncoding.utf8(bytes, from: name) else {
        throw Failure(reason: "says that it is in \(name), and is not")
      }
      return Text(bytes: converted, encoding: name)
    case .unknown(let label):
      throw Failure(reason: "is in an encoding that is not known: \(label)")
    case .utf8, nil:
      guard WesternText.isLikely(bytes) else {
        throw Failure(reason: "is not UTF-8, and in no encoding that can be told")
      }
      return windows1252(bytes)
    }
  }

  private static func windows1252(_ bytes: [UInt8]) -> Text {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count + bytes.count / 8)
    for byte in bytes {
      if byte < 0x80 {
        output.append(byte)
      } else {
        output += String(Character(Windows1252.scalar(byte))).utf8
      }
    }
    return Text(bytes: output, encoding: "Windows-1252 (Latin-1)")
  }

  private static func byMark(_ bytes: [UInt8]) throws(Failure) -> Text? {
    if bytes.starts(with: [0xff, 0xfe, 0, 0]) {
      return try decoded(bytes.dropFirst(4), UTF32.self, "UTF-32LE") { UInt32(littleEndian: $0) }
    }
    if bytes.starts(with: [0, 0, 0xfe, 0xff]) {
      return try decoded(bytes.dropFirst(4), UTF32.self, "UTF-32BE") { UInt32(bigEndian: $0) }
    }
    if bytes.starts(with: [0xff, 0xfe]) {
      return try decoded(bytes.dropFirst(2), UTF16.self, "UTF-16LE") { UInt16(littleEndian: $0) }
    }
    if bytes.starts(with: [0xfe, 0xff]) {
      return try decoded(bytes.dropFirst(2), UTF16.self, "UTF-16BE") { UInt16(bigEndian: $0) }
    }
    guard bytes.starts(with: [0xef, 0xbb, 0xbf]) else { return nil }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Failure(reason: "begins as UTF-8, and is not UTF-8")
    }
    return Text(bytes: bytes, encoding: nil)
  }

  /// - Parameter ordered: a unit as it is stored, in the order of this machine.
  static func decoded<Encoding: Unicode.Encoding>(
    _ bytes: ArraySlice<UInt8>, _ encoding: Encoding.Type, _ name: String,
    _ ordered: (Encoding.CodeUnit) -> Encoding.CodeUnit
  ) throws(Failure) -> Text where Encoding.CodeUnit: BitwiseCopyable {
    let size = MemoryLayout<Encoding.CodeUnit>.size
    let units = bytes.withUnsafeBytes { raw in
      (0..<(raw.count / size)).map {
        ordered(raw.loadUnaligned(fromByteOffset: $0 * size, as: Encoding.CodeUnit.self))
      }
    }
    guard bytes.count % size == 0, let text = String(validating: units, as: encoding) else {
      throw Failure(reason: "begins as \(name), and is not \(name)")
    }
    return Text(bytes: Array(text.utf8), encoding: name)
  }
}
