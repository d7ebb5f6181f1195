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
    /// Of courses and of the wish's own words.
    private var other: [Candidate] = []
    /// What `other` is from, as people are told.
    private(set) var ownSources: [String] = []

    private static let courseCountMax = 2

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
      let found = Array(studied + earlier.prefix(count - studied.count))
      // To enrol comes first, to put together last.
      return other.isEmpty ? found : Array((other.prefix(count - found.count) + found))
    }

    /// Tasks of the courses that are about the wish, and of what it names itself: for whoever has not
    /// done or read anything yet.
    mutating func addWhatThereIs(for prompt: String, _ courses: [OfferedCourse]) {
      let wish = GoalComparison.subjects(of: prompt)
      let close = courses.map { (course: $0, closeness: $0.closeness(to: wish)) }
        .filter { $0.closeness > 0 }
        .enumerated().sorted {
          ($1.element.closeness, $0.offset) < ($0.element.closeness, $1.offset)
        }
        .prefix(Self.courseCountMax).map(\.element.course)
      // As it was written, no part of what may be a trap.
      let outline = facts.leaks.reason(prompt) == nil ? PromptOutline(prompt).parts : []
      let parts = outline.compactMap { quotable($0, facts) }
      for course in close { add(course, isOnly: parts.count < 2, wish: quotable(prompt, facts)) }
      // One thing that is named is a step beside something else, and no plan.
      guard parts.count > 1 || !chosenTasks.isEmpty else { return }
      for part in parts { addStep(part) }
      if parts.count > 1, chosenTasks.count < ProposalRules.taskCounts.lowerBound {
        add(words.together(parts[0], parts[1]), from: words.ownWords, to: \.other)
      }
    }

    private mutating func add(_ course: OfferedCourse, isOnly: Bool, wish: String?) {
      guard let title = quotable(course.title, facts) else { return }
      let source = words.course(title)
      ownSources.append(source)
      if !course.isEnrolled { add(words.enrol(title), from: source, to: \.other) }
      let reading = words.read(title, for: wish)
      if !add(reading, from: source, to: \.other) {
        add(words.read(title, for: nil), from: source, to: \.other)
      }
      if isOnly { add(words.apply(title), from: source, to: \.other) }
    }

    private mutating func addStep(_ part: String) {
      let first = Words.folded(part).first ?? ""
      let isAction = Actions.isAction(first, language: words.isEnglish ? "en" : "es")
      if !ownSources.contains(words.ownWords) { ownSources.append(words.ownWords) }
      if isAction, add(words.step(part, isAction: true), from: words.ownWords, to: \.other) {
        return
      }
      add(words.step(part, isAction: false), from: words.ownWords, to: \.other)
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
      let isKnown = (sections + earlier + other).contains { ProposalRules.isSame($0.task, task) }
      if !isKnown { self[keyPath: list].append((task, source)) }
      return true
    }
  }
}
