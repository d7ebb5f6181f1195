/// How many tokens a text has at most, near enough, for a tokenizer of word pieces that knows many
/// languages: no model is asked, because what a chunk is must not change with the model.
///
/// A line break is a token, and so are eight blanks in a row: a text of white space alone is bounded
/// as well. The tokens of lines and words add up to those of the whole.
package enum TokenEstimate {
  /// Letters of one piece. Measured pieces of Spanish and English prose have 4 to 5.
  private static let lettersPerToken = 4
  private static let digitsPerToken = 2
  private static let blanksPerToken = 8

  package static func count(_ text: String) -> Int {
    var count = 0
    var letters = 0
    var digits = 0
    var blanks = 0
    func pieces(_ length: Int, _ size: Int) -> Int { (length + size - 1) / size }
    for scalar in text.unicodeScalars {
      if scalar == " " || scalar == "\t" {
        blanks += 1
        if blanks % blanksPerToken == 0 { count += 1 }
      } else {
        blanks = 0
      }
      let isLatin = scalar.value < 0x250
      if isLatin, scalar.properties.isAlphabetic {
        count += pieces(digits, digitsPerToken)
        digits = 0
        letters += 1
        continue
      }
      if (0x30...0x39).contains(scalar.value) {
        count += pieces(letters, lettersPerToken)
        letters = 0
        digits += 1
        continue
      }
      count += pieces(letters, lettersPerToken) + pieces(digits, digitsPerToken)
      (letters, digits) = (0, 0)
      // Everything else, signs and other scripts, is a token of its own.
      if scalar != " ", scalar != "\t" { count += 1 }
    }
    return count + pieces(letters, lettersPerToken) + pieces(digits, digitsPerToken)
  }
}
