/// Which language a text is written in, as far as Spanish and English are concerned: by its small
/// words, the commonest words of learning, and its letters. Code in it counts for nothing.
package enum LanguageGuess {
  /// What is neither Spanish nor English.
  package static let other = "other"

  /// What is looked at, in scalars: a language does not change that late.
  static let scalarCountMax = 20_000

  /// A weight below this tells nothing.
  private static let weightMin = 1.0

  /// `es`, `en` or `other`; nil where the text is too short to tell, or as much the one as the
  /// other. The confidence is 0 to 1: the lead over the second, lowered where the evidence is thin.
  package static func language(of text: String) -> (language: String?, confidence: Double) {
    let prose = Prose.withoutCode(TextHygiene.clean(text, scalarCountMax: scalarCountMax).text)
    // What a text quotes may be of another language; it is asked where nothing else tells.
    let own = verdict(on: Prose.withoutQuotations(prose))
    return own.language == nil ? verdict(on: prose) : own
  }

  private static func verdict(on prose: String) -> (language: String?, confidence: Double) {
    var evidence = Evidence()
    evidence.count(letters: prose)
    for word in Words.all(in: prose) { evidence.count(word) }
    return evidence.verdict(weightMin: weightMin)
  }

  private struct Evidence {
    var spanish = 0.0
    var english = 0.0
    var other = 0.0
    var latinCount = 0
    var foreignCount = 0

    mutating func count(letters text: String) {
      for scalar in text.unicodeScalars where scalar.properties.isAlphabetic {
        switch scalar.value {
        // Letters of Spanish alone; ñ weighs like a word.
        case 0xf1, 0xd1: spanish += 1
        case 0xe1, 0xe9, 0xed, 0xf3, 0xfa, 0xc1, 0xc9, 0xcd, 0xd3, 0xda: spanish += 0.4
        // ã, õ, ç, ê, è, à, ù, ä, ö, ß
        case 0xe3, 0xf5, 0xe7, 0xea, 0xe8, 0xe0, 0xf9, 0xe4, 0xf6, 0xdf: other += 0.8
        default: break
        }
        if scalar.value < 0x250 { latinCount += 1 } else { foreignCount += 1 }
      }
      for scalar in text.unicodeScalars where scalar == "¿" || scalar == "¡" { spanish += 1 }
    }

    mutating func count(_ word: Words.Word) {
      if word.isIdentifier || word.isCapitalized && !word.isFirst { return countName(word.text) }
      let text = word.text
      if FunctionWords.spanish.contains(text) {
        spanish += 1
      } else if FunctionWords.english.contains(text) {
        english += 1
      } else if FunctionWords.others.contains(text) {
        other += 1
      } else if FunctionWords.spanishContent.contains(text) {
        spanish += 1
      } else if FunctionWords.englishContent.contains(text) {
        english += 1
      } else {
        countShape(text)
      }
    }

    /// Names tell nothing, except small words in a title that capitalises all.
    private mutating func countName(_ text: String) {
      if FunctionWords.spanish.contains(text) { spanish += 0.3 }
      if FunctionWords.english.contains(text) { english += 0.3 }
    }

    /// How words end, and pairs of letters that the other language does not have.
    private mutating func countShape(_ text: String) {
      let count = text.utf8.count
      guard count >= 5 else { return }
      if LanguageGuess.spanishEndings.contains(where: text.hasSuffix) { spanish += 0.5 }
      if LanguageGuess.englishEndings.contains(where: text.hasSuffix) { english += 0.5 }
    }

    func verdict(weightMin: Double) -> (language: String?, confidence: Double) {
      if foreignCount > latinCount, foreignCount >= 4 { return (LanguageGuess.other, 1) }
      let ranked = [("es", spanish), ("en", english), (LanguageGuess.other, other)]
        .sorted { $0.1 > $1.1 }
      let (first, second) = (ranked[0].1, ranked[1].1)
      guard first >= weightMin, first > second else { return (nil, 0) }
      let lead = (first - second) / (first + second)
      let confidence = lead * min(1, 0.4 + first * 0.2)
      return lead < 0.15 ? (nil, confidence) : (ranked[0].0, confidence)
    }
  }

  private static let spanishEndings = [
    "cion", "ciones", "mente", "dad", "dades", "ando", "iendo", "ado", "ada", "ados", "adas", "ido",
    "idos", "arlo", "erlo", "irlo", "arla", "arlos", "arse", "miento", "anza", "illo", "aje",
    "emos", "amos", "izar", "ficar",
  ]
  private static let englishEndings = [
    "ing", "tion", "tions", "ness", "ment", "ments", "ght", "ould", "ally", "ously", "ful", "less",
    "ship", "ity", "ized", "ised", "ough", "ies", "ists", "wards",
  ]
}
