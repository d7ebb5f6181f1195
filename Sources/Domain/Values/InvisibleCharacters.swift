/// Characters that a title or name must not have: they are not seen, change the order of what is seen,
/// or make two names that look the same.
package enum InvisibleCharacters {
  /// Whether the text has any: controls and line breaks, bidirectional and zero-width characters,
  /// tags, fillers. Those that a script needs where they stand are none.
  package static func areIn(_ text: String) -> Bool {
    isAny(in: text) { isAllowed, _ in !isAllowed }
  }

  /// Whether there is nothing to see in the text.
  package static func isBlank(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { $0.properties.isWhitespace || isInvisible($0) }
  }

  /// The text without them.
  package static func removed(from text: String) -> String {
    guard areIn(text) else { return text }
    var kept = String.UnicodeScalarView()
    _ = isAny(in: text) { isAllowed, scalar in
      if isAllowed { kept.append(scalar) }
      return false
    }
    return String(kept)
  }

  /// Whether `isWanted` says so of any character, told whether a title may have it where it stands.
  private static func isAny(
    in text: String, _ isWanted: (Bool, Unicode.Scalar) -> Bool
  ) -> Bool {
    let scalars = text.unicodeScalars
    var previous: Unicode.Scalar?
    var index = scalars.startIndex
    while index < scalars.endIndex {
      let scalar = scalars[index]
      index = scalars.index(after: index)
      let next = index < scalars.endIndex ? scalars[index] : nil
      let isAllowed = !isInvisible(scalar) || isNeeded(scalar, between: previous, and: next)
      if isWanted(isAllowed, scalar) { return true }
      previous = scalar
    }
    return false
  }

  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7f { return scalar.value < 0x20 }
    switch scalar.value {
    // Separators of lines and paragraphs, an empty Braille cell, marks of annotations.
    case 0x2028, 0x2029, 0x2800, 0xfff9...0xfffb: return true
    default:
      return scalar.isControl
        || scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  /// Joiners of emoji and of scripts that are written with them; selectors after what they vary.
  private static func isNeeded(
    _ scalar: Unicode.Scalar, between previous: Unicode.Scalar?, and next: Unicode.Scalar?
  ) -> Bool {
    guard let previous else { return false }
    switch scalar.value {
    case 0x200c: return isJoining(previous) && next.map(isJoining) ?? false
    case 0x200d:
      guard let next else { return false }
      return isJoining(previous) && isJoining(next) || isEmoji(previous) && isEmoji(next)
    case 0xfe0e, 0xfe0f: return previous.properties.isEmoji
    case 0xfe00...0xfe02, 0xe0100...0xe01ef: return previous.properties.isIdeographic
    default: return false
    }
  }

  private static func isEmoji(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value == 0xfe0f || scalar.value > 0x7f && scalar.properties.isEmoji
  }

  /// Arabic, Syriac and N'Ko; the scripts of India.
  private static func isJoining(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x600...0x7ff, 0x8a0...0xdff: !isInvisible(scalar)
    default: false
    }
  }
}

extension Unicode.Scalar {
  /// Whether its general category is Cc: Unicode never adds to it, and to look up a category costs more
  /// than all else that is asked of a character.
  package var isControl: Bool { value < 0x20 || 0x7f...0x9f ~= value }
}
