package import Domain
package import Retrieval

/// What models are asked, for one run. Instructions come first and are ours alone; everything that
/// others wrote (the learner, authors of courses and code, an earlier reply) stands between
/// the markers of the run's fence, is called data, and cannot end its section.
///
/// Every part is cut at a size of its own and what was found at a total, so that a prompt is never
/// longer than `PromptLimits` says, whatever it is made of.
package struct Prompts: Sendable {
  package let fence: DataFence
  /// `es` or `en`; Spanish where it is neither.
  package let language: String
  package let limits: PromptLimits

  package init(fence: DataFence, language: String, limits: PromptLimits = PromptLimits()) {
    self.fence = fence
    self.language = language
    self.limits = limits
  }

  /// Asks for a goal, as JSON of `goalSchema`.
  ///
  /// - Parameter prompt: what the learner wants, in the learner's words.
  package func goal(prompt: String, context: AgentContext) -> [ModelMessage] {
    [
      system(Instructions.goal(language)),
      ModelMessage(
        .user,
        join([
          Instructions.contextHeading(language), sources(context),
          Instructions.wishHeading(language),
          fence.enclose(prompt, label: "learner_wish", scalarCountMax: limits.question),
          Instructions.goalReminder(language),
        ])),
    ]
  }

  /// Asks for the same goal again, mended. The findings are ours; the reply that they are about may
  /// say anything and is data.
  package func goalRepair(
    prompt: String, context: AgentContext, previousReply: String, findings: [RuleViolation]
  ) -> [ModelMessage] {
    let list = findings.prefix(limits.findings).map { finding in
      let field = fence.inertLine(finding.field, scalarCountMax: 80)
      let rule = fence.inertLine(finding.rule, scalarCountMax: 40)
      return "- \(field) (\(rule)): " + fence.inertLine(finding.description, scalarCountMax: 300)
    }
    return goal(prompt: prompt, context: context).map { message in
      // One turn of the user and no more: templates of some models refuse two in a row.
      guard message.role == .user else { return message }
      return ModelMessage(
        .user,
        join([
          message.text, Instructions.repairHeading(language),
          fence.enclose(previousReply, label: "previous_reply", scalarCountMax: limits.reply),
          Instructions.findingsHeading(language), list.joined(separator: "\n"),
          Instructions.repairReminder(language),
        ]))
    }
  }

  /// Asks for feedback on code, in prose.
  ///
  /// - Parameters:
  ///   - question: what the author wants to know; may be empty.
  ///   - facts: what was decided about the code; nothing in the reply changes it.
  ///   - similar: validated code.
  ///   - sections: of the course that the code is for.
  package func feedback(
    code: String, path: String, codeLanguage: String, question: String, facts: CodeFacts,
    similar: [RetrievedPassage], sections: [RetrievedPassage] = []
  ) -> [ModelMessage] {
    let about = "\(codeLanguage) \(path)"
    return [
      system(Instructions.feedback(language)),
      ModelMessage(
        .user,
        join([
          sections.isEmpty ? "" : Instructions.sectionsHeading(language),
          sections.isEmpty ? "" : sources(AgentContext(documents: sections)),
          Instructions.similarHeading(language), sources(AgentContext(code: similar)),
          Instructions.factsHeading(language),
          fence.enclose(facts.text, label: "facts", scalarCountMax: limits.facts),
          Instructions.codeHeading(language),
          fence.enclose(about, label: "code_path", scalarCountMax: 300),
          fence.enclose(code, label: "code", scalarCountMax: limits.code),
          question.isEmpty ? "" : Instructions.questionHeading(language),
          question.isEmpty
            ? "" : fence.enclose(question, label: "question", scalarCountMax: limits.question),
          Instructions.feedbackReminder(language),
        ])),
    ]
  }

  /// Asks for an answer from the sections of a course alone, in prose.
  ///
  /// - Parameter goal: title and description of the goal that the question is about; may be empty.
  package func advice(
    question: String, goal: String = "", sections: [RetrievedPassage]
  ) -> [ModelMessage] {
    [
      system(Instructions.advice(language)),
      ModelMessage(
        .user,
        join([
          Instructions.sectionsHeading(language), sources(AgentContext(documents: sections)),
          goal.isEmpty ? "" : Instructions.goalHeading(language),
          goal.isEmpty ? "" : fence.enclose(goal, label: "goal", scalarCountMax: limits.source),
          Instructions.questionHeading(language),
          fence.enclose(question, label: "question", scalarCountMax: limits.question),
          Instructions.adviceReminder(language),
        ])),
    ]
  }

  /// The fixed text of the instructions for goals: what `ProposalRules.Facts.instructions` wants.
  package static func goalInstructions(language: String) -> String {
    Instructions.goal(language) + "\n" + Instructions.goalReminder(language)
  }

  /// The fixed texts of the other instructions, which no reply repeats.
  static func feedbackInstructions(language: String) -> String {
    Instructions.feedback(language) + "\n" + Instructions.feedbackReminder(language)
  }

  static func adviceInstructions(language: String) -> String {
    Instructions.advice(language) + "\n" + Instructions.adviceReminder(language)
  }

  private func system(_ instructions: String) -> ModelMessage {
    ModelMessage(.system, instructions + "\n" + Instructions.fence(language, fence.delimiter))
  }

  private func join(_ parts: [String]) -> String {
    parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
}

/// How long the parts of a prompt may be, in scalars; three or four of them are a token. The whole
/// is below 30,000 with the defaults.
package struct PromptLimits: Sendable, Hashable {
  package var question = 4000
  /// One source.
  package var source = 1200
  /// All sources together.
  package var sources = 9000
  /// Sources of each kind.
  package var sourceCount = 5
  package var code = 8000
  package var facts = 3000
  package var reply = 6000
  package var findings = 20

  package init() {}
}

/// What was decided about a file of code before a model sees it.
package struct CodeFacts: Sendable, Hashable {
  /// Empty before anybody has judged it.
  package var verdict: String
  /// 0 to 1.
  package var score: Double?
  /// What whoever judged it wrote.
  package var feedback: String
  /// One line each: place, rule, what is wrong.
  package var diagnostics: [String]

  package init(
    verdict: String = "", score: Double? = nil, feedback: String = "", diagnostics: [String] = []
  ) {
    self.verdict = verdict
    self.score = score
    self.feedback = feedback
    self.diagnostics = diagnostics
  }

  var text: String {
    var lines = ["verdict: \(verdict.isEmpty ? "none" : verdict)"]
    if let score { lines.append("score: \(Prompts.hundredths(score))") }
    if !feedback.isEmpty { lines.append("feedback: \(feedback)") }
    lines += diagnostics.prefix(50).map { "- \($0)" }
    return lines.joined(separator: "\n")
  }
}
