import Domain

/// Whether two goals are one: by what they mean, and by what they name.
///
/// Similarity alone cannot tell. Goals about one subject are similar whatever each wants of it (branches
/// in Git, undoing changes in Git), and two plans of ours share most of their sentences. So that
/// - goals of one title are the same, and so are those of a plan of ours whose titles name the same;
/// - similar ones are not where both titles name the same subject and each something that the other
///   goal does not mention, unless what stands below the titles is the same as well.
struct GoalComparison {
  /// Of a text that is looked at.
  private static let byteCountMax = GoalLimits.title * 4 + 8000
  private static let sameRestMin = 0.6

  private struct Reading {
    let title: [String]
    /// What the title names, without what people do with whatever they learn.
    let subjects: Set<String>
    /// What stands below the title.
    let rest: Set<String>
    /// Planned without a model, in our own sentences.
    let isOurs: Bool

    init(title: String, content: String, isOurs: Bool) {
      self.title = GoalComparison.words(of: title)
      self.isOurs = isOurs || PlannedText.isIn(content)
      subjects = GoalComparison.subjects(of: title)
      let body = content.hasPrefix(title) ? String(content.dropFirst(title.count)) : content
      rest = Set(GoalComparison.significant(body).map(GoalComparison.stem))
    }

    var all: Set<String> { subjects.union(rest) }
  }

  /// What a wish or a title names, without what people do with whatever they learn; near enough the
  /// same for one and many.
  static func subjects(of text: String) -> Set<String> {
    let words = significant(text)
    let named = words.subtracting(learningWords)
    return Set((named.isEmpty ? words : named).map(stem))
  }

  /// The words that carry the meaning, each once. Where there is none but function words, those.
  static func significant(_ text: String) -> Set<String> {
    let found = words(of: text)
    let significant = found.filter { !FunctionWords.all.contains($0) }
    return Set(significant.isEmpty ? found : significant)
  }

  /// Folded words; with the signs behind them that names have: C, C++ and C# are three.
  static func words(of text: String) -> [String] {
    var words: [String] = []
    for token in text.split(whereSeparator: \.isWhitespace) {
      var found = Words.folded(String(token))
      let edges = ".,;:!?)]}»”\"'"
      let bare = token.reversed().drop { edges.contains($0) }
      let signs = bare.prefix { $0 == "+" || $0 == "#" }
      if !signs.isEmpty, signs.count <= 2, signs.count < bare.count, let last = found.popLast() {
        found.append(last + signs)
      }
      words += found
    }
    return words
  }

  private let proposal: Reading?

  init(_ proposal: GoalProposal) {
    let criteria = proposal.validationCriteria.prefix(GoalLimits.criteria)
    let content = ([proposal.title, proposal.description] + criteria).joined(separator: "\n")
    self.proposal =
      content.utf8.count <= Self.byteCountMax
      ? Reading(title: proposal.title, content: content, isOurs: proposal.planner == .retrieval)
      : nil
  }

  func isSame(as goal: OpenGoal) -> Bool {
    let isSimilar = goal.similarity >= ProposalRules.duplicateSimilarity
    guard let proposal, goal.title.utf8.count <= GoalLimits.title * 4 else { return isSimilar }
    let content = goal.content.utf8.count <= Self.byteCountMax ? goal.content : goal.title
    let other = Reading(title: goal.title, content: content, isOurs: false)
    if proposal.title == other.title { return true }
    guard isSimilar else { return false }
    // Of our own sentences the similarity says nothing.
    if proposal.isOurs || other.isOurs { return proposal.subjects == other.subjects }
    let isOneSubject = !proposal.subjects.isDisjoint(with: other.subjects)
    let areApart =
      !proposal.subjects.isSubset(of: other.all) && !other.subjects.isSubset(of: proposal.all)
    return !(isOneSubject && areApart) || Self.areSame(proposal.rest, other.rest)
  }

  private static func areSame(_ left: Set<String>, _ right: Set<String>) -> Bool {
    guard !left.isEmpty, !right.isEmpty else { return false }
    let shared = Double(left.intersection(right).count)
    return shared / Double(left.union(right).count) >= sameRestMin
  }

  /// Near enough: what tells one from many.
  static func stem(_ word: String) -> String {
    guard word.utf8.count > 4, word.hasSuffix("s") else { return word }
    return String(word.dropLast(word.hasSuffix("es") && word.utf8.count > 5 ? 2 : 1))
  }

  /// What a title says of whatever is to be learned.
  static let learningWords = set(
    """
    aprender aprende aprendo aprendizaje dominar domina estudiar estudia practicar practica practicando \
    conocer conoce entender entiende comprender comprende saber usar usa uso utilizar utiliza manejar \
    maneja manejo trabajar trabaja hacer haz empezar empieza iniciarme introduccion curso objetivo meta \
    paso pasos bien mejor mejorar repasar repasa profundizar seguir learn learning master mastering study \
    studying practise practice practising practicing know knowing understand understanding work working \
    use using start starting begin beginning introduction course goal step steps well better improve \
    review continue
    """)

  private static func set(_ words: String) -> Set<String> {
    Set(words.split { $0 == " " || $0 == "\n" }.map(String.init))
  }
}
