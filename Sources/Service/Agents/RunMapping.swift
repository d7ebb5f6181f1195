internal import Agents
internal import Contract
internal import Domain
internal import Retrieval

extension Retrieval.AgentContext {
  /// In the order in which prompts number them: goals, documents, code.
  var citations: [Citation] { bounded.all.map(Citation.init) }
}

extension ContractFindings {
  init(_ check: AgentRunEvent.Check) {
    self.init(
      attempt: Int32(clamping: check.attempt),
      findings: check.findings.map {
        Contract.ContractFinding(rule: $0.rule, field: $0.field, description: $0.description)
      })
  }
}

extension Contract.GoalProposal {
  init(_ proposal: Agents.GoalProposal, _ citations: [Citation]) {
    self.init(
      title: proposal.title, description: proposal.description,
      tasks: proposal.tasks.map {
        NewTask(
          title: $0.title, description: $0.description, validationCriteria: $0.validationCriteria)
      }, validationCriteria: proposal.validationCriteria, aiFeedback: proposal.aiFeedback,
      citations: citations, planner: proposal.planner.rawValue)
  }
}

extension Agents.GoalProposal {
  /// This proposal with the texts that a learner sent back. Who planned it, and what they said of
  /// it, is not the learner's to write.
  func edited(_ message: Contract.GoalProposal) -> Agents.GoalProposal {
    Agents.GoalProposal(
      title: message.title, description: message.description,
      tasks: message.tasks.map {
        Task(
          title: $0.title, description: $0.description, validationCriteria: $0.validationCriteria)
      }, validationCriteria: message.validationCriteria, aiFeedback: aiFeedback, planner: planner)
  }
}

extension GeneratedGoal {
  init(
    _ stored: AgentRunEvent.StoredGoal, of run: AgentRun, at time: Domain.Timestamp,
    _ citations: [Citation], receipt: WriteReceipt
  ) {
    self.init(
      goal: Contract.Goal(stored.goal(of: run, at: time)),
      tasks: stored.tasks(of: run, at: time).map(GoalTask.init), citations: citations,
      planner: stored.proposal.planner.rawValue,
      receipt: receipt)
  }
}

extension GenerateGoalResponse: RunResponse {
  init?(runID: String, cursor: String, step: RunStep) {
    let shown: Step
    switch step {
    case .nodeStarted(let node): shown = .nodeStarted(node)
    case .context(let citations): shown = .context(Contract.AgentContext(citations: citations))
    case .token(let text): shown = .token(AgentToken(text: text))
    case .findings(let findings): shown = .findings(findings)
    case .proposal(let proposal): shown = .proposal(proposal)
    case .stored(let goal): shown = .result(goal)
    case .answered: return nil
    }
    self.init(runId: runID, cursor: cursor, step: shown)
  }
}

extension GetFeedbackResponse: RunResponse {
  init?(runID: String, cursor: String, step: RunStep) {
    let shown: Step
    switch step {
    case .nodeStarted(let node): shown = .nodeStarted(node)
    case .context(let citations): shown = .context(Contract.AgentContext(citations: citations))
    case .token(let text): shown = .token(AgentToken(text: text))
    case .answered(let text, let citations, _):
      shown = .result(FeedbackResult(text: text, citations: citations))
    case .findings, .proposal, .stored: return nil
    }
    self.init(runId: runID, step: shown)
  }
}

extension AdviseResponse: RunResponse {
  init?(runID: String, cursor: String, step: RunStep) {
    let shown: Step
    switch step {
    case .nodeStarted(let node): shown = .nodeStarted(node)
    case .context(let citations): shown = .context(Contract.AgentContext(citations: citations))
    case .token(let text): shown = .token(AgentToken(text: text))
    case .answered(let text, let citations, let abstained):
      shown = .result(AdviceResult(text: text, citations: citations, abstained: abstained))
    case .findings, .proposal, .stored: return nil
    }
    self.init(runId: runID, step: shown)
  }
}
