import Domain
package import JSON

/// Why a model's reply is not a proposal: findings of the rule `reply_shape`, to repair it by.
package struct ProposalReplyError: Error, Sendable, Hashable {
  package var findings: [RuleViolation]
}

extension GoalProposal {
  /// Entries that are read at all; what is above them breaks the contract anyhow.
  private static let entryCountMax = 50

  /// Reads what a model replied under `Prompts.goalSchema`. Members of other names are ignored,
  /// white space around texts is dropped; whether the proposal is any good, `ProposalRules` says.
  package init(reply json: JSONValue) throws(ProposalReplyError) {
    var reader = ReplyReader()
    guard case .object = json else {
      reader.add("proposal", "must be a JSON object")
      throw ProposalReplyError(findings: reader.findings)
    }
    let title = reader.text(json, "title", "title")
    let description = reader.text(json, "description", "description")
    let entries = reader.list(json, "tasks", "tasks")
    let tasks = entries.prefix(GoalProposal.entryCountMax).enumerated().map { index, entry in
      reader.task(entry, "tasks[\(index)]")
    }
    let criteria = reader.texts(json, "validation_criteria", "validation_criteria")
    let feedback = json["ai_feedback"] == nil ? "" : reader.text(json, "ai_feedback", "ai_feedback")
    guard reader.findings.isEmpty else {
      throw ProposalReplyError(
        findings: Array(reader.findings.prefix(ProposalRules.violationCountMax)))
    }
    self.init(
      title: title, description: description, tasks: tasks, validationCriteria: criteria,
      aiFeedback: feedback, planner: .model)
  }

  private struct ReplyReader {
    private(set) var findings: [RuleViolation] = []

    mutating func add(_ field: String, _ description: String) {
      findings.append(
        RuleViolation(rule: "reply_shape", field: field, description: description))
    }

    mutating func text(_ json: JSONValue, _ name: String, _ field: String) -> String {
      guard let value = json[name]?.stringValue else {
        add(field, "must be a string")
        return ""
      }
      return value.trimmed
    }

    mutating func list(_ json: JSONValue, _ name: String, _ field: String) -> [JSONValue] {
      guard case .array(let entries)? = json[name] else {
        add(field, "must be an array")
        return []
      }
      return entries
    }

    mutating func texts(_ json: JSONValue, _ name: String, _ field: String) -> [String] {
      let entries = list(json, name, field).prefix(GoalProposal.entryCountMax)
      return entries.enumerated().map { index, entry in
        guard let value = entry.stringValue else {
          add("\(field)[\(index)]", "must be a string")
          return ""
        }
        return value.trimmed
      }
    }

    mutating func task(_ json: JSONValue, _ field: String) -> GoalProposal.Task {
      guard case .object = json else {
        add(field, "must be an object")
        return GoalProposal.Task(title: "", description: "", validationCriteria: [])
      }
      return GoalProposal.Task(
        title: text(json, "title", "\(field).title"),
        description: json["description"] == nil
          ? "" : text(json, "description", "\(field).description"),
        validationCriteria: json["validation_criteria"] == nil
          ? [] : texts(json, "validation_criteria", "\(field).validation_criteria"))
    }
  }
}

extension String {
  /// Without white space at its ends.
  var trimmed: String {
    var scalars = Substring(self).unicodeScalars
    while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(Substring(scalars))
  }
}
