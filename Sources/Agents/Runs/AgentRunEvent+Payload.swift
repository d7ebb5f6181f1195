import Domain
package import JSON
import Retrieval

// Events as the log holds them. Members that the lake has columns for bear their names; the rest is
// what a run is resumed from.

extension AgentRunEvent {
  /// The payload of this event of `run`, which is as it is after the event.
  func payload(of run: AgentRun) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      ("id", .string(run.id.description)), ("agent", .string(run.kind.rawValue)),
      ("status", .string(run.status.rawValue)),
    ]
    if let node = node(of: run.kind) { members.append(("node", .string(node))) }
    switch self {
    case .started(let model):
      members += [
        ("caller_id", .string(run.callerID.description)), ("request", run.request.json),
        ("model", model.map(JSONValue.string) ?? .null),
      ]
    case .contextRetrieved(let context):
      members += [
        ("goals", .array(context.goals.map(\.json))),
        ("documents", .array(context.documents.map(\.json))),
        ("code", .array(context.code.map(\.json))),
      ]
    case .replied(let reply): members += reply.members
    case .modelFailed(let failure, let attempt):
      members += [("attempt", .integer(Int64(attempt))), ("failure", failure.json)]
    case .proposalChecked(let check): members += check.members
    case .proposalMade(let proposal): members.append(("proposal", proposal.json))
    case .goalStored(let stored):
      members += [
        ("goal_id", .string(stored.goalID.description)),
        ("task_ids", .array(stored.taskIDs.map { .string($0.description) })),
        ("proposal", stored.proposal.json),
      ]
    case .answered(let abstained): members.append(("abstained", .bool(abstained)))
    case .failed(let failure): members.append(("failure", failure.json))
    case .proposalRejected, .cancelled: break
    }
    return .object(members)
  }

  private func node(of kind: AgentKind) -> String? {
    switch self {
    case .contextRetrieved: AgentNode.retrieve.rawValue
    case .replied(let reply): AgentNode.writing(kind, attempt: reply.attempt).rawValue
    case .modelFailed(_, let attempt): AgentNode.writing(kind, attempt: attempt).rawValue
    case .proposalChecked: AgentNode.validate.rawValue
    case .goalStored: AgentNode.persist.rawValue
    case .answered: AgentNode.respond.rawValue
    case .started, .proposalMade, .proposalRejected, .failed, .cancelled: nil
    }
  }

  /// Reads an event of a run; nil for what no build of ours wrote.
  package init?(type: String, payload: JSONValue) {
    switch EventType(rawValue: type) {
    case .aiRunStarted: self = .started(model: payload["model"]?.stringValue)
    case .aiContextRetrieved:
      guard let goals = [RetrievedPassage](json: payload["goals"]),
        let documents = [RetrievedPassage](json: payload["documents"]),
        let code = [RetrievedPassage](json: payload["code"])
      else { return nil }
      self = .contextRetrieved(AgentContext(goals: goals, documents: documents, code: code))
    case .aiReplied:
      guard let reply = Reply(json: payload) else { return nil }
      self = .replied(reply)
    case .aiModelFailed:
      guard let failure = AgentFailure(json: payload["failure"]),
        let attempt = payload["attempt"]?.integerValue
      else { return nil }
      self = .modelFailed(failure, attempt: Int(clamping: attempt))
    case .aiProposalChecked:
      guard let check = Check(json: payload) else { return nil }
      self = .proposalChecked(check)
    case .aiProposalMade:
      guard let proposal = GoalProposal(stored: payload["proposal"]) else { return nil }
      self = .proposalMade(proposal)
    case .aiProposalRejected: self = .proposalRejected
    case .aiRunCompleted:
      if let abstained = payload["abstained"]?.boolValue {
        self = .answered(abstained: abstained)
      } else {
        guard let stored = StoredGoal(json: payload) else { return nil }
        self = .goalStored(stored)
      }
    case .aiRunFailed:
      guard let failure = AgentFailure(json: payload["failure"]) else { return nil }
      self = .failed(failure)
    case .aiRunCancelled: self = .cancelled
    default: return nil
    }
  }
}

extension AgentRunEvent.Reply {
  var members: [(key: String, value: JSONValue)] {
    [
      ("attempt", .integer(Int64(attempt))), ("text", .string(reply.text)),
      ("model", .string(reply.model)),
      ("prompt_tokens", .integer(Int64(reply.promptTokenCount))),
      ("completion_tokens", .integer(Int64(reply.replyTokenCount))),
      ("duration_ms", .number(Double(duration.microseconds) / 1000)),
    ]
  }

  init?(json: JSONValue) {
    guard let attempt = json["attempt"]?.integerValue, let text = json["text"]?.stringValue,
      let model = json["model"]?.stringValue,
      let promptTokens = json["prompt_tokens"]?.integerValue,
      let replyTokens = json["completion_tokens"]?.integerValue,
      let milliseconds = json["duration_ms"]?.doubleValue, milliseconds.magnitude < 1e12
    else { return nil }
    self.init(
      attempt: Int(clamping: attempt),
      reply: ModelReply(
        text: text, promptTokenCount: Int(clamping: promptTokens),
        replyTokenCount: Int(clamping: replyTokens), model: model),
      duration: .microseconds(Int64((milliseconds * 1000).rounded())))
  }
}

extension AgentRunEvent.Check {
  var members: [(key: String, value: JSONValue)] {
    [
      ("attempt", .integer(Int64(attempt))), ("planner", .string(planner.rawValue)),
      ("proposal", proposal?.json ?? .null), ("findings", .array(findings.map(\.json))),
    ]
  }

  init?(json: JSONValue) {
    guard let attempt = json["attempt"]?.integerValue,
      let planner = json["planner"]?.stringValue.flatMap(GoalProposal.Planner.init(rawValue:)),
      let proposal = json["proposal"],
      let findings = json["findings"]?.arrayValue?.compactMap(RuleViolation.init(json:))
    else { return nil }
    self.init(
      attempt: Int(clamping: attempt), planner: planner, proposal: GoalProposal(stored: proposal),
      findings: findings)
  }
}

extension AgentRunEvent.StoredGoal {
  init?(json: JSONValue) {
    guard let goalID = json["goal_id"]?.id,
      let taskIDs = json["task_ids"]?.arrayValue?.compactMap(\.id),
      let proposal = GoalProposal(stored: json["proposal"]), proposal.tasks.count == taskIDs.count
    else { return nil }
    self.init(goalID: goalID, taskIDs: taskIDs, proposal: proposal)
  }
}

extension GoalProposal {
  var json: JSONValue {
    .object([
      ("title", .string(title)), ("description", .string(description)),
      (
        "tasks",
        .array(
          tasks.map { task in
            .object([
              ("title", .string(task.title)), ("description", .string(task.description)),
              ("validation_criteria", .array(task.validationCriteria.map(JSONValue.string))),
            ])
          })
      ),
      ("validation_criteria", .array(validationCriteria.map(JSONValue.string))),
      ("ai_feedback", .string(aiFeedback)), ("planner", .string(planner.rawValue)),
    ])
  }

  /// Reads what `json` wrote; nil for anything else.
  init?(stored json: JSONValue?) {
    guard let json, let title = json["title"]?.stringValue,
      let description = json["description"]?.stringValue,
      let tasks = json["tasks"]?.arrayValue?.compactMap(Task.init(stored:)),
      let criteria = json["validation_criteria"]?.arrayValue?.compactMap(\.stringValue),
      let feedback = json["ai_feedback"]?.stringValue,
      let planner = json["planner"]?.stringValue.flatMap(Planner.init(rawValue:))
    else { return nil }
    self.init(
      title: title, description: description, tasks: tasks, validationCriteria: criteria,
      aiFeedback: feedback, planner: planner)
  }
}

extension GoalProposal.Task {
  fileprivate init?(stored json: JSONValue) {
    guard let title = json["title"]?.stringValue,
      let description = json["description"]?.stringValue,
      let criteria = json["validation_criteria"]?.arrayValue?.compactMap(\.stringValue)
    else { return nil }
    self.init(title: title, description: description, validationCriteria: criteria)
  }
}

extension RetrievedPassage {
  var json: JSONValue {
    .object([
      ("entity_type", .string(passage.kind.rawValue)),
      ("entity_id", .string(passage.entityID.description)),
      ("chunk_number", .integer(Int64(passage.chunkNumber))), ("title", .string(passage.title)),
      ("excerpt", .string(passage.content)), ("language", .string(passage.language)),
      ("document_path", .string(passage.documentPath)), ("anchor", .string(passage.anchor)),
      ("similarity", similarity.map(JSONValue.number) ?? .null), ("score", .number(score)),
      ("vector_rank", .integer(Int64(vectorRank))), ("text_rank", .integer(Int64(textRank))),
      (
        "attributes",
        .object(attributes.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
      ),
    ])
  }

  init?(json: JSONValue) {
    guard let kind = json["entity_type"]?.stringValue.flatMap(PassageKind.init(rawValue:)),
      let entityID = json["entity_id"]?.id,
      let chunkNumber = json["chunk_number"]?.integerValue,
      let title = json["title"]?.stringValue, let content = json["excerpt"]?.stringValue,
      case .object(let attributes)? = json["attributes"]
    else { return nil }
    self.init(
      passage: Passage(
        kind: kind, entityID: entityID, userID: EntityID(high: 0, low: 0),
        chunkNumber: Int32(clamping: chunkNumber), title: title, content: content,
        language: json["language"]?.stringValue ?? "",
        documentPath: json["document_path"]?.stringValue ?? "",
        anchor: json["anchor"]?.stringValue ?? ""),
      similarity: json["similarity"]?.doubleValue, score: json["score"]?.doubleValue ?? 0,
      vectorRank: Int(clamping: json["vector_rank"]?.integerValue ?? 0),
      textRank: Int(clamping: json["text_rank"]?.integerValue ?? 0),
      attributes: Dictionary(attributes.map { ($0.key, $0.value.stringValue ?? "") }) { $1 })
  }
}

extension [RetrievedPassage] {
  fileprivate init?(json: JSONValue?) {
    guard let values = json?.arrayValue else { return nil }
    self = values.compactMap(RetrievedPassage.init(json:))
    if count != values.count { return nil }
  }
}
