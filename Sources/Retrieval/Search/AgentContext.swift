/// What an agent found before it began to think.
package struct AgentContext: Sendable, Hashable {
  /// Completed goals of the learner, closest first.
  package var goals: [RetrievedPassage]
  /// Sections of course documents.
  package var documents: [RetrievedPassage]
  /// Validated code.
  package var code: [RetrievedPassage]

  package init(
    goals: [RetrievedPassage] = [], documents: [RetrievedPassage] = [],
    code: [RetrievedPassage] = []
  ) {
    self.goals = goals
    self.documents = documents
    self.code = code
  }

  /// Everything, in the order in which it is cited.
  package var all: [RetrievedPassage] { goals + documents + code }
}
