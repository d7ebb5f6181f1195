package import Domain
package import Retrieval

/// The graphs of the agents: what comes next in a run, folded from its events.
///
///     goal      retrieve ─▶ generate ─▶ validate ─▶ (repair ─▶ validate)* ─▶ persist ─▶ respond
///                   │           │           │                            └▶ approval ─▶ persist
///                   └───────────┴───────────┴─▶ plan without a model ─▶ persist, or fail
///     feedback  retrieve ─▶ review ─▶ respond
///     advice    retrieve ─▶ advise ─▶ respond, or abstain where nothing was found
///
/// Without a model, when it fails, or when its last repair breaks the contract, a goal is planned
/// from what was retrieved; the other agents fail. A run that was cancelled, or failed for a time,
/// may be started again and continues with the node that had not finished.
///
/// Any prefix of a run's events gives the same next action as when it was live, so that a run goes
/// on anywhere; an event that does not follow from those before it is refused, and changes nothing.
package struct AgentRunMachine: Sendable, Hashable {
  /// What the driver does next.
  package enum Action: Sendable, Hashable {
    /// Record that the run begins.
    case start
    case retrieve
    /// Ask the model; an attempt above 1 repairs the last proposal.
    case ask(attempt: Int)
    /// Hold the last reply to the contract.
    case check(attempt: Int)
    /// Plan from the context, without a model, and check it.
    case plan(attempt: Int)
    /// Show the proposal to the learner, who decides.
    case propose
    case awaitApproval
    case persist
    /// End with the text of the last reply, or without one.
    case answer(abstains: Bool)
    case fail(AgentFailure)
    /// Nothing: the run has ended.
    case rest
  }

  /// An event that cannot happen at this point of a run.
  package struct OutOfOrder: Error, Sendable, Hashable {
    package var type: EventType
  }

  private let kind: AgentKind
  private let requiresApproval: Bool
  private var action = Action.start
  /// What a run that has ended continues with when it is started again.
  private var resumesWith: Action?
  /// Why the model is not asked (any more).
  private var obstacle: AgentFailure?

  /// What was retrieved.
  package private(set) var context = AgentContext()
  /// The model's last reply.
  package private(set) var reply: ModelReply?
  /// What the contract said of the model's last proposal: what a repair mends.
  package private(set) var modelCheck: AgentRunEvent.Check?
  /// The proposal that holds the contract; nil while there is none.
  package private(set) var proposal: GoalProposal?
  /// What ended the run, if that was a failure.
  package private(set) var failure: AgentFailure?

  package init(_ request: AgentRequest) {
    kind = request.kind
    requiresApproval = request.requiresApproval
  }

  package var next: Action { action }

  /// The node that `next` is, and its attempt; nil where it is none.
  package var nextNode: (node: AgentNode, attempt: Int)? {
    switch action {
    case .retrieve: (.retrieve, 1)
    case .ask(let attempt): (.writing(kind, attempt: attempt), attempt)
    case .plan(let attempt): (.generate, attempt)
    case .check(let attempt): (.validate, attempt)
    case .persist: (.persist, 1)
    case .answer: (.respond, 1)
    case .start, .propose, .awaitApproval, .fail, .rest: nil
    }
  }

  /// Whether the run may be started again.
  package var isResumable: Bool { action == .rest && resumesWith != nil }

  package mutating func apply(_ event: AgentRunEvent) throws(OutOfOrder) {
    switch (event, action) {
    case (.started(let model), .start):
      if model == nil { obstacle = AgentFailure(.noModel) }
      action = .retrieve
    case (.started(let model), .rest):
      guard let resumesWith else { throw OutOfOrder(type: event.type) }
      restart(with: resumesWith, model: model)
    case (.contextRetrieved(let context), .retrieve):
      self.context = context
      action = afterRetrieval
    case (.replied(let reply), .ask(let attempt)) where attempt == reply.attempt:
      self.reply = reply.reply
      action = kind == .goal ? .check(attempt: reply.attempt) : .answer(abstains: false)
    case (.modelFailed(let failure, let failed), .ask(let attempt)) where attempt == failed:
      obstacle = failure
      action = kind == .goal ? .plan(attempt: attempt) : .fail(failure)
    case (.proposalChecked(let check), .check(let attempt))
    where attempt == check.attempt && check.planner == .model:
      apply(check)
    case (.proposalChecked(let check), .plan(let attempt))
    where attempt == check.attempt && check.planner == .retrieval:
      apply(check)
    case (.proposalMade, .propose): action = .awaitApproval
    case (.proposalRejected, .awaitApproval): action = .rest
    case (.goalStored, .persist), (.goalStored, .awaitApproval): action = .rest
    case (.answered(let abstained), .answer(let abstains)) where abstained == abstains:
      action = .rest
    case (.failed(let failure), let last) where last.canBeInterrupted:
      self.failure = failure
      end(failure.isTransient ? last : nil)
    case (.cancelled, let last) where last.canBeInterrupted: end(last)
    default: throw OutOfOrder(type: event.type)
    }
  }

  private var afterRetrieval: Action {
    switch kind {
    case .goal: return obstacle == nil ? .ask(attempt: 1) : .plan(attempt: 1)
    case .feedback: break
    case .advice: if context.all.isEmpty { return .answer(abstains: true) }
    }
    return obstacle.map { .fail($0) } ?? .ask(attempt: 1)
  }

  private mutating func apply(_ check: AgentRunEvent.Check) {
    if check.planner == .model { modelCheck = check }
    if check.findings.isEmpty, let proposal = check.proposal {
      self.proposal = proposal
      action = requiresApproval ? .propose : .persist
      return
    }
    switch check.planner {
    case .model: action = retried
    case .retrieval:
      action = .fail(failure(ofPlan: check))
    }
  }

  /// What kept the model from it says more than what the plan lacks; that there is none says less, since
  /// plans are made without one.
  private func failure(ofPlan check: AgentRunEvent.Check) -> AgentFailure {
    if let obstacle, obstacle.reason != .noModel { return obstacle }
    let isModels = obstacle == nil && modelCheck != nil
    return AgentFailure(
      .contractBroken, findings: isModels ? modelCheck?.findings ?? [] : check.findings)
  }

  private mutating func end(_ last: Action?) {
    action = .rest
    resumesWith = last
  }

  private mutating func restart(with last: Action, model: String?) {
    let wasTooThin = failure?.isForLackOfContext ?? false
    failure = nil
    resumesWith = nil
    obstacle = model == nil ? AgentFailure(.noModel) : nil
    switch last {
    // There may be more by now.
    case .fail where wasTooThin: action = .retrieve
    // The model is asked once more for what it failed at.
    case .fail, .plan: action = retried
    default: action = last
    }
  }

  /// The node that asks the model, or does without it, after what is known so far.
  private var retried: Action {
    guard let modelCheck else { return afterRetrieval }
    let attempt = modelCheck.attempt + 1
    return obstacle == nil && attempt <= AgentLimits.attempts
      ? .ask(attempt: attempt) : .plan(attempt: attempt)
  }
}

extension AgentRunMachine.Action {
  /// Whether a run that is to do this may fail or be cancelled.
  fileprivate var canBeInterrupted: Bool {
    switch self {
    case .rest, .awaitApproval: false
    default: true
    }
  }
}
