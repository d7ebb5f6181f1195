/// What HTML is made of, for who reads its text: comments, doctypes and instructions are left out.
enum HTMLToken: Equatable {
  /// UTF-8; a text may come in several pieces.
  case text(ArraySlice<UInt8>)
  case start(HTMLTag)
  case end(String)
}

/// A start tag.
struct HTMLTag: Equatable {
  /// In lower case.
  let name: String
  /// Those that readers ask for (`HTMLTokenizer.attributeNames`); of two of the same name the first.
  var attributes: [String: String] = [:]
  var isSelfClosing = false
}
