/// Addresses that do something by themselves or carry what they should not. Code between backticks
/// is shown, not followed; only passwords are looked for there as well.
enum UnsafeLinks {
  /// What is wrong with the text's addresses; nil where nothing is.
  static func reason(_ text: String) -> String? {
    let folded = lowercased(text)
    if hasPassword(folded) { return "has an address with a password in it" }
    let prose = withoutCodeSpans(folded)
    if hasScript(prose) { return "has an address that runs code" }
    if hasTag(prose) { return "has a tag of HTML: put code between backticks" }
    if hasRemoteImage(prose) { return "shows an image from elsewhere: leave it out" }
    return nil
  }

  /// Whether the text has an address with a password in it.
  static func hasPassword(_ text: String) -> Bool { hasPassword(lowercased(text)) }

  private static func lowercased(_ text: String) -> [UInt8] {
    text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 + 32 : $0 }
  }

  /// `scheme://user:password@` or `http(s)://user@`, before the path begins.
  private static func hasPassword(_ text: [UInt8]) -> Bool {
    let separator = Array("://".utf8)
    var index = 0
    while let start = find(separator, in: text, from: index) {
      index = start + separator.count
      let isWeb = endsWithWebScheme(text[..<start])
      guard isWeb else { continue }
      var position = index
      while position < text.count {
        let byte = text[position]
        if byte == UInt8(ascii: "@") { return position > index }
        if byte <= 0x20 || "/?#`<>\"".utf8.contains(byte) { break }
        position += 1
      }
      index = position
    }
    return false
  }

  private static func endsWithWebScheme(_ text: ArraySlice<UInt8>) -> Bool {
    ["http", "https", "ftp", "ftps", "ws", "wss", "sftp"].contains { scheme in
      text.count >= scheme.utf8.count && text.suffix(scheme.utf8.count).elementsEqual(scheme.utf8)
    }
  }

  /// The scheme and at once what it runs: `JavaScript: an introduction` is a title.
  private static func hasScript(_ text: [UInt8]) -> Bool {
    ["javascript:", "vbscript:", "data:text/html", "data:image/svg"].contains { scheme in
      let pattern = Array(scheme.utf8)
      var index = 0
      while let start = find(pattern, in: text, from: index) {
        index = start + pattern.count
        if index < text.count, text[index] > 0x20 { return true }
      }
      return false
    }
  }

  private static func hasTag(_ text: [UInt8]) -> Bool {
    [
      "<script", "<iframe", "<img", "<svg", "<object", "<embed", "<style", "<link", "<form",
      "<meta",
    ]
    .contains { find(Array($0.utf8), in: text, from: 0) != nil }
  }

  /// `![…](http…` or `![…](//…`.
  private static func hasRemoteImage(_ text: [UInt8]) -> Bool {
    guard let first = find(Array("![".utf8), in: text, from: 0) else { return false }
    return ["](http", "](//", "](ftp"].contains {
      find(Array($0.utf8), in: text, from: first) != nil
    }
  }

  private static func withoutCodeSpans(_ text: [UInt8]) -> [UInt8] {
    Array(Prose.withoutSpans(String(decoding: text, as: UTF8.self)).utf8)
  }

  private static func find(_ pattern: [UInt8], in text: [UInt8], from start: Int) -> Int? {
    guard text.count - start >= pattern.count else { return nil }
    return (start...(text.count - pattern.count)).first { index in
      text[index] == pattern[0] && text[index..<(index + pattern.count)].elementsEqual(pattern)
    }
  }
}
