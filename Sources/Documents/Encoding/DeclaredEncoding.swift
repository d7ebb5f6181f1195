/// The encoding that a page of HTML says it is in: `<meta charset>`, its older form, or `<?xml encoding>`.
enum DeclaredEncoding: Equatable {
  case utf8
  case windows1252
  /// By the name that the system knows it by.
  case named(String)
  case unknown(String)

  /// The standard's 1,024 bytes, and some for pages that do not keep to them.
  private static let byteCountMax = 4096

  static func of(_ bytes: [UInt8]) -> DeclaredEncoding? {
    let head = Array(bytes.prefix(byteCountMax)).map { $0 < 0x80 ? $0.asciiLowercased : 0x3f }
    let text = String(decoding: head, as: UTF8.self)
    if text.hasPrefix("<?xml"), let end = text.range(of: "?>"),
      let label = label(after: "encoding", in: text[..<end.lowerBound])
    {
      return of(label: label)
    }
    var rest = text[...]
    while let start = next(of: "<meta", or: "<!--", in: rest) {
      guard start.text == "<meta" else {
        guard let end = rest[start.range.upperBound...].range(of: "-->") else { return nil }
        rest = rest[end.upperBound...]
        continue
      }
      rest = rest[start.range.upperBound...]
      let tag = rest.prefix { $0 != ">" }
      if let label = label(after: "charset", in: tag) { return of(label: label) }
    }
    return nil
  }

  private static func next(
    of first: String, or second: String, in text: Substring
  ) -> (text: String, range: Range<String.Index>)? {
    let found = [first, second].compactMap { mark in text.range(of: mark).map { (mark, $0) } }
    return found.min { $0.1.lowerBound < $1.1.lowerBound }
  }

  /// What stands behind `name` and an equals sign, with or without quotes.
  private static func label(after name: String, in text: Substring) -> String? {
    guard let place = text.range(of: name) else { return nil }
    var rest = text[place.upperBound...].drop(while: \.isWhitespace)
    guard rest.first == "=" else { return nil }
    rest = rest.dropFirst().drop { $0.isWhitespace || $0 == "\"" || $0 == "'" }
    let label = rest.prefix { $0.isLetter || $0.isNumber || "-_.:".contains($0) }
    return label.isEmpty ? nil : String(label.prefix(40))
  }

  /// Names of the WHATWG's standard of encodings, as far as the system converts them.
  static func of(label: String) -> DeclaredEncoding {
    switch label {
    case "utf-8", "utf8", "unicode-1-1-utf-8", "utf-16", "utf-16le", "utf-16be":
      // What could be read so far to find it is not UTF-16.
      return .utf8
    case "windows-1252", "cp1252", "x-cp1252", "iso-8859-1", "iso8859-1", "iso88591", "iso_8859-1",
      "iso-8859-1:1987", "latin1", "latin-1", "l1", "ascii", "us-ascii", "cp819", "ibm819",
      "csisolatin1":
      return .windows1252
    case "iso-8859-9", "iso8859-9", "latin5", "l5": return .named("WINDOWS-1254")
    case "iso-8859-11", "tis-620", "windows-874": return .named("CP874")
    case "latin2", "l2": return .named("ISO-8859-2")
    case "latin9", "iso8859-15", "l9": return .named("ISO-8859-15")
    case "macintosh", "mac", "x-mac-roman": return .named("MACINTOSH")
    case "koi8-r", "koi8_r", "koi8", "koi": return .named("KOI8-R")
    case "koi8-u": return .named("KOI8-U")
    case "shift_jis", "shift-jis", "sjis", "ms_kanji", "windows-31j", "x-sjis":
      return .named("CP932")
    case "euc-jp", "x-euc-jp": return .named("EUC-JP")
    case "iso-2022-jp": return .named("ISO-2022-JP")
    case "gb2312", "gbk", "gb18030", "chinese", "x-gbk": return .named("GB18030")
    case "big5", "big5-hkscs", "x-x-big5": return .named("BIG5-HKSCS")
    case "euc-kr", "ks_c_5601-1987", "korean", "windows-949": return .named("CP949")
    default: break
    }
    for prefix in ["iso-8859-", "windows-125", "cp125", "x-cp125"] where label.hasPrefix(prefix) {
      guard let number = Int(label.dropFirst(prefix.count)) else { break }
      if prefix == "iso-8859-" {
        if [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16].contains(number) {
          return .named("ISO-8859-\(number)")
        }
      } else if (0...8).contains(number) {
        return .named("WINDOWS-125\(number)")
      }
    }
    return .unknown(label)
  }
}

extension StringProtocol {
  /// The first place of a text.
  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
