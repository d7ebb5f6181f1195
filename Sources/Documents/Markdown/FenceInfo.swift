/// What stands behind the fence of a listing.
enum FenceInfo {
  /// A directive of MyST.
  enum Directive: Equatable {
    /// Its content is text under this title.
    case text(String)
    /// A listing in this language.
    case code(String)
  }

  private static let texts: Set<String> = [
    "admonition", "attention", "card", "caution", "danger", "deprecated", "dropdown", "epigraph",
    "error", "exercise", "grid", "grid-item", "grid-item-card", "hint", "important", "margin",
    "note",
    "seealso", "sidebar", "solution", "tab-item", "tab-set", "tip", "todo", "topic", "versionadded",
    "versionchanged", "warning",
  ]
  private static let listings: Set<String> = ["code", "code-block", "code-cell", "sourcecode"]

  static func directive(_ info: ArraySlice<UInt8>) -> Directive? {
    let text = String(decoding: info.prefix(500), as: UTF8.self).trimmed
    guard text.first == "{", let end = text.firstIndex(of: "}") else { return nil }
    let name = String(text[text.index(after: text.startIndex)..<end])
    let title = String(text[text.index(after: end)...]).trimmed
    if listings.contains(name) { return .code(title) }
    return texts.contains(name) ? .text(title.isEmpty ? name : title) : nil
  }

  /// The language: `python` of `python title="x"`, `{.python .numberLines}`, `{python}`, `js{1,3}`,
  /// `rust,ignore`; empty where there is none.
  static func language(_ info: String) -> String {
    var word = info[...]
    if word.first == "{" {
      let inside = word.dropFirst().prefix { $0 != "}" }
      let words = inside.split(whereSeparator: { $0.isWhitespace || $0 == "," })
      // The identifier may come before the classes.
      word = words.first { $0.first != "#" } ?? ""
      if word.first == "." { word = word.dropFirst() }
    } else {
      word = word.prefix { !$0.isWhitespace }
    }
    let name = word.prefix { !"{,:?(=".contains($0) }
    // `title="x"` is an option.
    return name.endIndex < word.endIndex && word[name.endIndex] == "=" ? "" : String(name)
  }
}
