import Domain
import Retrieval

extension RetrievalPlanner {
  /// The tasks that a plan may be made of.
  struct Draft {
    /// A task, and the label of where it is from.
    typealias Candidate = (task: GoalProposal.Task, source: String)

    let facts: ProposalRules.Facts
    let words: PlannerWords
    private var sections: [Candidate] = []
    private var earlier: [Candidate] = []

    /// What of each kind is looked at.
    private static let candidateCountMax = 20

    init(facts: ProposalRules.Facts, words: PlannerWords) {
      self.facts = facts
      self.words = words
    }

    /// Sections come first, in the order of the course, then what the learner has done before; when
    /// there is plenty of both, two sections and three tasks.
    var chosenTasks: [Candidate] {
      let count = ProposalRules.taskCounts.upperBound
      let sectionCount = max(2, count - earlier.count)
      let studied = sections.prefix(sectionCount)
      return Array(studied + earlier.prefix(count - studied.count))
    }

    /// Those that are closest, in the order of their documents.
    mutating func addSections(of documents: [RetrievedPassage]) {
      let labelled = documents.enumerated().map { (label: "D\($0 + 1)", found: $1) }
        .filter { $0.found.passage.kind == .course && !$0.found.passage.documentPath.isEmpty }
        .prefix(ProposalRules.taskCounts.upperBound)
        .sorted { Draft.place($0.found.passage) < Draft.place($1.found.passage) }
      for (label, found) in labelled {
        guard let heading = quotable(found.passage.title, facts) else { continue }
        let path = quotable(found.passage.documentPath, facts)
        add(words.study(heading, path: path), from: label, to: \.sections)
      }
    }

    private static func place(_ passage: Passage) -> (String, String, Int32) {
      (passage.entityID.description, passage.documentPath, passage.chunkNumber)
    }

    /// Goal by goal, the closest first; inside of one in its order.
    mutating func addTasks(
      of goals: [RetrievedPassage], _ tasksOfGoals: [EntityID: [EarlierTask]]
    ) {
      for (index, goal) in goals.prefix(Draft.candidateCountMax).enumerated() {
        let tasks = tasksOfGoals[goal.passage.entityID] ?? []
        for task in tasks.prefix(Draft.candidateCountMax)
        where facts.leaks.reason(task.title) == nil {
          let whole = GoalProposal.Task(
            title: TextHygiene.cleanLine(task.title, scalarCountMax: GoalLimits.title),
            description: TextHygiene.clean(task.description, scalarCountMax: 2000).text,
            validationCriteria: criteria(task))
          let label = "G\(index + 1)"
          if add(whole, from: label, to: \.earlier) { continue }
          if let title = quotable(task.title, facts) {
            add(words.again(title), from: label, to: \.earlier)
          }
        }
      }
    }

    /// Those of its criteria that hold by themselves, or one of ours.
    private func criteria(_ task: EarlierTask) -> [String] {
      let clean = task.criteria.prefix(3).filter { criterion in
        TaskReading.isMeaningful(criterion)
          && ProposalRules.violations(
            text: criterion, maximum: GoalLimits.criterion, facts: facts
          ).isEmpty
      }
      if !clean.isEmpty { return clean }
      return quotable(task.title, facts).map { [words.doneCriterion($0)] } ?? []
    }

    /// Whether the task holds the contract, and is there now or was before.
    @discardableResult
    private mutating func add(
      _ task: GoalProposal.Task, from source: String,
      to list: WritableKeyPath<Draft, [Candidate]>
    ) -> Bool {
      guard ProposalRules.violations(task, facts: facts).isEmpty else { return false }
      let isKnown = (sections + earlier).contains { ProposalRules.isSame($0.task, task) }
      if !isKnown { self[keyPath: list].append((task, source)) }
      return true
    }
  }
}
