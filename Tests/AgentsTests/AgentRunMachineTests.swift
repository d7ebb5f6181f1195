import Agents
import Domain
import JSON
import Retrieval
import Testing

@Suite struct AgentRunMachineTests {
  typealias Action = AgentRunMachine.Action

  /// Applies events, with the action that must come next after each.
  private func play(
    _ request: AgentRequest, _ lines: [(AgentRunEvent, Action)],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> AgentRunMachine {
    var machine = AgentRunMachine(request)
    #expect(machine.next == .start, sourceLocation: sourceLocation)
    for (event, action) in lines {
      try machine.apply(event)
      #expect(machine.next == action, "after \(event.type)", sourceLocation: sourceLocation)
    }
    return machine
  }

  @Test func aProposalThatHoldsIsStored() throws {
    let machine = try play(
      .goal(),
      [
        (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
        (.reply(1), .check(attempt: 1)), (.check(1), .persist), (.stored, .rest),
      ])
    #expect(machine.proposal == .example && machine.context == .example)
    #expect(!machine.isResumable)
  }

  @Test func aBrokenProposalIsRepairedTwiceThenPlanned() throws {
    let machine = try play(
      .goal(),
      [
        (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
        (.reply(1), .check(attempt: 1)), (.check(1, ["a"]), .ask(attempt: 2)),
        (.reply(2), .check(attempt: 2)), (.check(2, ["b"]), .ask(attempt: 3)),
        (.reply(3), .check(attempt: 3)), (.check(3, ["c"]), .plan(attempt: 4)),
        (.check(4, planner: .retrieval), .persist),
      ])
    #expect(machine.modelCheck?.findings.map(\.rule) == ["c"])
  }

  @Test func whereNoPlanHoldsEitherTheModelsFindingsAreTheError() throws {
    let lines: [(AgentRunEvent, Action)] = [
      (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
      (.reply(1), .check(attempt: 1)), (.check(1, ["a"]), .ask(attempt: 2)),
      (.reply(2), .check(attempt: 2)), (.check(2, ["b"]), .ask(attempt: 3)),
      (.reply(3), .check(attempt: 3)), (.check(3, ["c"]), .plan(attempt: 4)),
    ]
    let failure = AgentFailure(.contractBroken, findings: [.named("c")])
    let machine = try play(
      .goal(),
      lines + [
        (.check(4, ["thin"], planner: .retrieval), .fail(failure)), (.failed(failure), .rest),
      ])
    #expect(machine.failure == failure && !machine.isResumable)
  }

  @Test func withoutAModelAGoalIsPlanned() throws {
    _ = try play(
      .goal(),
      [
        (.started(model: nil), .retrieve), (.contextRetrieved(.example), .plan(attempt: 1)),
        (.check(1, planner: .retrieval), .persist),
      ])
    _ = try play(
      .goal(),
      [
        (.started(model: nil), .retrieve), (.contextRetrieved(.example), .plan(attempt: 1)),
        (
          .check(1, ["thin"], planner: .retrieval),
          .fail(AgentFailure(.contractBroken, findings: [.named("thin")]))
        ),
      ])
  }

  @Test func whereThereWasNothingToPlanFromItIsLookedForAgainLater() throws {
    let rule = AgentFailure.tooThinRule
    let failure = AgentFailure(.contractBroken, findings: [.named(rule)])
    _ = try play(
      .goal(),
      [
        (.started(model: nil), .retrieve), (.contextRetrieved(.example), .plan(attempt: 1)),
        (.check(1, [rule], planner: .retrieval), .fail(failure)), (.failed(failure), .rest),
        (.started(model: nil), .retrieve), (.contextRetrieved(.example), .plan(attempt: 1)),
        (.check(1, planner: .retrieval), .persist),
      ])
  }

  @Test func aModelThatFailsIsReplacedByThePlannerAndAskedAgainLater() throws {
    let failure = AgentFailure(.rateLimited, retryAfter: .seconds(3))
    let machine = try play(
      .goal(),
      [
        (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
        (.reply(1), .check(attempt: 1)), (.check(1, ["a"]), .ask(attempt: 2)),
        (.modelFailed(failure, attempt: 2), .plan(attempt: 2)),
        (.check(2, ["thin"], planner: .retrieval), .fail(failure)), (.failed(failure), .rest),
        (.started(model: "m"), .ask(attempt: 2)), (.reply(2), .check(attempt: 2)),
        (.check(2), .persist), (.stored, .rest),
      ])
    #expect(machine.failure == nil)
  }

  @Test func approvalComesBeforeStoring() throws {
    let lines: [(AgentRunEvent, Action)] = [
      (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
      (.reply(1), .check(attempt: 1)), (.check(1), .propose),
      (.proposalMade(.example), .awaitApproval),
    ]
    _ = try play(.goal(requiresApproval: true), lines + [(.stored, .rest)])
    let machine = try play(
      .goal(requiresApproval: true), lines + [(.proposalRejected, .rest)])
    #expect(!machine.isResumable)
  }

  @Test func feedbackIsOneReply() throws {
    let machine = try play(
      .feedback,
      [
        (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
        (.reply(1), .answer(abstains: false)), (.answered(abstained: false), .rest),
      ])
    #expect(machine.reply?.text == "reply 1")
  }

  @Test func adviceAbstainsWithoutAskingWhereNothingIsClose() throws {
    _ = try play(
      .advice,
      [
        (.started(model: "m"), .retrieve),
        (.contextRetrieved(AgentContext()), .answer(abstains: true)),
        (.answered(abstained: true), .rest),
      ])
  }

  @Test func aCancelledRunGoesOnWhereItWas() throws {
    _ = try play(
      .advice,
      [
        (.started(model: "m"), .retrieve), (.contextRetrieved(.example), .ask(attempt: 1)),
        (.cancelled, .rest), (.started(model: "m"), .ask(attempt: 1)),
        (.failed(AgentFailure(.timedOut)), .rest), (.started(model: "m"), .ask(attempt: 1)),
        (.modelFailed(AgentFailure(.refused), attempt: 1), .fail(AgentFailure(.refused))),
        (.failed(AgentFailure(.refused)), .rest), (.started(model: "m"), .ask(attempt: 1)),
        (.reply(1), .answer(abstains: false)),
      ])
  }

  @Test func anEventOutOfOrderIsRefusedAndChangesNothing() throws {
    let events: [AgentRunEvent] = [
      .started(model: "m"), .contextRetrieved(.example), .reply(1), .reply(2), .check(1),
      .check(1, planner: .retrieval), .proposalMade(.example), .proposalRejected, .stored,
      .answered(abstained: true), .failed(AgentFailure(.refused)), .cancelled,
    ]
    let good: [AgentRunEvent] = [
      .started(model: "m"), .contextRetrieved(.example), .reply(1), .check(1), .stored,
    ]
    for count in 0...good.count {
      var machine = AgentRunMachine(.goal())
      for event in good.prefix(count) { try machine.apply(event) }
      for event in events {
        var next = machine
        do {
          try next.apply(event)
        } catch {
          #expect(next == machine && error.type == event.type)
        }
      }
    }
    var ended = AgentRunMachine(.goal())
    for event in good { try ended.apply(event) }
    for event in events {
      var next = ended
      #expect(throws: AgentRunMachine.OutOfOrder.self) { try next.apply(event) }
    }
  }

  /// What the log gives back is what was applied: any prefix of the stored events makes the same
  /// machine as the live one had.
  @Test func anyPrefixOfTheStoredEventsGivesTheSameNextAction() throws {
    let failure = AgentFailure(
      .quotaExceeded, findings: [.named("x")], subject: "tokens a day", maximum: 7,
      retryAfter: .milliseconds(1500))
    let lives: [(AgentRequest, [AgentRunEvent])] = [
      (
        .goal(requiresApproval: true),
        [
          .started(model: "m"), .contextRetrieved(.example), .reply(1), .check(1, ["a"]),
          .modelFailed(failure, attempt: 2), .check(2, ["thin"], planner: .retrieval),
          .failed(failure), .started(model: "m"), .reply(2), .check(2), .cancelled,
          .started(model: nil), .proposalMade(.example), .stored,
        ]
      ),
      (
        .feedback,
        [
          .started(model: "m"), .contextRetrieved(.example), .reply(1),
          .answered(abstained: false),
        ]
      ),
      (
        .advice,
        [
          .started(model: "m"), .contextRetrieved(AgentContext()), .answered(abstained: true),
        ]
      ),
    ]
    for (request, events) in lives {
      var run = AgentRun(
        id: EntityID(high: 1, low: 1), learnerID: EntityID(high: 2, low: 2),
        callerID: EntityID(high: 2, low: 2), request: request,
        lease: AgentLease(owner: "o"), createdAt: .epoch, updatedAt: .epoch)
      var live = AgentRunMachine(request)
      var folded = AgentRunMachine(request)
      for event in events {
        try live.apply(event.bounded)
        let stored = run.record(
          event.bounded, id: EntityID(high: 3, low: UInt64(run.version)), at: .epoch,
          metadata: .object([]))
        let payload = try #require(JSONValue(parsing: stored.payload.text))
        let read = try #require(
          AgentRunEvent(type: stored.type.rawValue, payload: payload), "\(event.type)")
        #expect(read == event.bounded)
        try folded.apply(read)
        #expect(folded == live)
        #expect(stored.version == run.version && stored.userID == run.learnerID)
      }
      let json = try #require(JSONValue(parsing: run.request.json.text))
      #expect(AgentRequest(request.kind, json: json) == request)
    }
  }

  @Test func whatIsRecordedIsBoundedAndHasNoNUL() throws {
    var passage = RetrievedPassage.example
    passage.passage.content = String(repeating: "á\0", count: 5000)
    let context = AgentContext(goals: Array(repeating: passage, count: 50))
    guard case .contextRetrieved(let cut) = AgentRunEvent.contextRetrieved(context).bounded else {
      return #expect(Bool(false))
    }
    #expect(cut.goals.count == AgentLimits.passages)
    #expect(cut.goals[0].passage.content.unicodeScalars.count == AgentLimits.excerpt)
    #expect(!cut.goals[0].passage.content.utf8.contains(0))
    passage.passage.userID = EntityID(high: 9, low: 9)
    #expect(AgentContext(code: [passage]).bounded.code[0].passage.userID.high == 0)
    let huge = String(repeating: "x", count: 200_000)
    guard case .replied(let reply) = AgentRunEvent.reply(1, text: huge).bounded else {
      return #expect(Bool(false))
    }
    #expect(reply.reply.text.utf8.count == AgentLimits.reply)
    var proposal = GoalProposal.example
    proposal.title = huge
    proposal.tasks = Array(repeating: proposal.tasks[0], count: 1000)
    guard case .proposalMade(let small) = AgentRunEvent.proposalMade(proposal).bounded else {
      return #expect(Bool(false))
    }
    #expect(small.title.count == GoalLimits.title + 1 && small.tasks.count == 20)
  }

  @Test func hostilePayloadsAreRefused() {
    for type in EventType.allCases where type.rawValue.hasPrefix("ai.") {
      for text in [
        "{}", "[]", "null", #"{"attempt": "x"}"#, #"{"proposal": {"tasks": 1}}"#,
        #"{"failure": {"reason": "none"}}"#, #"{"goals": [1], "documents": [], "code": []}"#,
      ] {
        let event = JSONValue(parsing: text).flatMap {
          AgentRunEvent(type: type.rawValue, payload: $0)
        }
        switch type {
        case .aiRunStarted, .aiProposalRejected, .aiRunCancelled: continue
        default: #expect(event == nil, "\(type): \(text)")
        }
      }
    }
    #expect(AgentRunEvent(type: "goal.created", payload: .object([])) == nil)
  }
}

extension Timestamp {
  static let epoch = Timestamp(microsecondsSinceEpoch: 0)
}

extension RuleViolation {
  static func named(_ rule: String) -> RuleViolation {
    RuleViolation(rule: rule, field: "f", description: "d")
  }
}

extension AgentRequest {
  static func goal(requiresApproval: Bool = false) -> AgentRequest {
    .goal(
      Goal(
        prompt: "Aprender \"FastAPI\"\n", courseID: EntityID(high: 5, low: 5), language: "es",
        requiresApproval: requiresApproval))
  }

  static let feedback = AgentRequest.feedback(
    Feedback(snapshotID: nil, codeLanguage: "python", question: "", language: "en"))
  static let advice = AgentRequest.advice(
    Advice(courseID: EntityID(high: 5, low: 5), question: "¿?", goalID: nil, language: "es"))
}

extension RetrievedPassage {
  static let example = RetrievedPassage(
    passage: Passage(
      kind: .course, entityID: EntityID(high: 6, low: 6), userID: EntityID(high: 0, low: 0),
      chunkNumber: 3, title: "Primeros pasos", content: "Instala \"fastapi\".", language: "es",
      documentPath: "a/b.md", anchor: "primeros-pasos"),
    similarity: 0.75, score: 1.5, vectorRank: 1, textRank: 2, attributes: ["status": "completed"])
}

extension AgentContext {
  static let example = AgentContext(
    goals: [], documents: [.example], code: [.example, .example])
}

extension GoalProposal {
  static let example = GoalProposal(
    title: "Aprender FastAPI", description: "d",
    tasks: (1...3).map {
      Task(title: "Escribir \($0)", description: "d", validationCriteria: ["c \"\\"])
    }, validationCriteria: ["c"], aiFeedback: "f", planner: .model)
}

extension AgentRunEvent {
  static func reply(_ attempt: Int, text: String? = nil) -> AgentRunEvent {
    .replied(
      Reply(
        attempt: attempt,
        reply: ModelReply(
          text: text ?? "reply \(attempt)", promptTokenCount: 10, replyTokenCount: 5, model: "m"),
        duration: .microseconds(1_234_567)))
  }

  static func check(
    _ attempt: Int, _ rules: [String] = [], planner: GoalProposal.Planner = .model
  ) -> AgentRunEvent {
    .proposalChecked(
      Check(
        attempt: attempt, planner: planner, proposal: .example,
        findings: rules.map(RuleViolation.named)))
  }

  static let stored = AgentRunEvent.goalStored(
    StoredGoal(
      goalID: EntityID(high: 8, low: 8),
      taskIDs: (1...3).map { EntityID(high: 8, low: UInt64($0)) },
      proposal: .example))
}
