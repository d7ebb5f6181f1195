package import JSON

/// What was decided about code; the raw value is what `code_snapshots.verdict` holds.
package enum Verdict: String, Sendable, Hashable, CaseIterable {
  case passed
  case failed
  /// Nothing could decide.
  case inconclusive
  /// Our own fault; can be tried again.
  case errored

  /// Whether it says anything of the code.
  package var isDecided: Bool { passed != nil }

  /// Nil where nothing was decided.
  package var passed: Bool? {
    switch self {
    case .passed: true
    case .failed: false
    case .inconclusive, .errored: nil
    }
  }
}

/// A verdict with what goes with it.
package struct Judgement: Sendable, Hashable {
  package var verdict: Verdict
  /// 0 to 1; nil where nothing was decided, so that it does not count as a score of 0.
  package var score: Double?
  package var feedback: String
  package var provenance: Provenance

  /// A score given with a verdict that decides nothing must be 0 (`validate`), and is dropped.
  package init(verdict: Verdict, score: Double?, feedback: String, provenance: Provenance) {
    self.verdict = verdict
    self.score = !verdict.isDecided && score == 0 ? nil : score
    self.feedback = feedback
    self.provenance = provenance
  }

  func validate() throws(DomainError) {
    var validation = Validation()
    switch score {
    case nil:
      if verdict.isDecided { validation.add("score", "must not be missing") }
    case .some(let score):
      if !verdict.isDecided {
        validation.add("score", "must be 0 where nothing was decided")
      } else if !(0...1).contains(score) {
        // NaN is in no range.
        validation.add("score", "must be 0 to 1")
      }
    }
    validation.text("feedback", feedback, maximum: CodeLimits.feedback)
    provenance.validate(&validation)
    try validation.check()
  }
}

/// Where a verdict comes from, so that it can be made again.
package struct Provenance: Sendable, Hashable {
  /// What only the server's own runs may call themselves.
  package static let sandboxSource = "sandbox"
  /// What the verdict of an instructor is called, and one by tests that the actor wrote, be it for
  /// themselves: it is worth the actor's word.
  package static let instructorSource = "instructor"

  package var source: String
  /// Who recorded the verdict.
  package var actorID: EntityID
  /// Versions by tool.
  package var toolVersions: [String: String]
  /// Limits by name, with units.
  package var limits: [String: String]
  /// For example `default@1`.
  package var policy: String

  package init(
    source: String, actorID: EntityID, toolVersions: [String: String] = [:],
    limits: [String: String] = [:], policy: String = ""
  ) {
    self.source = source
    self.actorID = actorID
    self.toolVersions = toolVersions
    self.limits = limits
    self.policy = policy
  }

  /// The instructor whose word it is; nil where a service, an admin or the server itself judged, whose
  /// word everybody takes.
  package var instructorID: EntityID? { source == Self.instructorSource ? actorID : nil }

  /// What the `code_snapshots.provenance` column holds. The hash of the code is a column of its own.
  package var json: JSONValue {
    .object([
      ("source", .string(source)),
      ("actor_id", .string(actorID.description)),
      ("tool_versions", Self.json(toolVersions)),
      ("limits", Self.json(limits)),
      ("policy", .string(policy)),
    ])
  }

  private static func json(_ table: [String: String]) -> JSONValue {
    .object(table.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
  }

  func validate(_ validation: inout Validation) {
    validation.text(
      "provenance.source", source, minimum: 1, maximum: CodeLimits.source, singleLine: true)
    validation.text(
      "provenance.policy", policy, maximum: CodeLimits.policy, singleLine: true)
    for (field, table) in [
      ("provenance.tool_versions", toolVersions), ("provenance.limits", limits),
    ] {
      if table.count > CodeLimits.provenanceEntries {
        validation.add(field, "has more than \(CodeLimits.provenanceEntries) entries")
        continue
      }
      for (name, value) in table.sorted(by: { $0.key < $1.key }) {
        validation.text(
          field, name, minimum: 1, maximum: CodeLimits.provenanceName, singleLine: true)
        validation.text(
          "\(field)[\(name.prefix(CodeLimits.provenanceName))]", value,
          maximum: CodeLimits.provenanceValue, singleLine: true)
      }
    }
  }
}
