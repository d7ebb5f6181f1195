/// Gives each section of a document an anchor of its own: the author's, else one made from the
/// heading as GitHub makes them (lower case, blanks to hyphens, punctuation dropped).
struct AnchorMaker {
  static let lengthMax = 200

  private var taken: Set<String> = []
  /// How often an anchor was wanted already: where counting continues, so that a thousand equal
  /// headings take a thousand steps.
  private var counts: [String: Int] = [:]

  mutating func anchor(given: String, heading: String) -> String {
    var wanted = given.isEmpty ? Self.slug(heading) : given
    if wanted.isEmpty { wanted = "section" }
    if taken.insert(wanted).inserted { return wanted }
    var number = counts[wanted, default: 0]
    while true {
      number += 1
      let candidate = "\(wanted)-\(number)"
      if taken.insert(candidate).inserted {
        counts[wanted] = number
        return candidate
      }
    }
  }

  private static func slug(_ heading: String) -> String {
    var slug = ""
    for scalar in heading.lowercased().unicodeScalars.prefix(lengthMax) {
      if scalar == " " || scalar == "-" {
        slug.append("-")
      } else if scalar == "_" || scalar.properties.isAlphabetic
        || scalar.properties.numericType != nil
        || scalar.properties.generalCategory == .nonspacingMark
      {
        slug.unicodeScalars.append(scalar)
      }
    }
    return slug
  }

  /// Takes the author's anchor off a heading: `Primeros pasos { #first-steps }`; classes as well.
  ///
  /// - Returns: the heading as it was, and an empty anchor, where there is none.
  static func split(_ heading: String) -> (title: String, anchor: String) {
    let text = heading.trimmed
    guard text.last == "}", let brace = text.lastIndex(of: "{") else { return (heading, "") }
    let inside = text[text.index(after: brace)...].dropLast().drop { $0 == ":" }
    let words = inside.split(separator: " ")
    let name = words.first { $0.first == "#" }?.dropFirst() ?? ""
    let areClasses =
      !words.isEmpty && words.allSatisfy { $0.first == "." && isAnchor($0.dropFirst()) }
    guard isAnchor(name) || areClasses else { return (heading, "") }
    return (String(text[..<brace]).trimmed, String(name))
  }

  /// Whether a text can stand in a link after `#` as it is.
  static func isAnchor(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= lengthMax
      && text.unicodeScalars.allSatisfy { scalar in
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || scalar == "-" || scalar == "_" || scalar == "." || scalar == ":"
      }
  }
}
