/// Words of a text as rules and comparisons see them.
enum Words {
  /// A word, folded, and where it stood.
  struct Word {
    var text: String
    /// It begins with a capital letter.
    var isCapitalized: Bool
    /// Digits, underscores, or capitals after small letters: the name of something in code.
    var isIdentifier: Bool
    /// The first of a sentence, of a line or of the text.
    var isFirst: Bool
  }

  /// Lower case, without accents, in order. Everything that is not a letter, digit or underscore
  /// separates.
  static func folded(_ text: String) -> [String] {
    all(in: text).map(\.text)
  }

  static func all(in text: String) -> [Word] {
    var words: [Word] = []
    var current: [Unicode.Scalar] = []
    var isFirst = true
    func finish() {
      guard !current.isEmpty else { return }
      words.append(word(current, isFirst: isFirst))
      current.removeAll(keepingCapacity: true)
      isFirst = false
    }
    for scalar in text.unicodeScalars {
      if scalar.isWordPart || scalar.isMark {
        current.append(scalar)
        continue
      }
      finish()
      if scalar == "." || scalar == "\n" || scalar == "!" || scalar == "?" || scalar == ":" {
        isFirst = true
      }
    }
    finish()
    return words
  }

  private static func word(_ scalars: [Unicode.Scalar], isFirst: Bool) -> Word {
    // Not a view of scalars: one that takes a collection copies all that it has, each time.
    var text = ""
    for scalar in scalars where !scalar.isMark { text += scalar.foldedLetter }
    let isMixed =
      scalars.contains { $0.properties.isLowercase }
      && scalars.dropFirst().contains { $0.properties.isUppercase }
    let isIdentifier =
      isMixed || scalars.contains { $0 == "_" || ("0"..."9").contains($0) }
    return Word(
      text: text, isCapitalized: scalars[0].properties.isUppercase,
      isIdentifier: isIdentifier, isFirst: isFirst)
  }

  /// The words that carry the meaning, each once. Where there is none but function words, those.
  static func significant(_ text: String) -> Set<String> {
    let words = folded(text)
    let significant = words.filter { !FunctionWords.all.contains($0) }
    return Set(significant.isEmpty ? words : significant)
  }
}

extension Unicode.Scalar {
  var isWordPart: Bool {
    if value < 0x80 {
      return ("a"..."z").contains(self) || ("A"..."Z").contains(self)
        || ("0"..."9").contains(self) || self == "_"
    }
    return properties.isAlphabetic || properties.numericType != nil
  }

  /// In lower case and without its accent, for the letters of the languages around us.
  var foldedLetter: String {
    if value < 0x80 { return String(Character(asciiLowercased)) }
    let lower = properties.lowercaseMapping
    guard let only = lower.unicodeScalars.first, lower.unicodeScalars.count == 1 else {
      return lower
    }
    return switch only.value {
    case 0xe0...0xe5, 0x101, 0x103, 0x105: "a"
    case 0xe7, 0x107, 0x10d: "c"
    case 0xe8...0xeb, 0x113, 0x119, 0x11b: "e"
    case 0xec...0xef, 0x12b: "i"
    case 0xf1, 0x144, 0x148: "n"
    case 0xf2...0xf6, 0xf8, 0x14d: "o"
    case 0xf9...0xfc, 0x16b, 0x16f: "u"
    case 0xfd, 0xff: "y"
    case 0x161, 0x15b: "s"
    case 0x17e, 0x17a, 0x17c: "z"
    default: lower
    }
  }
}
