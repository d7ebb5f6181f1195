import Domain

/// HTML, read by the tokenizer of the HTML standard and by its rules for end tags that are left out.
/// Nothing is loaded from anywhere, no entity of the document's own is known, and no tree is built.
enum HTMLReader {
  static func read(_ bytes: ArraySlice<UInt8>) throws(DocumentError) -> ReadDocument {
    // Makers of sites read front matter in HTML too.
    let front = try FrontMatter(bytes)
    let builder = HTMLBuilder(Outline(root: front.title))
    read(front.rest, into: builder)
    var outline = builder.takeOutline()
    return try outline.finish()
  }

  /// Reads a piece of HTML that stands in another text: its end tags and its start tags need not
  /// be in the same piece.
  static func read(piece: [UInt8], into outline: inout Outline) {
    let builder = HTMLBuilder(outline, isPiece: true)
    outline = Outline()
    read(piece[...], into: builder)
    outline = builder.takeOutline()
  }

  private static func read(_ bytes: ArraySlice<UInt8>, into builder: HTMLBuilder) {
    var tokenizer = HTMLTokenizer(bytes)
    builder.isXML = tokenizer.isXML
    while !builder.isBroken, let token = tokenizer.next() {
      builder.take(token)
      tokenizer.isForeign = builder.isForeign
    }
    builder.end()
  }
}
