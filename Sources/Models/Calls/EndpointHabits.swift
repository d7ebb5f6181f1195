/// What an endpoint was found to do otherwise than the others.
package struct EndpointHabits: Sendable, Hashable {
  /// Parameters that it refuses.
  package var refused: Set<RequestParameter> = []
  /// Tokens of one text that it takes.
  package var tokenCountMax: Int?
  /// Texts of one request that it takes.
  package var textCountMax: Int?

  package init() {}

  mutating func add(_ other: EndpointHabits) {
    refused.formUnion(other.refused)
    tokenCountMax = [tokenCountMax, other.tokenCountMax].compactMap { $0 }.min()
    textCountMax = [textCountMax, other.textCountMax].compactMap { $0 }.min()
  }

  /// For people: `refuses seed and stream_options; takes 32 texts at once`.
  package var text: String {
    var parts: [String] = []
    if !refused.isEmpty {
      parts.append("refuses " + refused.map(\.rawValue).sorted().joined(separator: ", "))
    }
    if let tokenCountMax { parts.append("takes \(tokenCountMax) tokens of a text") }
    if let textCountMax { parts.append("takes \(textCountMax) texts at once") }
    return parts.joined(separator: "; ")
  }
}
