import Digits

/// Marks where text of unknown origin begins and ends inside a prompt. The delimiter is random and
/// of one run, so that no text that was written before can end its own section; one that names it
/// all the same, or looks like a marker, is made unlike one.
package struct DataFence: Sendable, Hashable {
  /// 32 hexadecimal digits.
  package let delimiter: String

  /// - Parameter random: fresh for each run, from a generator that nobody can foresee.
  package init(using random: inout some RandomNumberGenerator) {
    self.init(high: random.next(), low: random.next())
  }

  package init(high: UInt64, low: UInt64) {
    delimiter = Digits.hexadecimal(high) + Digits.hexadecimal(low)
  }

  /// The text between two markers, cleaned, and cut to `scalarCountMax` (which is then said).
  ///
  /// - Parameter label: our own words for what it is, `a-z_`.
  package func enclose(_ text: String, label: String, scalarCountMax: Int) -> String {
    let body = inert(text, scalarCountMax: scalarCountMax)
    return "<<DATA \(label) \(delimiter)>>\n\(body)\n<<END \(label) \(delimiter)>>"
  }

  /// The text as it may stand inside a section: clean, cut, without markers of ours and of models.
  package func inert(_ text: String, scalarCountMax: Int) -> String {
    let cleaned = TextHygiene.clean(text, scalarCountMax: scalarCountMax)
    let harmless = TemplateTokens.neutralised(
      withoutMarkers(replacingDelimiter(in: cleaned.text)))
    return cleaned.isCut ? harmless + " […]" : harmless
  }

  /// The same in one line.
  package func inertLine(_ text: String, scalarCountMax: Int) -> String {
    inert(
      TextHygiene.cleanLine(text, scalarCountMax: scalarCountMax), scalarCountMax: scalarCountMax)
  }

  /// Parentheses are not part of a delimiter: what replaces one completes no other.
  private func replacingDelimiter(in text: String) -> String {
    let pattern = Array(delimiter.unicodeScalars)
    let scalars = Array(text.unicodeScalars)
    guard scalars.count >= pattern.count else { return text }
    var output = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      let isMatch =
        index + pattern.count <= scalars.count
        && zip(pattern, scalars[index...]).allSatisfy { $0 == $1.asciiLowercased }
      if isMatch {
        for scalar in "(marker)".unicodeScalars { output.append(scalar) }
        index += pattern.count
      } else {
        output.append(scalars[index])
        index += 1
      }
    }
    return String(output)
  }

  /// A space inside whatever looks like the beginning of a section or its end.
  private func withoutMarkers(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var output = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      output.append(scalar)
      if scalar == "<", DataFence.isMarker(scalars[index...]) { output.append(" ") }
    }
    return String(output)
  }

  private static let openings = ["<<data", "<<end"].map { Array($0.unicodeScalars) }

  private static func isMarker(_ scalars: ArraySlice<Unicode.Scalar>) -> Bool {
    openings.contains { opening in
      scalars.count >= opening.count
        && zip(opening, scalars).allSatisfy { $0 == $1.asciiLowercased }
    }
  }

  /// Whether a text has a marker of any run's fence.
  static func isMarkerPresent(in text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    return scalars.indices.contains { scalars[$0] == "<" && isMarker(scalars[$0...]) }
  }
}
