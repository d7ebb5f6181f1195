/// Makes text of unknown origin safe to show and to put before a model: nothing in it is invisible,
/// nothing reorders what is shown, and it has an end. What it says stays as it is.
package enum TextHygiene {
  /// A text after cleaning.
  package struct Cleaned: Sendable, Hashable {
    package var text: String
    /// The text continued after the maximum.
    package var isCut: Bool

    package init(text: String, isCut: Bool) {
      self.text = text
      self.isCut = isCut
    }
  }

  /// Marks that may be stacked on one letter; more is not writing, it only hides what is below.
  static let markCountMax = 4
  /// How much more is looked at than may be kept.
  private static let hiddenFactor = 4
  private static let hiddenCountMin = 256

  /// The text without hidden characters, with `\n` as its only line break, cut to `scalarCountMax`.
  /// It is cut as well where almost nothing of its beginning can be seen: no text costs more than a
  /// few times what may be kept of it.
  package static func clean(_ text: String, scalarCountMax: Int) -> Cleaned {
    var kept = String.UnicodeScalarView()
    var count = 0
    var markCount = 0
    var previous: Unicode.Scalar?
    for (position, scalar) in text.unicodeScalars.enumerated() {
      if position >= scalarCountMax * hiddenFactor + hiddenCountMin {
        return Cleaned(text: String(kept), isCut: true)
      }
      let wasReturn = previous == "\r"
      defer { previous = scalar }
      if scalar == "\n", wasReturn { continue }
      guard let visible = visible(scalar, after: previous) else { continue }
      markCount = visible.isMark ? markCount + 1 : 0
      if markCount > markCountMax { continue }
      if count >= scalarCountMax { return Cleaned(text: String(kept), isCut: true) }
      kept.append(visible)
      count += 1
    }
    return Cleaned(text: String(kept), isCut: false)
  }

  /// The same in one line, without white space at its ends.
  package static func cleanLine(_ text: String, scalarCountMax: Int) -> String {
    let cleaned = clean(text, scalarCountMax: scalarCountMax).text
    var line = String.UnicodeScalarView()
    for scalar in cleaned.unicodeScalars {
      if !scalar.properties.isWhitespace {
        line.append(scalar)
      } else if let last = line.last, last != " " {
        line.append(" ")
      }
    }
    if line.last == " " { line.removeLast() }
    return String(line)
  }

  /// Whether any character of the text is invisible or reorders others; tab and line breaks are not.
  package static func hasHiddenCharacters(_ text: String) -> Bool {
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if isHidden(scalar, after: previous) { return true }
      previous = scalar
    }
    return false
  }

  /// What is kept of one character; nil for nothing.
  private static func visible(
    _ scalar: Unicode.Scalar, after previous: Unicode.Scalar?
  ) -> Unicode.Scalar? {
    switch scalar {
    // Line and paragraph separator, next line, form feed, vertical tab.
    case "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{c}", "\u{b}": "\n"
    default: isHidden(scalar, after: previous) ? nil : scalar
    }
  }

  /// Controls, formats (bidirectional and zero-width ones, tags), whatever the standard says is
  /// drawn as nothing (fillers, variation selectors), private and unassigned code points. The
  /// selector that makes an emoji colourful is none of them after one.
  static func isHidden(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Bool {
    if scalar.value < 0x7f {
      return scalar.value < 0x20 && scalar != "\n" && scalar != "\r" && scalar != "\t"
    }
    if scalar == "\u{fe0f}", let previous { return !previous.properties.isEmoji }
    // An empty Braille cell is a letter to the standard, and blank.
    if scalar == "\u{2800}" || scalar.properties.isDefaultIgnorableCodePoint { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      return true
    default: return false
    }
  }
}

extension Unicode.Scalar {
  var isMark: Bool {
    guard value >= 0x300 else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark: return true
    default: return false
    }
  }
}
