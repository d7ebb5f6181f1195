package import Domain
import JSON
import Retrieval

/// What a run asks its model, and how it reads what comes back.
package struct AgentPrompts: Sendable {
  /// Below it a guess of the language says nothing.
  private static let languageConfidenceMin = 0.5
  private static let proseTokenCountMax = 1200
  private static let goalTokenCountMax = 3000

  private let session: RunSession
  private let subject: RunSubject

  package init(session: RunSession, subject: RunSubject) {
    self.session = session
    self.subject = subject
  }

  private var run: AgentRun { session.run }
  private var context: AgentContext { session.machine.context }

  /// The request of one attempt. The fence is a new one each time: nobody can have seen it before.
  func request(attempt: Int) -> ModelRequest {
    var random = SystemRandomNumberGenerator()
    let prompts = Prompts(
      fence: DataFence(using: &random), language: run.request.language)
    switch run.request {
    case .goal(let request):
      return ModelRequest(
        messages: goalMessages(prompts, request), schema: Prompts.goalSchema,
        // What is wrong with its shape is told the model as whatever else breaks the contract.
        mustFollowSchema: false,
        schemaName: Prompts.goalSchemaName, replyTokenCountMax: Self.goalTokenCountMax,
        seed: attempt, callerID: run.callerID)
    case .feedback(let request):
      let judgement = subject.judgement
      let messages = prompts.feedback(
        code: subject.code, path: subject.filePath, codeLanguage: request.codeLanguage,
        question: request.question,
        facts: CodeFacts(
          verdict: judgement?.verdict.rawValue ?? "", score: judgement?.score,
          feedback: judgement?.feedback ?? ""),
        similar: context.code, sections: context.documents)
      return prose(messages, attempt)
    case .advice(let request):
      let goal = subject.goal.map { "\($0.title)\n\($0.description)" } ?? ""
      return prose(
        prompts.advice(question: request.question, goal: goal, sections: context.documents),
        attempt)
    }
  }

  /// What a reply in prose is held to; nil where a goal is asked for.
  var prose: ModelProse? {
    let language = run.request.language
    let instructions: String
    switch run.request {
    case .goal: return nil
    case .feedback: instructions = Prompts.feedbackInstructions(language: language)
    case .advice: instructions = Prompts.adviceInstructions(language: language)
    }
    return ModelProse(
      citations: Citations(labels: Prompts.labels(of: context)), instructions: instructions)
  }

  private func goalMessages(_ prompts: Prompts, _ request: AgentRequest.Goal) -> [ModelMessage] {
    guard let check = session.machine.modelCheck, let reply = session.machine.reply else {
      return prompts.goal(prompt: request.prompt, context: context)
    }
    return prompts.goalRepair(
      prompt: request.prompt, context: context, previousReply: reply.text,
      findings: check.findings)
  }

  private func prose(_ messages: [ModelMessage], _ attempt: Int) -> ModelRequest {
    ModelRequest(
      messages: messages, replyTokenCountMax: Self.proseTokenCountMax, seed: attempt,
      callerID: run.callerID)
  }

  /// The last reply, read and held to the contract, without what only retrieval can tell.
  static func proposal(
    reply: String
  ) -> Result<GoalProposal, ProposalReplyError> {
    // What is no object is told so by the rule that a member is told by.
    let json =
      JSONValue(reply: reply) { object in (try? GoalProposal(reply: object)) != nil } ?? .null
    do throws(ProposalReplyError) {
      return .success(try GoalProposal(reply: json))
    } catch {
      return .failure(error)
    }
  }

  func findings(
    on proposal: GoalProposal, closestOpenGoals: [RetrievedPassage]
  ) -> [RuleViolation] {
    let closest = closestOpenGoals.compactMap { found in
      found.similarity.map {
        OpenGoal(title: found.passage.title, content: found.passage.content, similarity: $0)
      }
    }
    let language = run.request.language
    return ProposalRules.violations(
      proposal,
      facts: ProposalRules.Facts(
        language: language, openGoals: closest,
        instructions: Prompts.goalInstructions(language: language)))
  }

  /// What of an edited proposal its learner has to mend.
  package func checkEdited(_ proposal: GoalProposal) throws(DomainError) {
    let facts = ProposalRules.Facts(language: run.request.language)
    let findings = ProposalRules.hardViolations(proposal, facts: facts)
    guard findings.isEmpty else {
      throw .invalid(
        findings.map { FieldViolation("edited.\($0.field)", $0.description) })
    }
  }

  /// The language of a question, where it can be told.
  package static func language(of question: String) -> String? {
    let (language, confidence) = LanguageGuess.language(of: question)
    guard let language, confidence >= languageConfidenceMin,
      UserLimits.languages.contains(language)
    else { return nil }
    return language
  }

  /// The answer where nothing in the course is close to the question.
  package static func abstention(_ language: String) -> String {
    language == "en"
      ? "Nothing in this course's material is close to the question, so there is no answer from it."
      : "Nada del material de este curso se acerca a la pregunta: no hay respuesta a partir de él."
  }
}
