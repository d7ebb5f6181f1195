import ArgumentParser
import DescriptorJSON
import Domain

/// Types of events on the command line.
enum EventTypeOption {
  static let kinds = Set(EventType.allCases.map { kind(of: $0.rawValue) })
    .union([ExternalEvent.kind]).sorted()
  static let names = EventType.allCases.map(\.rawValue) + kinds.map { "\($0).*" }

  /// Throws for the first that no event can have: who watches for it would wait for ever.
  static func check(_ types: [String]) throws {
    for type in types where !isKnown(type) {
      let near = NearNames.suggestions(for: type, among: names)
      let hint = near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
      throw ValidationError(
        "--type: no event is of type '\(TerminalText.clean(type, maximum: 60))'\(hint) The kinds are "
          + "\(kinds.joined(separator: ", ")): --type 'goal.*' wants all of one")
    }
  }

  private static func isKnown(_ type: String) -> Bool {
    names.contains(type) || ExternalEvent.isType(type)
  }

  private static func kind(of type: String) -> String {
    String(type.prefix { $0 != "." })
  }
}
