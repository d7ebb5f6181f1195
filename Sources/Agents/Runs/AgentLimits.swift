/// The maxima of runs.
package enum AgentLimits {
  /// Characters of a prompt or a question.
  package static let prompt = 4000
  /// Characters of a passage as an agent uses and cites it.
  package static let excerpt = 2000
  /// Passages of one kind.
  package static let passages = 6
  /// Characters of the name or value of one of a passage's attributes.
  package static let attribute = 200
  /// Replies to one request: the first and two repairs.
  package static let attempts = 3
  /// Characters of a reply that are kept.
  package static let reply = 64_000
  /// Findings that are kept of one check, and the characters of each.
  package static let findings = 50
  package static let finding = 500
  /// How often a run may be taken over before it counts as what ends its servers.
  package static let takeovers: Int32 = 5
  /// Events of one run: what starts one again and again ends there.
  package static let events: Int64 = 500
}
