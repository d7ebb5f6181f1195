import Domain

extension ProposalRules {
  /// One reading of a proposal.
  struct Review {
    let facts: Facts
    private(set) var violations: [RuleViolation] = []

    init(facts: Facts) {
      self.facts = facts
    }

    mutating func add(_ rule: Rule, _ field: String, _ description: String) {
      violations.append(
        RuleViolation(rule: rule.rawValue, field: field, description: description))
    }

    mutating func check(_ proposal: GoalProposal) {
      check(
        proposal.title, "title", maximum: GoalLimits.title, isRequired: true, singleLine: true)
      check(
        proposal.description, "description", maximum: GoalLimits.description, isRequired: true)
      checkTasks(proposal.tasks)
      checkCriteria(proposal.validationCriteria, "validation_criteria")
      if !proposal.validationCriteria.prefix(GoalLimits.criteria).contains(where: isMeaningful) {
        add(
          .goalNotCheckable, "validation_criteria",
          "needs at least one criterion by which anybody can tell that the goal is reached")
      }
      check(
        proposal.aiFeedback, "ai_feedback", maximum: GoalLimits.description, isRequired: false)
      checkDuplicate(of: proposal)
      // Each text may be too short to tell; together they are not. Where one of them was found to
      // be in another language, this would only repeat it.
      if !violations.contains(where: { $0.rule == Rule.language.rawValue }) {
        checkLanguage(of: everything(in: proposal), "proposal")
      }
    }

    private mutating func checkTasks(_ tasks: [GoalProposal.Task]) {
      if !ProposalRules.taskCounts.contains(tasks.count) {
        add(.taskCount, "tasks", "must be 3 to 5, in the order in which they are done")
      }
      let looked = tasks.prefix(ProposalRules.taskCounts.upperBound)
      for (index, task) in looked.enumerated() { check(task, "tasks[\(index)]") }
      for (index, task) in looked.enumerated() {
        let earlier = looked.prefix(index).firstIndex { ProposalRules.isSame($0, task) }
        if let earlier {
          add(
            .taskDuplicate, "tasks[\(index)]", "is the same as tasks[\(earlier)]: make it another")
        }
      }
    }

    mutating func check(_ task: GoalProposal.Task, _ field: String) {
      check(
        task.title, "\(field).title", maximum: GoalLimits.title, isRequired: true,
        singleLine: true)
      check(
        task.description, "\(field).description", maximum: GoalLimits.description,
        isRequired: false)
      checkCriteria(task.validationCriteria, "\(field).validation_criteria")
      if let reason = TaskReading.reasonNotDoable(task, language: facts.language) {
        add(.taskNotDoable, "\(field).title", reason)
      }
      let isCheckable =
        task.validationCriteria.prefix(GoalLimits.criteria).contains(where: isMeaningful)
        || TaskReading.saysOutcome(task.description)
      if !isCheckable {
        add(
          .taskNotCheckable, "\(field).validation_criteria",
          "needs a criterion by which anybody can tell that the task is done")
      }
    }

    private mutating func checkCriteria(_ criteria: [String], _ field: String) {
      if criteria.count > GoalLimits.criteria {
        add(.limits, field, "has more than \(GoalLimits.criteria) entries")
      }
      for (index, criterion) in criteria.prefix(GoalLimits.criteria).enumerated() {
        check(
          criterion, "\(field)[\(index)]", maximum: GoalLimits.criterion, isRequired: true)
      }
    }

    /// The rules that every text is under.
    mutating func check(
      _ text: String, _ field: String, maximum: Int, isRequired: Bool, singleLine: Bool = false
    ) {
      if text.isEmpty, !isRequired { return }
      if let problem = ProposalRules.problem(
        text, maximum: maximum, isRequired: isRequired, singleLine: singleLine)
      {
        return add(problem.rule, field, problem.description)
      }
      if TextHygiene.hasHiddenCharacters(text) {
        add(.hiddenCharacters, field, "contains invisible characters: write it without them")
      }
      if let reason = UnsafeLinks.reason(text) { add(.unsafeLink, field, reason) }
      if let reason = facts.leaks.reason(text) { add(.leakedInstructions, field, reason) }
      if TaskReading.isPlaceholder(text) {
        add(.placeholder, field, "is a placeholder: write what is really meant")
      }
      checkLanguage(of: text, field)
    }

    private mutating func checkLanguage(of text: String, _ field: String) {
      guard facts.language == "es" || facts.language == "en" else { return }
      let guess = LanguageGuess.language(of: Prose.withoutQuotations(text))
      guard let language = guess.language, language != facts.language,
        guess.confidence >= ProposalRules.languageConfidenceMin
      else { return }
      let name = facts.language == "es" ? "Spanish" : "English"
      add(
        .language, field,
        "must be in \(name); put code between backticks and names of things between quotes")
    }

    private mutating func checkDuplicate(of proposal: GoalProposal) {
      guard !facts.openGoals.isEmpty else { return }
      let comparison = GoalComparison(proposal)
      if facts.openGoals.contains(where: comparison.isSame) {
        add(
          .goalDuplicate, "title",
          "the learner has an open goal that is the same: propose what goes beyond it")
      }
    }

    private func isMeaningful(_ criterion: String) -> Bool {
      criterion.utf8.count <= GoalLimits.criterion * 4 && TaskReading.isMeaningful(criterion)
        && !TaskReading.isPlaceholder(criterion)
    }

    private func everything(in proposal: GoalProposal) -> String {
      let tasks = proposal.tasks.prefix(ProposalRules.taskCounts.upperBound)
      let texts =
        [proposal.title, proposal.description, proposal.aiFeedback]
        + proposal.validationCriteria.prefix(GoalLimits.criteria)
        + tasks.flatMap {
          [$0.title, $0.description] + $0.validationCriteria.prefix(GoalLimits.criteria)
        }
      // Those beyond the limits have their finding, and would only cost time here.
      return texts.filter { $0.utf8.count <= GoalLimits.description * 4 }.joined(separator: "\n")
    }
  }

  /// One small word of another language and nothing of the learner's is a sign already.
  static let languageConfidenceMin = 0.6

  /// Tasks are the same when their titles have the same words of meaning, or their descriptions
  /// all their words.
  static func isSame(_ left: GoalProposal.Task, _ right: GoalProposal.Task) -> Bool {
    guard left.isBounded, right.isBounded else { return false }
    if GoalComparison.significant(left.title) == GoalComparison.significant(right.title) {
      return true
    }
    let description = GoalComparison.words(of: left.description)
    return !description.isEmpty && description == GoalComparison.words(of: right.description)
  }

  /// What a goal or task could not be stored with.
  static func problem(
    _ text: String, maximum: Int, isRequired: Bool, singleLine: Bool
  ) -> (rule: Rule, description: String)? {
    // The byte bound first: looking through a huge text is itself work.
    guard text.utf8.count <= maximum * 4, text.unicodeScalars.count <= maximum else {
      return (.limits, "is longer than \(maximum) characters")
    }
    if text.unicodeScalars.allSatisfy({ $0.properties.isWhitespace }) {
      return isRequired ? (.required, "must not be empty") : nil
    }
    let breaks = text.unicodeScalars.contains { $0 == "\n" || $0 == "\r" || $0 == "\t" }
    return singleLine && breaks ? (.limits, "must be a single line") : nil
  }
}

extension GoalProposal.Task {
  fileprivate var isBounded: Bool {
    title.utf8.count <= GoalLimits.title * 4
      && description.utf8.count <= GoalLimits.description * 4
  }
}
