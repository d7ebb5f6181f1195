package import Retrieval

extension Prompts {
  /// What each source is cited by, in the order of `AgentContext.all`: `G1`, `G2`, `D1`, `C1`…
  package static func labels(of context: AgentContext) -> [String] {
    label("G", context.goals) + label("D", context.documents) + label("C", context.code)
  }

  private static func label(_ letter: String, _ passages: [RetrievedPassage]) -> [String] {
    passages.indices.map { "\(letter)\($0 + 1)" }
  }

  /// The sources in sections of their own: the best of each kind first, until there is no more room.
  func sources(_ context: AgentContext) -> String {
    let kinds = [
      ("G", "goal", context.goals), ("D", "document", context.documents),
      ("C", "validated_code", context.code),
    ]
    var room = limits.sources
    var sections: [(kind: Int, text: String)] = []
    for index in 0..<limits.sourceCount {
      for (kind, entry) in kinds.enumerated() where index < entry.2.count {
        let label = "\(entry.0)\(index + 1)"
        guard room >= Prompts.sourceRoomMin else { break }
        let body = body(of: entry.2[index], scalarCountMax: min(limits.source, room))
        room -= body.unicodeScalars.count
        let section =
          "[\(label)]\n"
          + fence.enclose(body, label: entry.1, scalarCountMax: limits.source + 600)
        sections.append((kind, section))
      }
    }
    guard !sections.isEmpty else { return Instructions.nothingFound(language) }
    return sections.enumerated()
      .sorted { ($0.element.kind, $0.offset) < ($1.element.kind, $1.offset) }
      .map(\.element.text).joined(separator: "\n\n")
  }

  /// Less than this of a source tells nothing.
  private static let sourceRoomMin = 80

  private func body(of found: RetrievedPassage, scalarCountMax: Int) -> String {
    let passage = found.passage
    var lines = ["title: \(TextHygiene.cleanLine(passage.title, scalarCountMax: 200))"]
    if let similarity = found.similarity {
      lines.append("similarity: \(Prompts.hundredths(similarity))")
    }
    let path = TextHygiene.cleanLine(passage.documentPath, scalarCountMax: 200)
    if !path.isEmpty {
      let anchor = TextHygiene.cleanLine(passage.anchor, scalarCountMax: 100)
      lines.append("place: \(path)\(anchor.isEmpty ? "" : "#" + anchor)")
    }
    let content = TextHygiene.clean(passage.content, scalarCountMax: scalarCountMax)
    lines.append(content.isCut ? content.text + " […]" : content.text)
    return lines.joined(separator: "\n")
  }

  /// Two decimals, without a library; 0 for what is not a number.
  static func hundredths(_ value: Double) -> String {
    guard value.isFinite else { return "0.00" }
    let scaled = Int((max(-100, min(100, value)) * 100).rounded())
    let digits = String(scaled.magnitude % 100)
    let sign = scaled < 0 ? "-" : ""
    return "\(sign)\(scaled.magnitude / 100).\(digits.utf8.count < 2 ? "0" : "")\(digits)"
  }
}
