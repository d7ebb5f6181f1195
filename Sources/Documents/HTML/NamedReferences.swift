/// The names of HTML's character references, read from `NamedReferenceTable` once.
enum NamedReferences {
  /// Bytes of the names that need no semicolon: `gt` to `Aacute`.
  static let bareByteCountMin = 2
  static let bareByteCountMax = 6

  private static let (texts, bareNames) = read()

  /// - Parameter name: without ampersand and semicolon.
  static func text(_ name: ArraySlice<UInt8>) -> [UInt8]? {
    texts[String(decoding: name, as: UTF8.self)]
  }

  /// The same for a name that stands without a semicolon.
  static func bareText(_ name: ArraySlice<UInt8>) -> [UInt8]? {
    let name = String(decoding: name, as: UTF8.self)
    return bareNames.contains(name) ? texts[name] : nil
  }

  private static func read() -> (texts: [String: [UInt8]], bareNames: Set<String>) {
    var texts: [String: [UInt8]] = [:]
    var bareNames: Set<String> = []
    for entry in NamedReferenceTable.text.split(whereSeparator: \.isWhitespace) {
      let parts = entry.split(separator: "=")
      guard parts.count == 2 else { continue }
      var name = String(parts[0])
      if name.hasSuffix("!") {
        name.removeLast()
        bareNames.insert(name)
      }
      let scalars = parts[1].split(separator: "+").compactMap {
        UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
      }
      texts[name] = Array(String(String.UnicodeScalarView(scalars)).utf8)
    }
    return (texts, bareNames)
  }
}
