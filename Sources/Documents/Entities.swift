import CLibXML2

/// Character references: `&eacute;`, `&#233;`, `&#xe9;`.
enum Entities {
  /// The text of one reference; the reference itself where it names nothing.
  static func text(of reference: String) -> String {
    let name = reference.dropFirst().dropLast()
    guard reference.utf8.count <= 64, reference.first == "&", reference.last == ";",
      let scalar = scalar(String(name))
    else { return reference }
    return String(Character(scalar))
  }

  private static func scalar(_ name: String) -> Unicode.Scalar? {
    guard name.hasPrefix("#") else {
      return Unicode.Scalar(hito_html_entity(name)).flatMap { $0.value == 0 ? nil : $0 }
    }
    let digits = name.dropFirst()
    let isHexadecimal = digits.first == "x" || digits.first == "X"
    let value = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
    // A NUL is what no text of ours may contain.
    return value.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
  }
}
