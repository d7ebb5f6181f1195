import Domain

/// The kinds of event, each with files and a schema of its own.
package enum EventKind: String, Sendable, Hashable, CaseIterable, Codable {
  case user
  case course
  case goal
  case task
  case code
  case ai
  /// Events whose type names none of the others: those of other systems.
  case external

  /// The kind of an event type: the part before its dot.
  package init(eventType: String) {
    self = EventKind(rawValue: String(eventType.prefix { $0 != "." })) ?? .external
  }
}
