/// What the attributes of a tag say to who reads its text.
extension HTMLTag {
  /// Empty where there is none that can stand in a link.
  var anchor: String {
    for name in ["id", "name"] {
      if let value = attributes[name], AnchorMaker.isAnchor(value) { return value }
    }
    return ""
  }

  /// `language-python` and `lang-python` among the classes, as highlighters write them.
  var language: String? {
    let classes = (attributes["class"] ?? "").split(separator: " ")
    for prefix in ["language-", "lang-"] {
      if let found = classes.first(where: { $0.hasPrefix(prefix) }) {
        return String(found.dropFirst(prefix.count))
      }
    }
    return nil
  }

  /// `<span style="display: block">`: a line of a listing.
  var isBlock: Bool {
    guard let style = attributes["style"] else { return false }
    return style.lowercased().filter { !$0.isWhitespace }.contains("display:block")
  }
}
