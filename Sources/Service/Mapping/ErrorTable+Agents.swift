internal import Agents
internal import Contract
internal import Domain
internal import RPC

extension ErrorTable {
  /// The longest wait that a caller is told.
  private static let retryDelayMax = Duration.seconds(30 * 86_400)
  private static let retryDelayDefault = Duration.seconds(1)

  /// The texts are fixed: those of models and providers quote prompts, keys and addresses.
  static func rpcError(_ failure: AgentFailure) -> RPCError {
    let later = [UInt8].encoded(
      ErrorDetails(retryDelayUs: micros(failure.retryAfter ?? retryDelayDefault)))
    switch failure.reason {
    case .noModel:
      return RPCError(
        .unavailable, "no language model is configured, and this cannot be done without one",
        details: .encoded(ErrorDetails(reason: .noModel)))
    case .modelUnavailable:
      return RPCError(
        .unavailable, "the language model cannot be reached right now", details: later)
    case .rateLimited:
      return RPCError(
        .unavailable, "the language model has too much to do right now", details: later)
    case .quotaExceeded: return quota(failure)
    case .promptTooLong:
      return RPCError(
        .resourceExhausted, "the request is longer than the language model reads: send less",
        details: .encoded(ErrorDetails(reason: .limitReached)))
    case .replyCut, .replyInvalid:
      return RPCError(
        .unavailable, "the language model's reply could not be used", details: later)
    case .refused:
      return RPCError(
        .failedPrecondition, "the provider of the language model refuses the request")
    case .timedOut:
      return RPCError(
        .deadlineExceeded, "the language model took longer than it may", details: later)
    case .contractBroken: return broken(failure.findings)
    case .retrievalFailed:
      return RPCError(.unavailable, "context cannot be retrieved right now", details: later)
    case .subjectGone:
      return RPCError(
        .failedPrecondition,
        "the learner or the course is not what it was when the run began: begin anew")
    case .interrupted:
      return RPCError(
        .unavailable, "the server that ran it went away: call again", details: later)
    }
  }

  private static func quota(_ failure: AgentFailure) -> RPCError {
    RPCError(
      .resourceExhausted, "the caller's budget of the language model is used up",
      details: .encoded(
        ErrorDetails(
          reason: .quota, retryDelayUs: failure.retryAfter.map(micros) ?? 0,
          quota: QuotaInfo(subject: failure.subject, maximum: failure.maximum))))
  }

  private static func broken(_ findings: [Agents.RuleViolation]) -> RPCError {
    var rules: [String] = []
    for finding in findings where !rules.contains(finding.rule) { rules.append(finding.rule) }
    let text =
      switch rules {
      case [AgentFailure.tooThinRule]:
        "\(AgentFailure.tooThinRule): there is nothing to plan from, and no language model: name the "
          + "steps in the prompt, enrol in a course, or complete a goal that is close"
      case ["goal_duplicate"]:
        "no proposal held the contract: goal_duplicate: the learner has an open goal that is the same"
      default: "no proposal held the contract: \(rules.joined(separator: ", "))"
      }
    return RPCError(
      .failedPrecondition, text,
      details: .encoded(
        ErrorDetails(
          fieldViolations: findings.map {
            Contract.FieldViolation(field: $0.field, description: "\($0.rule): \($0.description)")
          })))
  }

  static func micros(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = min(max(duration, .zero), retryDelayMax).components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
