import Domain

/// A node of an agent's graph; the raw value is what clients and the log see.
package enum AgentNode: String, Sendable, Hashable {
  case retrieve
  case generate
  case validate
  case repair
  case persist
  case respond
  case review
  case advise

  /// The node that writes, by model or by plan.
  static func writing(_ kind: AgentKind, attempt: Int) -> AgentNode {
    switch kind {
    case .goal: attempt > 1 ? .repair : .generate
    case .feedback: .review
    case .advice: .advise
    }
  }
}
