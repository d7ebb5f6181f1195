/// What a proposal must be before it may become a goal, whoever wrote it: a model, a planner, a
/// learner. It is code, so that no text can change its decision; it never traps, and takes time
/// in proportion to the limits of goals, not to what it is given.
package enum ProposalRules {
  /// What the rules need to know of the world around the proposal.
  package struct Facts: Sendable {
    /// The learner's language, `es` or `en`.
    package var language: String
    /// The learner's open goals that are closest in meaning; empty where there is none or nobody knows.
    package var openGoals: [OpenGoal]
    /// Our own instructions to the model, none of which may come back.
    package let instructions: String
    /// Made of the instructions once, for all texts that are checked by these facts.
    let leaks: LeakDetector

    package init(
      language: String, openGoals: [OpenGoal] = [], instructions: String = ""
    ) {
      self.language = language
      self.openGoals = openGoals
      self.instructions = instructions
      leaks = LeakDetector(instructions: instructions)
    }
  }

  /// The rules; the raw values are stable and public.
  package enum Rule: String, Sendable, Hashable, CaseIterable {
    /// A text that has to be there is not.
    case required
    /// A text is longer than goals may have it, has a line break where none may be, or is one of
    /// too many.
    case limits
    /// Controls, bidirectional or zero-width characters.
    case hiddenCharacters = "hidden_characters"
    /// An address that runs code, carries a password or loads by itself.
    case unsafeLink = "unsafe_link"
    /// Not 3 to 5 tasks.
    case taskCount = "task_count"
    /// Two tasks that are the same.
    case taskDuplicate = "task_duplicate"
    /// Nothing to do: no action, a question, too short.
    case taskNotDoable = "task_not_doable"
    /// Nobody could tell whether it is done.
    case taskNotCheckable = "task_not_checkable"
    /// The goal says nowhere how to tell that it is reached.
    case goalNotCheckable = "goal_not_checkable"
    /// Text that was left to be filled in.
    case placeholder
    /// Not in the learner's language.
    case language
    /// The learner has this goal already.
    case goalDuplicate = "goal_duplicate"
    /// Instructions, ours or an intruder's, or the markers and calls of a model's protocol.
    case leakedInstructions = "leaked_instructions"

    /// Whether it also binds a person who edits a proposal. The others are the learner's own
    /// business.
    package var isHard: Bool {
      switch self {
      case .required, .limits, .hiddenCharacters, .unsafeLink, .taskCount: true
      default: false
      }
    }
  }

  package static let taskCounts = 3...5

  /// From here on a goal may be one that the learner has; `GoalComparison` looks at what both name.
  /// Goals that say the same in other words are mostly above it; a wrong finding costs one repair, or
  /// the plan where there is no model, a missed one a goal that the learner can delete.
  package static let duplicateSimilarity = 0.86

  /// More violations than this help nobody to mend a proposal.
  package static let violationCountMax = 40

  /// What is wrong with the proposal, in the order of its fields; empty when it holds.
  package static func violations(_ proposal: GoalProposal, facts: Facts) -> [RuleViolation] {
    var review = Review(facts: facts)
    review.check(proposal)
    return Array(review.violations.prefix(violationCountMax))
  }

  /// What of it a person who edits a proposal has to mend as well.
  package static func hardViolations(
    _ proposal: GoalProposal, facts: Facts
  ) -> [RuleViolation] {
    let rules = Set(Rule.allCases.filter(\.isHard).map(\.rawValue))
    var review = Review(facts: facts)
    review.check(proposal)
    return Array(review.violations.filter { rules.contains($0.rule) }.prefix(violationCountMax))
  }

  /// What is wrong with one task by itself.
  static func violations(_ task: GoalProposal.Task, facts: Facts) -> [RuleViolation] {
    var review = Review(facts: facts)
    review.check(task, "task")
    return review.violations
  }

  /// What is wrong with one text by itself.
  static func violations(
    text: String, maximum: Int, singleLine: Bool = false, facts: Facts
  ) -> [RuleViolation] {
    var review = Review(facts: facts)
    review.check(text, "text", maximum: maximum, isRequired: true, singleLine: singleLine)
    return review.violations
  }
}
