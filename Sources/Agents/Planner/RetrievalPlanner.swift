package import Domain
package import Retrieval

/// Plans a goal without a model: out of the tasks of goals that the learner has completed and the
/// sections of courses, word for word, and says so. The sentences around them are ours.
package enum RetrievalPlanner {
  /// A task of an earlier goal.
  package typealias EarlierTask = (title: String, description: String, criteria: [String])

  /// A proposal that holds the contract; nil where the context does not give three tasks.
  ///
  /// - Parameters:
  ///   - prompt: what the learner wants.
  ///   - language: the learner's, `es` or `en`.
  ///   - tasksOfGoals: by the ids of the goals in the context, each in order.
  package static func plan(
    prompt: String, language: String, context: AgentContext,
    tasksOfGoals: [EntityID: [EarlierTask]]
  ) -> GoalProposal? {
    let facts = ProposalRules.Facts(
      language: language, instructions: Prompts.goalInstructions(language: language))
    let words = PlannerWords(isEnglish: language == "en")
    var draft = Draft(facts: facts, words: words)
    draft.addSections(of: context.documents)
    draft.addTasks(of: context.goals, tasksOfGoals)
    let tasks = draft.chosenTasks
    guard tasks.count >= ProposalRules.taskCounts.lowerBound else { return nil }
    let used = tasks.map(\.source)
    let sources = zip(Prompts.labels(of: context), context.all).filter { used.contains($0.0) }
    let proposal = GoalProposal(
      title: title(prompt, sources.first?.1, facts, words),
      description: description(prompt, facts, words), tasks: tasks.map(\.task),
      validationCriteria: words.goalCriteria(taskCount: tasks.count),
      aiFeedback: feedback(sources, facts, words), planner: .retrieval)
    return ProposalRules.violations(proposal, facts: facts).isEmpty ? proposal : nil
  }

  static let titleCountMax = 120

  /// The learner's own words where they make a title, else a title of ours.
  private static func title(
    _ prompt: String, _ source: RetrievedPassage?, _ facts: ProposalRules.Facts,
    _ words: PlannerWords
  ) -> String {
    let wish = TextHygiene.cleanLine(prompt, scalarCountMax: titleCountMax + 1)
    let isWhole = wish.unicodeScalars.count <= titleCountMax && facts.leaks.reason(prompt) == nil
    let found = quotable(source?.passage.title ?? "", facts)
    let candidates =
      [isWhole ? wish : ""] + (found.map { [words.titleFrom($0)] } ?? [])
    let isTitle = { (text: String) in
      !text.isEmpty
        && ProposalRules.violations(
          text: text, maximum: GoalLimits.title, singleLine: true, facts: facts
        ).isEmpty
    }
    return candidates.first(where: isTitle) ?? words.plainTitle
  }

  private static func description(
    _ prompt: String, _ facts: ProposalRules.Facts, _ words: PlannerWords
  ) -> String {
    quotable(prompt, facts).map(words.descriptionFor) ?? words.plainDescription
  }

  private static func feedback(
    _ sources: [(String, RetrievedPassage)], _ facts: ProposalRules.Facts, _ words: PlannerWords
  ) -> String {
    let list = sources.map { label, found in
      words.source(
        label, title: quotable(found.passage.title, facts), similarity: found.similarity)
    }
    return words.feedback(sources: list)
  }

  /// A text of another author in one line, cut, that may stand between quotation marks; nil where
  /// the contract would refuse it even there, or nothing is left.
  static func quotable(_ text: String, _ facts: ProposalRules.Facts) -> String? {
    // As it was written: in one line a role's marker no longer looks like one.
    guard facts.leaks.reason(text) == nil else { return nil }
    var line = TextHygiene.cleanLine(text, scalarCountMax: quotationCountMax)
    // What would end the quotation, or begin code.
    line.unicodeScalars.removeAll { "«»“”\"`".unicodeScalars.contains($0) }
    line = line.trimmed
    guard !Words.folded(line).isEmpty else { return nil }
    let inQuotes = "«\(line)»"
    let isRefused = !ProposalRules.violations(
      text: inQuotes, maximum: GoalLimits.title, singleLine: true, facts: facts
    ).isEmpty
    return isRefused ? nil : line
  }

  static let quotationCountMax = 100
}
