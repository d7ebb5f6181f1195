package import Domain
import JSON

/// Why a run failed, or a model did. Holds no text of a provider.
package struct AgentFailure: Error, Sendable, Hashable {
  package enum Reason: String, Sendable, Hashable, CaseIterable {
    /// No model is configured, and this cannot be done without one.
    case noModel = "no_model"
    case modelUnavailable = "model_unavailable"
    case rateLimited = "rate_limited"
    case quotaExceeded = "quota_exceeded"
    case promptTooLong = "prompt_too_long"
    case replyCut = "reply_cut"
    case replyInvalid = "reply_invalid"
    case refused
    case timedOut = "timed_out"
    /// No proposal held the contract; the findings say why.
    case contractBroken = "contract_broken"
    /// Retrieval did not answer.
    case retrievalFailed = "retrieval_failed"
    /// What the run works on is no longer there for the learner.
    case subjectGone = "subject_gone"
    /// The server that drove it went away, and no other server continued it.
    case interrupted
  }

  package var reason: Reason
  package var findings: [RuleViolation]
  /// Which quota, for `quotaExceeded`.
  package var subject: String
  package var maximum: Int64
  package var retryAfter: Duration?

  package init(
    _ reason: Reason, findings: [RuleViolation] = [], subject: String = "", maximum: Int64 = 0,
    retryAfter: Duration? = nil
  ) {
    self.reason = reason
    self.findings = findings
    self.subject = subject
    self.maximum = maximum
    self.retryAfter = retryAfter
  }

  /// What a model's error means for the run; nil where the caller went away.
  package init?(of error: LanguageModelError) {
    switch error {
    case .unavailable: self.init(.modelUnavailable)
    case .rateLimited(let retryAfter): self.init(.rateLimited, retryAfter: retryAfter)
    case .quotaExceeded(let subject, let maximum, let retryAfter):
      self.init(
        .quotaExceeded, subject: subject, maximum: maximum, retryAfter: retryAfter)
    case .promptTooLong: self.init(.promptTooLong)
    case .replyCut: self.init(.replyCut)
    case .replyInvalid: self.init(.replyInvalid)
    case .refused: self.init(.refused)
    case .timedOut: self.init(.timedOut)
    case .cancelled: return nil
    }
  }

  /// The rule of a plan that there is nothing for.
  package static let tooThinRule = "context_too_thin"

  /// There was nothing to plan from. What the learner does next may give something.
  package var isForLackOfContext: Bool {
    reason == .contractBroken && findings.contains { $0.rule == Self.tooThinRule }
  }

  /// Whether the same run may continue later, from where it failed.
  package var isTransient: Bool {
    if isForLackOfContext { return true }
    return switch reason {
    case .noModel, .modelUnavailable, .rateLimited, .quotaExceeded, .replyCut, .replyInvalid,
      .refused, .timedOut, .retrievalFailed, .interrupted:
      true
    case .promptTooLong, .contractBroken, .subjectGone: false
    }
  }
}

extension AgentFailure {
  var json: JSONValue {
    .object([
      ("reason", .string(reason.rawValue)), ("findings", .array(findings.map(\.json))),
      ("subject", .string(subject)), ("maximum", .integer(maximum)),
      ("retry_after_us", retryAfter.map { .integer($0.microseconds) } ?? .null),
    ])
  }

  init?(json: JSONValue?) {
    guard let json, let reason = json["reason"]?.stringValue.flatMap(Reason.init(rawValue:)),
      let findings = json["findings"]?.arrayValue?.compactMap(RuleViolation.init(json:))
    else { return nil }
    self.init(
      reason, findings: findings, subject: json["subject"]?.stringValue ?? "",
      maximum: json["maximum"]?.integerValue ?? 0,
      retryAfter: json["retry_after_us"]?.integerValue.map { .microseconds($0) })
  }
}

extension RuleViolation {
  var json: JSONValue {
    .object([
      ("rule", .string(rule)), ("field", .string(field)), ("description", .string(description)),
    ])
  }

  init?(json: JSONValue) {
    guard let rule = json["rule"]?.stringValue, let field = json["field"]?.stringValue,
      let description = json["description"]?.stringValue
    else { return nil }
    self.init(rule: rule, field: field, description: description)
  }
}

extension Duration {
  /// Whole microseconds, at the ends of what an Int64 holds.
  var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, sumOverflow) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return sumOverflow ? (seconds < 0 ? .min : .max) : sum
  }
}
