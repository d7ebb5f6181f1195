import Domain

/// Plain text: paragraphs between empty lines, no headings.
enum PlainTextReader {
  static func read(_ bytes: ArraySlice<UInt8>) throws(DocumentError) -> ReadDocument {
    var outline = Outline()
    var paragraph: [Substring] = []
    let text = String(decoding: bytes, as: UTF8.self)
    // `isNewline` takes a carriage return and a line feed as the one character that they are.
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      if line.allSatisfy(\.isWhitespace) {
        outline.prose(paragraph.joined(separator: "\n"))
        paragraph = []
      } else {
        paragraph.append(line)
      }
    }
    outline.prose(paragraph.joined(separator: "\n"))
    return try outline.finish()
  }
}
