package import Domain
package import Retrieval

/// What happened in a run: each finished node, and how the run ended. The events of a run are its
/// trace and its checkpoint: `AgentRunMachine` folds them into what comes next.
package enum AgentRunEvent: Sendable, Hashable {
  /// A model's whole reply.
  package struct Reply: Sendable, Hashable {
    /// From 1; more where it is a repair.
    package var attempt: Int
    package var reply: ModelReply
    package var duration: Duration

    package init(attempt: Int, reply: ModelReply, duration: Duration) {
      self.attempt = attempt
      self.reply = reply
      self.duration = duration
    }
  }

  /// What the contract says of one proposal.
  package struct Check: Sendable, Hashable {
    package var attempt: Int
    package var planner: GoalProposal.Planner
    /// Nil where there was nothing that could be read as one.
    package var proposal: GoalProposal?
    /// None: the proposal holds.
    package var findings: [RuleViolation]

    package init(
      attempt: Int, planner: GoalProposal.Planner, proposal: GoalProposal?,
      findings: [RuleViolation]
    ) {
      self.attempt = attempt
      self.planner = planner
      self.proposal = proposal
      self.findings = findings
    }
  }

  /// A stored goal, with all that its reply is made of.
  package struct StoredGoal: Sendable, Hashable {
    package var goalID: EntityID
    /// In the order of the proposal's tasks.
    package var taskIDs: [EntityID]
    /// As it was stored: the learner may have edited it.
    package var proposal: GoalProposal

    package init(goalID: EntityID, taskIDs: [EntityID], proposal: GoalProposal) {
      self.goalID = goalID
      self.taskIDs = taskIDs
      self.proposal = proposal
    }
  }

  /// The run began, or continues after it was cancelled or failed for a time. `model` is the name
  /// of the one it is going to ask; nil where there is none.
  case started(model: String?)
  case contextRetrieved(AgentContext)
  case replied(Reply)
  case modelFailed(AgentFailure, attempt: Int)
  case proposalChecked(Check)
  /// The proposal waits for approval.
  case proposalMade(GoalProposal)
  case proposalRejected
  case goalStored(StoredGoal)
  /// The text of the last reply is the answer; or, when abstained, there is none.
  case answered(abstained: Bool)
  case failed(AgentFailure)
  case cancelled

  package var type: EventType {
    switch self {
    case .started: .aiRunStarted
    case .contextRetrieved: .aiContextRetrieved
    case .replied: .aiReplied
    case .modelFailed: .aiModelFailed
    case .proposalChecked: .aiProposalChecked
    case .proposalMade: .aiProposalMade
    case .proposalRejected: .aiProposalRejected
    case .goalStored, .answered: .aiRunCompleted
    case .failed: .aiRunFailed
    case .cancelled: .aiRunCancelled
    }
  }

  /// What the run is from then on; nil where that does not change.
  var status: AgentRunStatus? {
    switch self {
    case .started: .running
    case .contextRetrieved, .replied, .modelFailed, .proposalChecked: nil
    case .proposalMade: .awaitingApproval
    case .proposalRejected: .rejected
    case .goalStored, .answered: .completed
    case .failed: .failed
    case .cancelled: .cancelled
    }
  }
}

extension AgentRunEvent {
  /// The same event, as small and clean as the log takes it: what is applied before it is stored is
  /// what is read later.
  package var bounded: AgentRunEvent {
    switch self {
    case .contextRetrieved(let context):
      return .contextRetrieved(context.bounded)
    case .replied(var reply):
      reply.reply.text = reply.reply.text.bounded(AgentLimits.reply)
      reply.reply.model = reply.reply.model.bounded(AgentLimits.finding)
      return .replied(reply)
    case .modelFailed(let failure, let attempt):
      return .modelFailed(failure.bounded, attempt: attempt)
    case .proposalChecked(var check):
      check.proposal = check.proposal?.bounded
      check.findings = check.findings.bounded
      return .proposalChecked(check)
    case .proposalMade(let proposal): return .proposalMade(proposal.bounded)
    case .goalStored(var stored):
      stored.proposal = stored.proposal.bounded
      return .goalStored(stored)
    case .failed(let failure): return .failed(failure.bounded)
    case .started(let model): return .started(model: model?.bounded(AgentLimits.finding))
    case .proposalRejected, .answered, .cancelled: return self
    }
  }
}

extension String {
  /// At most `count` scalars, without NUL, which no column takes.
  func bounded(_ count: Int) -> String {
    // A text of fewer bytes needs no counting, and one without NUL no copying.
    if utf8.count <= count, !utf8.contains(0) { return self }
    var output = ""
    for scalar in unicodeScalars.prefix(count) {
      output.unicodeScalars.append(scalar == "\0" ? "\u{fffd}" : scalar)
    }
    return output
  }
}

extension [RuleViolation] {
  var bounded: [RuleViolation] {
    prefix(AgentLimits.findings).map { finding in
      RuleViolation(
        rule: finding.rule.bounded(AgentLimits.finding),
        field: finding.field.bounded(AgentLimits.finding),
        description: finding.description.bounded(AgentLimits.finding))
    }
  }
}

extension AgentFailure {
  var bounded: AgentFailure {
    var copy = self
    copy.findings = findings.bounded
    copy.subject = subject.bounded(AgentLimits.finding)
    return copy
  }
}

extension AgentContext {
  /// What agents use: few passages, of each no more than is cited, and not whose it is: examples do
  /// not name their authors.
  package var bounded: AgentContext {
    func cut(_ passages: [RetrievedPassage]) -> [RetrievedPassage] {
      passages.prefix(AgentLimits.passages).map { found in
        var copy = found
        copy.passage.userID = EntityID(high: 0, low: 0)
        copy.passage.title = copy.passage.title.bounded(AgentLimits.finding)
        copy.passage.content = copy.passage.content.bounded(AgentLimits.excerpt)
        copy.passage.documentPath = copy.passage.documentPath.bounded(AgentLimits.finding)
        copy.passage.anchor = copy.passage.anchor.bounded(AgentLimits.finding)
        copy.passage.language = copy.passage.language.bounded(AgentLimits.finding)
        copy.attributes = [:]
        for (name, value) in found.attributes.sorted(by: { $0.key < $1.key }).prefix(10) {
          copy.attributes[name.bounded(AgentLimits.attribute)] =
            value.bounded(AgentLimits.attribute)
        }
        return copy
      }
    }
    return AgentContext(goals: cut(goals), documents: cut(documents), code: cut(code))
  }
}

extension GoalProposal {
  /// No more than can break the contract: what is over it is found as well in less.
  var bounded: GoalProposal {
    func cut(_ criteria: [String]) -> [String] {
      criteria.prefix(GoalLimits.criteria + 1).map { $0.bounded(GoalLimits.criterion + 1) }
    }
    var copy = self
    copy.title = title.bounded(GoalLimits.title + 1)
    copy.description = description.bounded(GoalLimits.description + 1)
    copy.aiFeedback = aiFeedback.bounded(GoalLimits.description + 1)
    copy.validationCriteria = cut(validationCriteria)
    // Far more than the contract allows, so that the count is found too high.
    copy.tasks = tasks.prefix(20).map { task in
      Task(
        title: task.title.bounded(GoalLimits.title + 1),
        description: task.description.bounded(GoalLimits.description + 1),
        validationCriteria: cut(task.validationCriteria))
    }
    return copy
  }
}
