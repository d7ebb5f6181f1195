import Domain
import Retrieval

/// The nodes of the graphs: what each one does, given what the run knows so far. They change
/// nothing; what they return is committed.
struct RunNodes: Sendable {
  private static let documentLimit = 6
  private static let openGoalLimit = 5

  let stores: AgentStores
  let journal: RunJournal
  let session: RunSession
  let subject: RunSubject

  private var run: AgentRun { session.run }
  private var machine: AgentRunMachine { session.machine }
  /// The learner's own eyes: a run finds nothing that its learner may not see.
  private var scope: AccessScope { AccessScope(callerID: run.learnerID, role: .learner) }

  func retrieve() async throws -> AgentRunEvent {
    guard let retriever = stores.retriever else { return .failed(AgentFailure(.retrievalFailed)) }
    do {
      switch run.request {
      case .goal(let request):
        return .contextRetrieved(
          try await retriever.context(
            for: request.prompt, learnerID: run.learnerID, courseID: request.courseID))
      case .feedback(let request):
        return .contextRetrieved(
          try await FeedbackContext.found(
            by: retriever, for: subject, codeLanguage: request.codeLanguage,
            question: request.question, learnerID: run.learnerID, excluding: request.snapshotID))
      case .advice(let request):
        let documents = try await retriever.documents(
          for: request.question, learnerID: run.learnerID, courseID: request.courseID,
          limit: Self.documentLimit)
        return .contextRetrieved(AgentContext(documents: documents))
      }
    } catch {
      return .failed(try failure(ofRetrieval: error))
    }
  }

  /// - Throws: what ends the driving of the run, but not the run: a store that cannot be reached,
  ///   or the cancellation of the task.
  private func failure(ofRetrieval error: any Error) throws -> AgentFailure {
    if error is StoreError || error is CancellationError || Task.isCancelled { throw error }
    return AgentFailure(.retrievalFailed)
  }

  func ask(_ attempt: Int, _ sink: any RunSink) async throws -> AgentRunEvent {
    guard let model = stores.model else {
      return .modelFailed(AgentFailure(.noModel), attempt: attempt)
    }
    let prompts = AgentPrompts(session: session, subject: subject)
    let request = prompts.request(attempt: attempt)
    let start = ContinuousClock.now
    let output = ModelOutput(prompts.prose)
    var reply: ModelReply
    do throws(LanguageModelError) {
      reply = try await model.reply(
        to: request,
        restarted: {
          output.restart()
          try await sink.restarted(session)
        },
        received: { try await show(output.take($0), on: sink) })
    } catch {
      guard let failure = AgentFailure(of: error) else { throw CancellationError() }
      return .modelFailed(failure, attempt: attempt)
    }
    let duration = start.duration(to: .now)
    try await show(output.end(), on: sink)
    if let prose = prompts.prose { reply.text = prose.shown(reply.text) }
    return .replied(AgentRunEvent.Reply(attempt: attempt, reply: reply, duration: duration))
  }

  private func show(_ text: String, on sink: any RunSink) async throws {
    if !text.isEmpty { try await sink.received(text, session) }
  }

  func check(_ attempt: Int) async throws -> AgentRunEvent {
    switch AgentPrompts.proposal(reply: machine.reply?.text ?? "") {
    case .failure(let error):
      return .proposalChecked(
        AgentRunEvent.Check(
          attempt: attempt, planner: .model, proposal: nil, findings: error.findings))
    case .success(var proposal):
      proposal.aiFeedback = Citations(labels: Prompts.labels(of: machine.context))
        .kept(in: proposal.aiFeedback)
      return .proposalChecked(
        AgentRunEvent.Check(
          attempt: attempt, planner: .model, proposal: proposal,
          findings: try await findings(on: proposal)))
    }
  }

  /// A proposal from the context alone.
  func plan(_ attempt: Int) async throws -> AgentRunEvent {
    guard case .goal(let request) = run.request else {
      return .failed(AgentFailure(.noModel))
    }
    var tasks: [EntityID: [RetrievalPlanner.EarlierTask]] = [:]
    for found in machine.context.goals where found.passage.kind == .goal {
      let id = found.passage.entityID
      let goal = try await stores.goals.goal(id, scope: scope, forUpdate: false)
      guard let goal else { continue }
      tasks[id] = goal.tasks.map { ($0.title, $0.description, $0.validationCriteria) }
    }
    let proposal = RetrievalPlanner.plan(
      prompt: request.prompt, language: request.language, context: machine.context,
      tasksOfGoals: tasks, courses: try await catalogue(request.courseID))
    guard let proposal else {
      let finding = RuleViolation(
        rule: AgentFailure.tooThinRule, field: "prompt",
        description:
          "there is nothing to plan from: no completed goal, no section of a course and no "
          + "course that is close, and no steps in the prompt itself")
      return .proposalChecked(
        AgentRunEvent.Check(
          attempt: attempt, planner: .retrieval, proposal: nil, findings: [finding]))
    }
    return .proposalChecked(
      AgentRunEvent.Check(
        attempt: attempt, planner: .retrieval, proposal: proposal,
        findings: try await findings(on: proposal)))
  }

  /// The courses that the learner has, and the newest of those that they could have. Nil where there is a
  /// model: while it is away, a later try is better than a plan of so little.
  private func catalogue(
    _ chosen: EntityID?
  ) async throws(StoreError) -> [RetrievalPlanner.OfferedCourse]? {
    guard stores.model == nil else { return nil }
    if let chosen {
      let course = try await stores.courses.course(chosen, scope: scope)
      return course.map { [RetrievalPlanner.OfferedCourse($0, isEnrolled: true, isChosen: true)] }
        ?? []
    }
    var own = CourseFilter()
    own.enrolledOnly = true
    let page = PageRequest(limit: PageRequest.limitMax)
    let enrolled = try await stores.courses.courses(own, page: page, scope: scope).items
    let offered = try await stores.courses.courses(CourseFilter(), page: page, scope: scope).items
    let known = Set(enrolled.map(\.id))
    return enrolled.map { RetrievalPlanner.OfferedCourse($0, isEnrolled: true) }
      + offered.filter { !known.contains($0.id) }.map {
        RetrievalPlanner.OfferedCourse($0, isEnrolled: false)
      }
  }

  private func findings(on proposal: GoalProposal) async throws -> [RuleViolation] {
    var closest: [RetrievedPassage] = []
    do {
      closest =
        try await stores.retriever?.closestOpenGoals(
          to: EmbeddedText.text(
            of: .goal,
            content: PassageTexts.content(
              title: proposal.title, description: proposal.description,
              criteria: proposal.validationCriteria)), learnerID: run.learnerID,
          limit: Self.openGoalLimit) ?? []
    } catch {
      // Without vectors the other rules still hold; a duplicate is the lesser evil.
      _ = try failure(ofRetrieval: error)
    }
    return AgentPrompts(session: session, subject: subject)
      .findings(on: proposal, closestOpenGoals: closest)
  }

  /// The goal to store; a failure where its learner or course is not what it was.
  func persist(
    _ context: ChangeContext
  ) async throws -> Result<(AgentRunEvent, GoalAggregate), AgentFailure> {
    guard let proposal = machine.proposal, case .goal(let request) = run.request else {
      return .failure(AgentFailure(.contractBroken))
    }
    let user = try await stores.users.user(run.learnerID, scope: scope)
    guard let user, user.isActive else { return .failure(AgentFailure(.subjectGone)) }
    if let courseID = request.courseID {
      let obstacle = try await stores.courses.obstacle(
        toGoalsOf: courseID, for: run.learnerID, seenBy: scope)
      guard obstacle == nil else { return .failure(AgentFailure(.subjectGone)) }
    }
    do throws(DomainError) {
      let aggregate = try proposal.aggregate(of: run, context: context)
      let stored = AgentRunEvent.StoredGoal(
        goalID: aggregate.goal.id, taskIDs: aggregate.tasks.map(\.id), proposal: proposal)
      return .success((.goalStored(stored), aggregate))
    } catch {
      guard case .invalid(let violations) = error else {
        return .failure(AgentFailure(.contractBroken))
      }
      return .failure(
        AgentFailure(
          .contractBroken,
          findings: violations.map {
            RuleViolation(rule: "limits", field: $0.field, description: $0.description)
          }))
    }
  }
}
