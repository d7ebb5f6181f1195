/// The sources that a text may cite, as `[D1]` or `[G1, C2]`.
struct Citations: Sendable {
  private static let byteCountMax = 40

  private let labels: Set<String>

  init(labels: [String]) { self.labels = Set(labels) }

  /// The text without citations of anything else.
  func kept(in text: String) -> String {
    var output = ""
    var rest = Substring(text)
    while let open = rest.firstIndex(of: "[") {
      output += rest[..<open]
      rest = rest[rest.index(after: open)...]
      guard let close = rest.firstIndex(where: { $0 == "]" || $0 == "[" }), rest[close] == "]",
        let names = Self.names(in: rest[..<close])
      else {
        output += "["
        continue
      }
      rest = rest[rest.index(after: close)...]
      let known = names.filter(labels.contains)
      if !known.isEmpty {
        output += "[\(known.joined(separator: ", "))]"
      } else if output.last == " " {
        output.removeLast()
      }
    }
    return output + rest
  }

  /// The labels in brackets; nil where there is anything else.
  private static func names(in text: Substring) -> [String]? {
    guard text.utf8.count <= byteCountMax else { return nil }
    let names = text.split { $0 == "," || $0 == ";" || $0 == " " }.map { $0.uppercased() }
    let areLabels = names.allSatisfy { name in
      let number = name.dropFirst()
      return "GDC".contains(name.prefix(1)) && (1...3).contains(number.utf8.count)
        && number.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    return names.isEmpty || !areLabels ? nil : names
  }
}
