package import Domain
package import Retrieval

/// Plans a goal without a model: out of the tasks of goals that the learner has completed and the
/// sections of courses, word for word, and where that is too little out of the courses that there are
/// and of what the wish itself names. It says so; the sentences around them are ours.
package enum RetrievalPlanner {
  /// A task of an earlier goal.
  package typealias EarlierTask = (title: String, description: String, criteria: [String])

  /// A proposal that holds the contract; nil where there is nothing that gives three tasks.
  ///
  /// - Parameters:
  ///   - prompt: what the learner wants.
  ///   - language: the learner's, `es` or `en`.
  ///   - tasksOfGoals: by the ids of the goals in the context, each in order.
  ///   - courses: those that the learner has or could have; nil plans from the context alone.
  package static func plan(
    prompt: String, language: String, context: AgentContext,
    tasksOfGoals: [EntityID: [EarlierTask]], courses: [OfferedCourse]? = nil
  ) -> GoalProposal? {
    let facts = ProposalRules.Facts(
      language: language, instructions: Prompts.goalInstructions(language: language))
    let words = PlannerWords(isEnglish: language == "en")
    var draft = Draft(facts: facts, words: words)
    draft.addSections(of: context.documents)
    draft.addTasks(of: context.goals, tasksOfGoals)
    let isFromContext = draft.chosenTasks.count >= ProposalRules.taskCounts.lowerBound
    if !isFromContext, let courses { draft.addWhatThereIs(for: prompt, courses) }
    let tasks = draft.chosenTasks
    guard tasks.count >= ProposalRules.taskCounts.lowerBound else { return nil }
    let used = tasks.map(\.source)
    let sources = zip(Prompts.labels(of: context), context.all).filter { used.contains($0.0) }
    let own = draft.ownSources.filter(used.contains)
    let proposal = GoalProposal(
      title: title(prompt, sources.first?.1, facts, words),
      description: description(prompt, isFromContext: isFromContext, facts, words),
      tasks: tasks.map(\.task),
      validationCriteria: words.goalCriteria(taskCount: tasks.count),
      aiFeedback: feedback(sources, own, facts, words), planner: .retrieval)
    return ProposalRules.violations(proposal, facts: facts).isEmpty ? proposal : nil
  }

  static let titleCountMax = 120

  /// The learner's own words where they make a title, else a title of ours.
  private static func title(
    _ prompt: String, _ source: RetrievedPassage?, _ facts: ProposalRules.Facts,
    _ words: PlannerWords
  ) -> String {
    let text = PromptOutline.line(ofList: prompt) ?? prompt
    let wish = TextHygiene.cleanLine(text, scalarCountMax: titleCountMax + 1)
    let isClean = facts.leaks.reason(prompt) == nil
    let isWhole = wish.unicodeScalars.count <= titleCountMax
    let found = quotable(source?.passage.title ?? "", facts)
    let candidates =
      [isClean ? isWhole ? wish : cut(wish) : ""] + (found.map { [words.titleFrom($0)] } ?? [])
    let isTitle = { (text: String) in
      !text.isEmpty
        && ProposalRules.violations(
          text: text, maximum: GoalLimits.title, singleLine: true, facts: facts
        ).isEmpty
    }
    return candidates.first(where: isTitle) ?? words.plainTitle
  }

  /// A line that is too long, up to a blank.
  private static func cut(_ line: String) -> String {
    let scalars = line.unicodeScalars.prefix(titleCountMax - 1)
    guard let blank = scalars.lastIndex(of: " ") else { return "" }
    return String(scalars[..<blank]).trimmed + "…"
  }

  private static func description(
    _ prompt: String, isFromContext: Bool, _ facts: ProposalRules.Facts, _ words: PlannerWords
  ) -> String {
    guard let wish = quotable(prompt, facts) else { return words.plainDescription }
    return isFromContext ? words.descriptionFor(wish) : words.descriptionOfOwn(wish)
  }

  private static func feedback(
    _ sources: [(String, RetrievedPassage)], _ own: [String], _ facts: ProposalRules.Facts,
    _ words: PlannerWords
  ) -> String {
    let list = sources.map { label, found in
      words.source(
        label, title: quotable(found.passage.title, facts), similarity: found.similarity)
    }
    return words.feedback(sources: own + list, isOwn: !own.isEmpty)
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
